"""The scenarios of the races: new rows for every round, in a given state before the two acts meet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from partway.accounts.models import GatewayAccount, Organization
from partway.billing import events
from partway.billing.checkouts.closing import closing_later
from partway.billing.documents import quotes
from partway.billing.events import Actor
from partway.billing.models import Customer, Invoice, Payment, PaymentRequest, Quote
from partway.billing.payments.refresh import refresh_payment
from partway.billing.people import organizations
from partway.billing.receivables import credit as customer_credit
from partway.billing.requests import payment_requests
from partway.lib.clock import now as present
from tests.billing.receivables.test_offline_payments import record
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver, PaymentTarget


class RaceScenario:
    """The rows of one round as read before the race, so perhaps stale during it."""

    invoice: Invoice  # $1,000.00
    other: Invoice  # another invoice of the same customer, $1,000.00
    open_request: PaymentRequest  # for $300.00 of the invoice
    quote: Quote  # $1,000.00 with a deposit of $300.00
    payment: Payment  # the payment with which the race begins
    first_callback: str  # the kind of the first callback about it
    payout_ref: str  # the gateway's id of the payout

    def __init__(self, gateway_driver: GatewayDriver, organization: Organization, alice: Actor) -> None:
        self.gateway_driver = gateway_driver
        self.alice = alice
        self.organization = organization
        self.dana: Customer = personas.customer(organization)
        self.customer = events.customer_actor(self.dana)

    @property
    def document(self) -> Invoice | Quote:
        """The document that the payments of this round are for."""
        return self.quote if hasattr(self, "quote") else self.invoice


Given = Callable[[RaceScenario], None]


def draft_invoice(scenario: RaceScenario) -> None:
    """A draft invoice of $1,000.00."""
    scenario.invoice = personas.draft_invoice(scenario.dana)


def sent_invoice(scenario: RaceScenario) -> None:
    """A sent invoice of $1,000.00 without a request."""
    scenario.invoice = personas.sent_invoice(scenario.dana)


def open_request(scenario: RaceScenario) -> None:
    """An open request for $300.00 of a sent invoice."""
    sent_invoice(scenario)
    scenario.open_request = personas.request_payment(scenario.invoice)


def expiring_request(scenario: RaceScenario) -> None:
    """An open request that expires in an hour."""
    sent_invoice(scenario)
    scenario.open_request = personas.request_payment(
        scenario.invoice, expires_at=present() + timedelta(hours=1)
    )


def checkout_open(scenario: RaceScenario) -> None:
    """The checkout of the request is started and not paid."""
    open_request(scenario)
    scenario.payment = scenario.gateway_driver.start(scenario.open_request)


def authorized(scenario: RaceScenario) -> None:
    """The customer has paid the checkout with a good card; the authorization is not fetched yet."""
    open_request(scenario)
    _pay_checkout(scenario, scenario.open_request)


def authorized_and_close_fails(scenario: RaceScenario) -> None:
    """As `authorized`, and the gateway does not respond to the next close."""
    authorized(scenario)
    scenario.gateway_driver.inject_fault("error_before", act="close")


def authorized_before_expiry(scenario: RaceScenario) -> None:
    """As `authorized`, and the request expires in an hour."""
    expiring_request(scenario)
    _pay_checkout(scenario, scenario.open_request)


def invoice_authorized_beside_request(scenario: RaceScenario) -> None:
    """A request is open, and the customer has paid the whole invoice by Pay Now; not fetched yet."""
    open_request(scenario)
    _pay_checkout(scenario, scenario.invoice)


def invoice_authorized(scenario: RaceScenario) -> None:
    """The customer has paid the whole invoice by Pay Now, and no request is open; not fetched yet."""
    sent_invoice(scenario)
    _pay_checkout(scenario, scenario.invoice)


def declined(scenario: RaceScenario) -> None:
    """The customer's first card was declined, and the checkout is still open; not fetched yet."""
    open_request(scenario)
    _pay_checkout(scenario, scenario.open_request, "declined")


def debit_begun(scenario: RaceScenario) -> None:
    """The customer has paid the request from a bank account; not fetched yet."""
    open_request(scenario)
    _pay_checkout(scenario, scenario.open_request, "debit")


def debit_failed(scenario: RaceScenario) -> None:
    """The debit of the request was accepted, and its bank has refused it days later; not fetched yet."""
    debit_begun(scenario)
    refresh_payment(scenario.payment, now=present())
    scenario.gateway_driver.settle_bank_debit(scenario.payment, "failed")


