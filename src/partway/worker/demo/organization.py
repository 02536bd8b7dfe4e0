"""Builds the demo organization, a small roofing business with quotes and invoices in every state, through billing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

import httpx
from django.conf import settings

from partway.accounts.models import GatewayAccount, Organization, Role, User
from partway.billing import events
from partway.billing.documents import invoices, quote_decisions, quotes
from partway.billing.documents.drafts import LineDraft
from partway.billing.documents.invoices import InvoiceDraft
from partway.billing.documents.quote_decisions import SpokenDecision
from partway.billing.events import OPERATOR, Actor
from partway.billing.models import Customer, Invoice, Payment, PaymentRequest, Quote
from partway.billing.payments.refresh import refresh_payment
from partway.billing.payments.start import start_payment
from partway.billing.people import customers, gateway_accounts, members, organizations
from partway.billing.people.customers import CustomerDetails
from partway.billing.people.members import NewUser
from partway.billing.people.organizations import Profile
from partway.billing.receivables import offline_payments, refunds, settlements, write_offs
from partway.billing.receivables.offline_payments import OfflinePayment
from partway.billing.receivables.refunds import OutsideRefund
from partway.billing.receivables.settlements import Settlement
from partway.billing.requests import payment_requests
from partway.billing.requests.payment_requests import NewPaymentRequest
from partway.delivery.mail.sending import send_due
from partway.gateways.registry import DEMO_GATEWAY, GATEWAYS
from partway.lib.clock import end_of_day, today
from partway.lib.money import Money

from . import DEMO_USERS, PASSWORD, SLUG

PEOPLE = {Role(role): NewUser(*person) for role, person in DEMO_USERS.items()}
_MAX_REFRESHES = 100
_TAX = Decimal("8.25")


def line(description: str, quantity: str, unit_amount_minor: int, tax_percent: Decimal = _TAX) -> LineDraft:
    """Returns one invoice line."""
    return LineDraft(description, Decimal(quantity), unit_amount_minor, tax_percent)


@dataclass(frozen=True, slots=True)
class DemoBuilder:
    """Builds rows of the demo organization at times before `now`."""

    organization: Organization
    by: Actor
    now: datetime

    def customer(self, details: CustomerDetails) -> Customer:
        """Creates a customer 60 days ago."""
        return customers.create(
            self.organization, details=details, by=self.by, now=self.now - timedelta(days=60)
        )

    def draft(
        self, customer: Customer, *lines: LineDraft, days_ago: int = 5, currency: str = "", notes: str = ""
    ) -> Invoice:
        """Creates a draft `days_ago` that is due thirty days after it is sent."""
        at = self.now - timedelta(days=days_ago)
        draft = InvoiceDraft(
            customer=customer,
            currency=currency or self.organization.currency,
            due_days=30,
            lines=lines,
            notes=notes,
        )
        return invoices.create(self.organization, draft=draft, by=self.by, now=at)

    def day(self, at: datetime) -> date:
        """Returns the calendar day where the organization is."""
        return today(at, self.organization.time_zone)

    def sent(
        self, customer: Customer, *lines: LineDraft, days_ago: int = 5, currency: str = "", notes: str = ""
    ) -> Invoice:
        """Creates an invoice and sends it the same day."""
        draft = self.draft(customer, *lines, days_ago=days_ago, currency=currency, notes=notes)
        invoice = invoices.send(draft, by=self.by, now=draft.created_at)
        send_due(now=draft.created_at)
        return invoice

    def ask(
        self,
        invoice: Invoice,
        amount_minor: int,
        note: str = "",
        *,
        days_ago: int = 0,
        days: int | None = None,
    ) -> PaymentRequest:
        """Creates a payment request `days_ago`; its link works for `days`, or until it is paid."""
        at = self.now - timedelta(days=days_ago)
        ends = self.day(at) + timedelta(days=days) if days else None
        ask = NewPaymentRequest(
            amount=Money(amount_minor, invoice.currency),
            to=(invoice.customer.email,),
            note=note,
            reply_to=PEOPLE[Role.COLLECTOR].email,
            expires_at=end_of_day(ends, self.organization.time_zone) if ends else None,
        )
        request = payment_requests.create(invoice, new_request=ask, by=self.by, now=at)
        # At once, as a worker would have: once the request has ended, its mail is dropped.
        send_due(now=at)
        return request

    def change(self, invoice: Invoice, *lines: LineDraft) -> Invoice:
        """Replaces the lines of a sent invoice now."""
        draft = InvoiceDraft(
            customer=invoice.customer,
            currency=invoice.currency,
            due_on=invoice.due_on,
            lines=lines,
            notes=invoice.notes,
        )
        return invoices.edit(invoice, draft=draft, expected_version=invoice.version, by=self.by, now=self.now)

    def quoted(self, customer: Customer, *lines: LineDraft, percent: int, days_ago: int = 3) -> Quote:
        """Creates a quote with a deposit and sends it the same day."""
        at = self.now - timedelta(days=days_ago)
        offer = quotes.QuoteDraft(
            customer=customer,
            currency=self.organization.currency,
            valid_until=self.day(self.now) + timedelta(days=21),
            lines=lines,
            notes="The price holds until the last day of this quote.",
            deposit_kind="percent",
            deposit_percent=Decimal(percent),
        )
        draft = quotes.create(self.organization, draft=offer, by=self.by, now=at)
        quote = quotes.send(draft, by=self.by, now=at)
        send_due(now=at)
        return quote

    def check(self, invoice: Invoice, amount_minor: int, reference: str, *, days_ago: int) -> Payment:
        """Records a check; what exceeds the amount due is kept as credit."""
        at = self.now - timedelta(days=days_ago)
        amount = Money(amount_minor, invoice.currency)
        offline = OfflinePayment("Check", self.day(at), reference, amount=amount, keep_rest_as_credit=True)
        return offline_payments.record(invoice, offline=offline, by=self.by, now=at)

    def pay(self, source: PaymentRequest | Invoice | Quote, *, by_debit: bool = False) -> Payment:
        """Pays at the gateway's checkout over HTTP, as the customer would: by card, or by a debit that takes days."""
        fresh = type(source).objects.get(pk=source.pk)
        payment = start_payment(fresh, expected_amount=fresh.amount_payable, payer_ip=None, now=self.now)
        gateway = GATEWAYS[DEMO_GATEWAY]
        debit = {"method": "bank_debit", "account": gateway.test_debit}
        form = debit if by_debit else {"number": gateway.test_card}
        httpx.post(f"{payment.checkout_url}/pay", data=form, trust_env=False)
        for _ in range(_MAX_REFRESHES):  # the callback is processed at the same time, and may be faster
            payment = refresh_payment(payment, now=self.now)
            if not payment.is_unsettled or payment.status == "processing":
                break
            time.sleep(0.1)
        return payment


