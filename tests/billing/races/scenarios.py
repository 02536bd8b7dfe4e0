"""What a race is about: fresh rows for every round, and what may be given before the two acts meet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from partway.accounts.models import Organization
from partway.billing import events
from partway.billing.documents import quotes
from partway.billing.events import Actor
from partway.billing.models import Customer, Invoice, Payment, PaymentRequest, Quote
from partway.billing.people import organizations
from partway.lib.clock import now as present
from tests.billing.receivables.test_offline_payments import record
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver, PaymentTarget


class RaceScenario:
    """The rows of one round as people hold them: read before the race, so perhaps stale in it."""

    invoice: Invoice  # $1,000.00
    other: Invoice  # another one of the same customer, $1,000.00
    asked: PaymentRequest  # for $300.00 of the invoice
    quote: Quote  # $1,000.00 with a deposit of $300.00
    payment: Payment  # the one that the scene begins with
    first_callback: str  # what the company calls about it first

    def __init__(self, gateway_driver: GatewayDriver, organization: Organization, alice: Actor) -> None:
        self.gateway_driver = gateway_driver
        self.alice = alice
        self.organization = organization
        self.dana: Customer = personas.customer(organization)
        self.customer = events.customer_actor(self.dana)

    @property
    def document(self) -> Invoice | Quote:
        """What the payments of this round are for."""
        return self.quote if hasattr(self, "quote") else self.invoice


Given = Callable[[RaceScenario], None]


def drafted(scenario: RaceScenario) -> None:
    """An invoice of $1,000.00 that was not sent yet."""
    scenario.invoice = personas.draft_invoice(scenario.dana)


def sent(scenario: RaceScenario) -> None:
    """A sent invoice of $1,000.00, nothing asked for yet."""
    scenario.invoice = personas.sent_invoice(scenario.dana)


def asked(scenario: RaceScenario) -> None:
    """An open request for $300.00 of it."""
    sent(scenario)
    scenario.asked = personas.request_payment(scenario.invoice)


def expiring(scenario: RaceScenario) -> None:
    """One that expires in an hour."""
    sent(scenario)
    scenario.asked = personas.request_payment(scenario.invoice, expires_at=present() + timedelta(hours=1))


def started(scenario: RaceScenario) -> None:
    """The customer sees the form of the request's checkout, and has not filled it in."""
    asked(scenario)
    scenario.payment = scenario.gateway_driver.start(scenario.asked)


def authorized(scenario: RaceScenario) -> None:
    """The customer has filled it in with a good card; only the company knows yet."""
    asked(scenario)
    _fill_in(scenario, scenario.asked)


def authorized_in_silence(scenario: RaceScenario) -> None:
    """The same, and the company will not answer when it is told to close the checkout."""
    authorized(scenario)
    scenario.gateway_driver.inject_fault("error_before", act="close")


def authorized_in_time(scenario: RaceScenario) -> None:
    """The same as authorized, and the request expires in an hour."""
    expiring(scenario)
    _fill_in(scenario, scenario.asked)


def authorized_in_full(scenario: RaceScenario) -> None:
    """A request is open, and the customer has paid all by Pay Now instead; only the company knows yet."""
    asked(scenario)
    _fill_in(scenario, scenario.invoice)


def authorized_unasked(scenario: RaceScenario) -> None:
    """The customer has paid all by Pay Now, no request is open; only the company knows yet."""
    sent(scenario)
    _fill_in(scenario, scenario.invoice)


def declined(scenario: RaceScenario) -> None:
    """The customer's first card was declined, and the checkout is still open; only the company knows yet."""
    asked(scenario)
    _fill_in(scenario, scenario.asked, "declined")


def settled_debit(scenario: RaceScenario) -> None:
    """The customer has paid from a bank account, and the bank has settled it; only the company knows yet."""
    asked(scenario)
    _fill_in(scenario, scenario.asked, "debit")
    scenario.gateway_driver.settle_bank_debit(scenario.payment)


def in_credit(scenario: RaceScenario) -> None:
    """A check came in with $800.00 too much; two invoices of $1,000.00 are sent, and a part of one is asked for."""
    overpaid = personas.sent_invoice(scenario.dana, 20_000)
    scenario.payment = record(overpaid, 100_000, scenario.alice, keep_rest_as_credit=True)
    scenario.other = personas.sent_invoice(scenario.dana)
    asked(scenario)


def authorized_in_credit(scenario: RaceScenario) -> None:
    """The same, and the customer has paid the request with a card; only the company knows yet."""
    in_credit(scenario)
    _fill_in(scenario, scenario.asked)


def checked(scenario: RaceScenario) -> None:
    """A check of $400.00 is recorded on the invoice."""
    sent(scenario)
    scenario.payment = record(scenario.invoice, 40_000, scenario.alice)


def unsent_quote(scenario: RaceScenario) -> None:
    """A quote of $1,000.00 that was not sent yet."""
    scenario.quote = personas.draft_quote(scenario.dana)


def offered(scenario: RaceScenario) -> None:
    """A sent quote with a deposit of $300.00."""
    scenario.quote = personas.sent_quote(scenario.dana)


def accepted(scenario: RaceScenario) -> None:
    """The customer has accepted it."""
    offered(scenario)
    scenario.quote = personas.accept_quote(scenario.quote)


def deposit_authorized(scenario: RaceScenario) -> None:
    """The customer has paid the deposit with a card; only the company knows yet."""
    accepted(scenario)
    _fill_in(scenario, scenario.quote)


def deposit_recorded(scenario: RaceScenario) -> None:
    """The deposit came by check."""
    accepted(scenario)
    scenario.payment = personas.record_deposit_check(scenario.quote)


def deposit_invoiced(scenario: RaceScenario) -> None:
    """The deposit came by check, and the invoice made of the quote is still a draft."""
    deposit_recorded(scenario)
    scenario.invoice = quotes.create_invoice(scenario.quote, by=scenario.alice, now=present())


def _fill_in(scenario: RaceScenario, source: PaymentTarget, how: str = "good") -> None:
    scenario.payment = scenario.gateway_driver.start(source)
    scenario.gateway_driver.pay(scenario.payment, how)
    scenario.first_callback = {"good": "authorized", "declined": "declined", "debit": "processing"}[how]


SCENARIOS: dict[str, Given] = {
    "drafted": drafted,
    "sent": sent,
    "asked": asked,
    "expiring": expiring,
    "started": started,
    "authorized": authorized,
    "authorized in silence": authorized_in_silence,
    "authorized in time": authorized_in_time,
    "authorized in full": authorized_in_full,
    "authorized unasked": authorized_unasked,
    "declined": declined,
    "settled debit": settled_debit,
    "in credit": in_credit,
    "authorized in credit": authorized_in_credit,
    "checked": checked,
    "unsent quote": unsent_quote,
    "offered": offered,
    "accepted": accepted,
    "deposit authorized": deposit_authorized,
    "deposit recorded": deposit_recorded,
    "deposit invoiced": deposit_invoiced,
}


def create_scenario(
    given: str, gateway_driver: GatewayDriver, organization: Organization, alice: Actor
) -> RaceScenario:
    """A scene for one round; the round before may have switched payments off."""
    if not organization.payments_enabled:
        organizations.set_payments_enabled(organization, on=True, by=alice, now=present())
    scenario = RaceScenario(gateway_driver, organization, alice)
    SCENARIOS[given](scenario)
    return scenario