def unwanted_debit(scenario: RaceScenario) -> None:
    """The request was canceled at the moment at which its debit began; both are known, and the invoice is due."""
    checkout_open(scenario)
    scenario.gateway_driver.inject_fault("close_too_late")
    payment_requests.cancel(scenario.open_request, by=scenario.alice, now=present())
    refresh_payment(scenario.payment, now=present())


def unwanted_debit_settled(scenario: RaceScenario) -> None:
    """As `unwanted debit`, and it has settled; not fetched yet."""
    unwanted_debit(scenario)
    scenario.gateway_driver.settle_bank_debit(scenario.payment)


def debit_settled(scenario: RaceScenario) -> None:
    """The customer has paid from a bank account, and the debit is settled; not fetched yet."""
    open_request(scenario)
    _pay_checkout(scenario, scenario.open_request, "debit")
    scenario.gateway_driver.settle_bank_debit(scenario.payment)


def credit(scenario: RaceScenario) -> None:
    """A check left $800.00 of credit; two invoices of $1,000.00 are sent, and one has an open request."""
    overpaid = personas.sent_invoice(scenario.dana, 20_000)
    scenario.payment = record(overpaid, 100_000, scenario.alice, keep_rest_as_credit=True)
    scenario.other = personas.sent_invoice(scenario.dana)
    open_request(scenario)


def credit_and_authorized(scenario: RaceScenario) -> None:
    """As `credit`, and the customer has paid the request with a card; not fetched yet."""
    credit(scenario)
    _pay_checkout(scenario, scenario.open_request)


def check_recorded(scenario: RaceScenario) -> None:
    """A check of $400.00 is recorded on the invoice."""
    sent_invoice(scenario)
    scenario.payment = record(scenario.invoice, 40_000, scenario.alice)


def paid_online(scenario: RaceScenario) -> None:
    """The request of $300.00 is paid with a card, and booked."""
    open_request(scenario)
    scenario.payment = scenario.gateway_driver.start_and_pay(scenario.open_request)


def captured_late(scenario: RaceScenario) -> None:
    """The card of a canceled request was captured in the gateway's dashboard; not fetched yet."""
    authorized(scenario)
    scenario.gateway_driver.capture(scenario.payment)
    with closing_later():
        payment_requests.cancel(scenario.open_request, by=scenario.alice, now=present())


def refunded_in_dashboard(scenario: RaceScenario) -> None:
    """As `paid online`, and $200.00 were sent back in the gateway's dashboard; not fetched yet."""
    paid_online(scenario)
    scenario.gateway_driver.refund_at_gateway(scenario.payment, 20_000)


def disputed(scenario: RaceScenario) -> None:
    """As `paid online`, and the customer's bank asks $200.00 back; not fetched yet."""
    paid_online(scenario)
    scenario.gateway_driver.dispute(scenario.payment, 20_000)


def dispute_lost(scenario: RaceScenario) -> None:
    """As `paid online`, and a dispute about all of it is lost; not fetched yet."""
    paid_online(scenario)
    scenario.gateway_driver.decide_dispute(scenario.gateway_driver.dispute(scenario.payment, 30_000), "lost")


def payout_arrived(scenario: RaceScenario) -> None:
    """As `refunded in dashboard`, and what is left has arrived in a payout; none of it is read yet.

    At an account of its own, which alone is read, so that no payout of another round is found.
    """
    scenario.gateway_driver = scenario.gateway_driver.another(scenario.organization)
    others = GatewayAccount.objects.exclude(pk=scenario.gateway_driver.account.pk)
    others.update(payouts_due_at=present() + timedelta(days=1))
    refunded_in_dashboard(scenario)
    [scenario.payout_ref] = scenario.gateway_driver.pay_out()
    scenario.gateway_driver.settle_payout(scenario.payout_ref, "paid")


def disputed_credit(scenario: RaceScenario) -> None:
    """$800.00 of credit was paid online, and $500.00 of that is disputed; not fetched yet. An invoice has a request."""
    paid = personas.sent_invoice(scenario.dana, 80_000)
    scenario.payment = scenario.gateway_driver.start_and_pay(paid)
    customer_credit.deallocate(paid, scenario.payment, by=scenario.alice, now=present())
    scenario.gateway_driver.dispute(scenario.payment, 50_000)
    open_request(scenario)