def build(now: datetime) -> Organization:
    """Builds the demo organization; its gateway must be up."""
    profile = Profile(
        name="Fieldstone Roofing",
        email="billing@fieldstone.example",
        phone="+1 555 0142",
        address="18 Quarry Lane\nBurlington, VT 05401",
        time_zone="America/New_York",
        invoice_prefix="FR-",
    )
    organization = organizations.create(
        profile=profile, owner=PEOPLE[Role.OWNER], by=OPERATOR, now=now - timedelta(days=90), slug=SLUG
    )
    for role, person in PEOPLE.items():
        if role != Role.OWNER:
            members.add(organization, person=person, role=role, by=OPERATOR, now=now)
        user = User.objects.get(email=person.email)
        user.set_password(PASSWORD)
        user.save(update_fields=["password"])
    owner = organization.members.select_related("user").get(role=Role.OWNER)
    builder = DemoBuilder(organization, events.member_actor(owner), now)
    gateway_accounts.connect(
        organization, gateway=DEMO_GATEWAY, credentials={}, by=builder.by, now=now, enable_payments=True
    )
    for scenario in SCENARIOS:
        scenario(builder)
    return organization


def use_gateway(organization: Organization, gateway: str, now: datetime) -> None:
    """Makes this gateway the one of new payments, with the key of its test mode from the environment.

    The payments so far stay with the gateway that they were made at. Raises BillingError.
    """
    account = GatewayAccount.objects.current(organization).first()
    if account is not None and account.gateway == gateway:
        return
    fields = GATEWAYS[gateway].fields
    owner = organization.members.select_related("user").get(role=Role.OWNER)
    gateway_accounts.connect(
        organization,
        gateway=gateway,
        credentials={field.name: settings.PARTWAY_GATEWAY_TEST_KEYS[gateway] for field in fields},
        by=events.member_actor(owner),
        now=now,
        enable_payments=True,
    )


def payable_request(organization: Organization, now: datetime) -> PaymentRequest:
    """Returns a request that can be paid now: the latest open one, or a new one where all are paid."""
    latest = (
        PaymentRequest.objects.for_organization(organization)
        .filter(status="open")
        .order_by("-created_at")
        .first()
    )
    if latest is not None and not latest.has_expired(now):
        return latest
    owner = organization.members.select_related("user").get(role=Role.OWNER)
    builder = DemoBuilder(organization, events.member_actor(owner), now)
    customer = Customer.objects.for_organization(organization).order_by("sort_key", "id")[0]
    invoice = builder.sent(customer, line("Gutter cleaning, next season", "1", 48_000), days_ago=0)
    return builder.ask(invoice, 20_000, "A part of it now, the rest after the work.")