def disputed_deposit(scenario: RaceScenario) -> None:
    """The deposit is paid online, its invoice is a draft, and a dispute about it is lost; not fetched yet."""
    accepted_quote(scenario)
    scenario.payment = scenario.gateway_driver.start_and_pay(scenario.quote)
    scenario.gateway_driver.decide_dispute(scenario.gateway_driver.dispute(scenario.payment, 30_000), "lost")
    scenario.invoice = quotes.create_invoice(scenario.quote, by=scenario.alice, now=present())


def paid_online_and_authorized(scenario: RaceScenario) -> None:
    """As `paid online`, and the customer has paid another request of $300.00 with a card; not fetched yet."""
    paid_online(scenario)
    scenario.open_request = personas.request_payment(scenario.invoice)
    _pay_checkout(scenario, scenario.open_request)


def draft_quote(scenario: RaceScenario) -> None:
    """A draft quote of $1,000.00 with a deposit of $300.00."""
    scenario.quote = personas.draft_quote(scenario.dana)


def sent_quote(scenario: RaceScenario) -> None:
    """A sent quote with a deposit of $300.00."""
    scenario.quote = personas.sent_quote(scenario.dana)


def accepted_quote(scenario: RaceScenario) -> None:
    """The customer has accepted the quote."""
    sent_quote(scenario)
    scenario.quote = personas.accept_quote(scenario.quote)


def deposit_authorized(scenario: RaceScenario) -> None:
    """The customer has paid the deposit with a card; not fetched yet."""
    accepted_quote(scenario)
    _pay_checkout(scenario, scenario.quote)


def deposit_recorded(scenario: RaceScenario) -> None:
    """The deposit was recorded as a check."""
    accepted_quote(scenario)
    scenario.payment = personas.record_deposit_check(scenario.quote)


def deposit_invoiced(scenario: RaceScenario) -> None:
    """The deposit was recorded as a check, and the invoice made of the quote is a draft."""
    deposit_recorded(scenario)
    scenario.invoice = quotes.create_invoice(scenario.quote, by=scenario.alice, now=present())


def _pay_checkout(scenario: RaceScenario, source: PaymentTarget, how: str = "good") -> None:
    scenario.payment = scenario.gateway_driver.start(source)
    scenario.gateway_driver.pay(scenario.payment, how)
    scenario.first_callback = {"good": "authorized", "declined": "declined", "debit": "processing"}[how]


SCENARIOS: dict[str, Given] = {
    "draft invoice": draft_invoice,
    "sent invoice": sent_invoice,
    "open request": open_request,
    "expiring request": expiring_request,
    "checkout open": checkout_open,
    "authorized": authorized,
    "authorized and close fails": authorized_and_close_fails,
    "authorized before expiry": authorized_before_expiry,
    "invoice authorized beside request": invoice_authorized_beside_request,
    "invoice authorized": invoice_authorized,
    "declined": declined,
    "debit begun": debit_begun,
    "debit settled": debit_settled,
    "debit failed": debit_failed,
    "unwanted debit": unwanted_debit,
    "unwanted debit settled": unwanted_debit_settled,
    "credit": credit,
    "credit and authorized": credit_and_authorized,
    "check recorded": check_recorded,
    "paid online": paid_online,
    "captured late": captured_late,
    "refunded in dashboard": refunded_in_dashboard,
    "disputed": disputed,
    "dispute lost": dispute_lost,
    "payout arrived": payout_arrived,
    "disputed credit": disputed_credit,
    "disputed deposit": disputed_deposit,
    "paid online and authorized": paid_online_and_authorized,
    "draft quote": draft_quote,
    "sent quote": sent_quote,
    "accepted quote": accepted_quote,
    "deposit authorized": deposit_authorized,
    "deposit recorded": deposit_recorded,
    "deposit invoiced": deposit_invoiced,
}


def create_scenario(
    given: str, gateway_driver: GatewayDriver, organization: Organization, alice: Actor
) -> RaceScenario:
    """Returns a scenario for one round; enables payments, which the round before may have disabled."""
    if not organization.payments_enabled:
        organizations.set_payments_enabled(organization, on=True, by=alice, now=present())
    scenario = RaceScenario(gateway_driver, organization, alice)
    SCENARIOS[given](scenario)
    return scenario