# The scenarios: each creates a customer with a document in one state.


def in_stages(builder: DemoBuilder) -> None:
    """An invoice paid in part, with an open request for the next stage."""
    dana = builder.customer(
        CustomerDetails("Dana Whitfield", "dana@whitfield.example", "+1 555 0177", "4 Orchard Hill")
    )
    lines = (
        line("Tear-off of the old roof, per square", "24", 9_500),
        line("Architectural shingles, installed, per square", "24", 31_250),
        line("Ridge vent, per foot", "42.5", 1_450),
    )
    invoice = builder.sent(dana, *lines, days_ago=12, notes="Thank you for choosing Fieldstone.")
    builder.pay(builder.ask(invoice, 350_000, "To order the material."))
    builder.ask(invoice, 400_000, "Stage two: the old roof is off, the deck is dry. Thank you!", days=30)


def all_paid(builder: DemoBuilder) -> None:
    """An invoice paid by Pay Now, which canceled an open request."""
    customer = builder.customer(
        CustomerDetails("Juniper Café", "accounts@juniper.example", "", "92 Main Street")
    )
    invoice = builder.sent(customer, line("Emergency repair after the storm", "1", 86_000), days_ago=20)
    builder.ask(invoice, 40_000)
    builder.pay(invoice)


def overdue(builder: DemoBuilder) -> None:
    """An overdue invoice whose request expired."""
    customer = builder.customer(CustomerDetails("Marcus Feld", "marcus@feld.example"))
    invoice = builder.sent(customer, line("Skylight, supplied and flashed", "2", 112_000), days_ago=47)
    request = builder.ask(invoice, 80_000, "To begin with.", days_ago=20, days=14)
    payment_requests.expire(request, now=builder.now)


def written_off(builder: DemoBuilder) -> None:
    """An invoice that was written off."""
    customer = builder.customer(CustomerDetails("Gable & Sons", "gable@sons.example"))
    invoice = builder.sent(customer, line("Gutter repair", "1", 42_000), days_ago=58)
    write_offs.write_off(invoice, by=builder.by, now=builder.now)


def canceled(builder: DemoBuilder) -> None:
    """An invoice that was changed after its request was canceled."""
    customer = builder.customer(
        CustomerDetails("Eastgate Property Group", "ap@eastgate.example", "+1 555 0119")
    )
    invoice = builder.sent(customer, line("Flat roof inspection, per building", "6", 38_500), days_ago=8)
    request = builder.ask(invoice, 100_000)
    payment_requests.cancel(request, by=builder.by, now=builder.now)
    builder.change(
        invoice,
        line("Flat roof inspection, per building", "7", 38_500),
        line("Report for the insurer", "1", 25_000),
    )


def by_check(builder: DemoBuilder) -> None:
    """A customer who paid too much by check, with an open invoice to which the credit can be applied."""
    customer = builder.customer(
        CustomerDetails("Oakwood Dental", "office@oakwood.example", "+1 555 0187", "60 Elm Street")
    )
    paid = builder.sent(customer, line("Gutters, new, per foot", "120", 1_800, Decimal(0)), days_ago=30)
    builder.check(paid, 240_000, "No. 2071", days_ago=11)
    builder.sent(customer, line("Heat cable along the eaves", "1", 88_000), days_ago=4)


def settled(builder: DemoBuilder) -> None:
    """An invoice of which the customer's bank kept a fee: the rest is settled."""
    customer = builder.customer(CustomerDetails("Lindgren Architects", "office@lindgren.example"))
    invoice = builder.sent(
        customer, line("Roof survey for the permit", "1", 120_000, Decimal(0)), days_ago=25
    )
    builder.check(invoice, 118_500, "No. 1204", days_ago=6)
    settlement = Settlement("fee", "Their bank kept $15.00 of it.")
    settlements.settle(invoice, settlement=settlement, by=builder.by, now=builder.now)


def given_back(builder: DemoBuilder) -> None:
    """An invoice that was paid twice; what was too much went back by check."""
    customer = builder.customer(CustomerDetails("Miguel Santos", "miguel@santos.example", "+1 555 0150"))
    invoice = builder.sent(
        customer, line("Flashing around the chimney", "1", 54_000, Decimal(0)), days_ago=22
    )
    payment = builder.check(invoice, 58_000, "No. 311", days_ago=9)
    refund = OutsideRefund(
        Money(4_000, invoice.currency),
        "Check",
        builder.day(builder.now),
        "No. 5107",
        "Paid too much.",
    )
    refunds.record(customer, refund=refund, payment=payment, by=builder.by, now=builder.now)


def debit_under_way(builder: DemoBuilder) -> None:
    """An invoice that its customer paid from a bank account; the bank takes two days."""
    customer = builder.customer(CustomerDetails("Harbor Yoga Studio", "front@harbor.example"))
    invoice = builder.sent(customer, line("Skylight, installed", "1", 78_000, Decimal(0)), days_ago=3)
    builder.pay(invoice, by_debit=True)


def draft(builder: DemoBuilder) -> None:
    """A draft."""
    customer = builder.customer(CustomerDetails("Priya Raman", "priya@raman.example"))
    builder.draft(
        customer, line("Chimney flashing", "1", 64_000), line("Scaffold, per day", "3", 15_000), days_ago=1
    )


def void(builder: DemoBuilder) -> None:
    """An invoice that was voided."""
    customer = builder.customer(CustomerDetails("Northside Church", "office@northside.example"))
    invoice = builder.sent(customer, line("Steeple survey", "1", 90_000), days_ago=15)
    invoices.void(invoice, by=builder.by, now=builder.now)


def other_currencies(builder: DemoBuilder) -> None:
    """Invoices in a currency without decimals and in one with three."""
    kenji = builder.customer(CustomerDetails("Kenji Watanabe", "kenji@watanabe.example"))
    builder.sent(
        kenji, line("Remote roof survey from drone pictures", "1", 185_000, Decimal(10)), currency="JPY"
    )
    layla = builder.customer(CustomerDetails("Layla Al-Sabah", "layla@alsabah.example"))
    invoice = builder.sent(layla, line("Consulting, per hour", "12.5", 42_500, Decimal(0)), currency="KWD")
    builder.pay(builder.ask(invoice, 200_000))


def quote_waiting(builder: DemoBuilder) -> None:
    """A sent quote with a deposit."""
    customer = builder.customer(
        CustomerDetails("Rosa Lindqvist", "rosa@lindqvist.example", "+1 555 0163", "7 Mill Road")
    )
    lines = (
        line("Standing seam metal roof, per square", "18", 78_000),
        line("Snow guards, per foot", "64", 1_150),
    )
    builder.quoted(customer, *lines, percent=30)


def quote_with_deposit_paid(builder: DemoBuilder) -> None:
    """An accepted quote whose deposit is paid."""
    customer = builder.customer(
        CustomerDetails("Harbor View Inn", "office@harborview.example", "+1 555 0128", "1 Pier Street")
    )
    quote = builder.quoted(customer, line("Cedar shake porch roof", "1", 640_000), percent=25, days_ago=6)
    evidence = quotes.AcceptanceEvidence("Joan Mercer", "203.0.113.24")
    accepted = quotes.accept(quote, evidence=evidence, by=events.customer_actor(customer), now=builder.now)
    builder.pay(accepted)


def quote_accepted_by_phone(builder: DemoBuilder) -> None:
    """A quote that its customer accepted by phone; the deposit is due."""
    customer = builder.customer(
        CustomerDetails("Tomás Herrera", "tomas@herrera.example", "+1 555 0191", "30 Orchard Lane")
    )
    quote = builder.quoted(customer, line("Skylight with flashing", "2", 145_000), percent=30, days_ago=4)
    spoken = SpokenDecision("Tomás Herrera", builder.day(builder.now), "Called before noon; start in May.")
    quote_decisions.record_acceptance(quote, decision=spoken, by=builder.by, now=builder.now)


def quote_withdrawn(builder: DemoBuilder) -> None:
    """A quote that was withdrawn before its customer decided."""
    customer = builder.customer(
        CustomerDetails("Vera Okafor", "vera@okafor.example", "+1 555 0137", "14 Canal Street")
    )
    quote = builder.quoted(customer, line("Slate roof, per square", "22", 165_000), percent=40, days_ago=10)
    quote_decisions.withdraw(quote, by=builder.by, now=builder.now)


SCENARIOS: tuple[Callable[[DemoBuilder], None], ...] = (
    overdue,
    written_off,
    all_paid,
    void,
    other_currencies,
    canceled,
    by_check,
    settled,
    given_back,
    debit_under_way,
    draft,
    quote_waiting,
    quote_with_deposit_paid,
    quote_accepted_by_phone,
    quote_withdrawn,
    in_stages,
)
