"""A believable small roofing business: customers, quotes, invoices in every state, all made by billing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

import httpx

from partway.accounts.models import Organization, Role, User
from partway.billing import events
from partway.billing.documents import invoices, quotes
from partway.billing.documents.invoices import InvoiceDraft, Line
from partway.billing.events import OPERATOR, Actor
from partway.billing.models import Customer, Invoice, Payment, PaymentRequest, Quote
from partway.billing.payments.refresh import refresh_payment
from partway.billing.payments.start import start_payment
from partway.billing.people import customers, members, organizations
from partway.billing.people.customers import CustomerDetails
from partway.billing.people.members import NewUser
from partway.billing.people.organizations import Profile
from partway.billing.receivables import offline_payments
from partway.billing.receivables.offline_payments import OfflinePayment
from partway.billing.requests import payment_requests
from partway.billing.requests.payment_requests import NewPaymentRequest
from partway.lib.clock import end_of_day, today
from partway.lib.money import Money

from .demo import DEMO_USERS, PASSWORD, SLUG

PEOPLE = {Role(role): NewUser(*person) for role, person in DEMO_USERS.items()}
_TEST_CARD = "4242424242424242"
_PATIENCE = 100
_TAX = Decimal("8.25")


def line(description: str, quantity: str, unit_amount_minor: int, tax_percent: Decimal = _TAX) -> Line:
    """One invoice line; the unit amount in minor units."""
    return Line(description, Decimal(quantity), unit_amount_minor, tax_percent)


@dataclass(frozen=True, slots=True)
class DemoBuilder:
    """The demo organization while it is being built, seen from `now`."""

    organization: Organization
    by: Actor
    now: datetime

    def customer(self, details: CustomerDetails) -> Customer:
        """Somebody who has been a customer for a while."""
        return customers.create(
            self.organization, details=details, by=self.by, now=self.now - timedelta(days=60)
        )

    def draft(
        self, customer: Customer, *lines: Line, days_ago: int = 5, currency: str = "", notes: str = ""
    ) -> Invoice:
        """A draft written `days_ago`, due thirty days after."""
        at = self.now - timedelta(days=days_ago)
        draft = InvoiceDraft(
            customer=customer,
            currency=currency or self.organization.currency,
            due_on=self._day(at) + timedelta(days=30),
            lines=lines,
            notes=notes,
        )
        return invoices.create(self.organization, draft=draft, by=self.by, now=at)

    def _day(self, at: datetime) -> date:
        return today(at, self.organization.time_zone)

    def sent(
        self, customer: Customer, *lines: Line, days_ago: int = 5, currency: str = "", notes: str = ""
    ) -> Invoice:
        """An invoice sent on the day it was written."""
        draft = self.draft(customer, *lines, days_ago=days_ago, currency=currency, notes=notes)
        return invoices.send(draft, by=self.by, now=draft.created_at)

    def ask(
        self,
        invoice: Invoice,
        amount_minor: int,
        note: str = "",
        *,
        days_ago: int = 0,
        days: int | None = None,
    ) -> PaymentRequest:
        """An open request for a part, asked `days_ago`; its link works for so many `days`, else until it is paid."""
        at = self.now - timedelta(days=days_ago)
        ends = self._day(at) + timedelta(days=days) if days else None
        ask = NewPaymentRequest(
            amount=Money(amount_minor, invoice.currency),
            to=(invoice.customer.email,),
            note=note,
            reply_to=PEOPLE[Role.COLLECTOR].email,
            expires_at=end_of_day(ends, self.organization.time_zone) if ends else None,
        )
        return payment_requests.create(invoice, new_request=ask, by=self.by, now=at)

    def change(self, invoice: Invoice, *lines: Line) -> Invoice:
        """The same invoice with other lines, changed now."""
        draft = InvoiceDraft(invoice.customer, invoice.currency, invoice.due_on, lines, notes=invoice.notes)
        return invoices.edit(invoice, draft=draft, version=invoice.version, by=self.by, now=self.now)

    def quoted(self, customer: Customer, *lines: Line, percent: int, days_ago: int = 3) -> Quote:
        """A quote with a deposit, sent on the day it was written."""
        at = self.now - timedelta(days=days_ago)
        offer = quotes.QuoteDraft(
            customer=customer,
            currency=self.organization.currency,
            valid_until=self._day(self.now) + timedelta(days=21),
            lines=lines,
            notes="The price holds until the last day of this quote.",
            deposit_kind="percent",
            deposit_percent=Decimal(percent),
        )
        draft = quotes.create(self.organization, draft=offer, by=self.by, now=at)
        return quotes.send(draft, by=self.by, now=at)

    def check(self, invoice: Invoice, amount_minor: int, reference: str, *, days_ago: int) -> Payment:
        """A check that came in the mail; what is too much of it is kept as credit."""
        at = self.now - timedelta(days=days_ago)
        amount = Money(amount_minor, invoice.currency)
        offline = OfflinePayment(amount, "Check", self._day(at), reference, keep_rest_as_credit=True)
        return offline_payments.record(invoice, offline=offline, by=self.by, now=at)

    def pay(self, source: PaymentRequest | Invoice | Quote) -> Payment:
        """The customer pays at the sandbox, over real HTTP."""
        payment = start_payment(source, shown=_shown(source), payer_ip=None, now=self.now)
        httpx.post(f"{payment.checkout_url}/pay", data={"number": _TEST_CARD}, trust_env=False)
        for _ in range(_PATIENCE):  # the callback is being worked off at the same time, and may be faster
            payment = refresh_payment(payment, now=self.now)
            if not payment.is_unsettled:
                break
            time.sleep(0.1)
        return payment


def _shown(source: PaymentRequest | Invoice | Quote) -> Money:
    """What the page behind a link asks for."""
    if isinstance(source, PaymentRequest):
        return source.amount_requested
    return source.deposit if isinstance(source, Quote) else Invoice.objects.get(pk=source.pk).amount_due


def build(now: datetime) -> Organization:
    """The whole demo organization; the sandbox must be up."""
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
    _add_members(organization, now)
    owner = organization.members.select_related("user").get(role=Role.OWNER)
    builder = DemoBuilder(organization, events.member_actor(owner), now)
    organizations.connect_sandbox(organization, by=builder.by, now=now)
    organizations.set_payments_enabled(organization, on=True, by=builder.by, now=now)
    for story in SCENARIOS:
        story(builder)
    return organization


def _add_members(organization: Organization, now: datetime) -> None:
    for role, person in PEOPLE.items():
        if role != Role.OWNER:
            members.add(organization, person=person, role=role, by=OPERATOR, now=now)
        user = User.objects.get(email=person.email)
        user.set_password(PASSWORD)
        user.save(update_fields=["password"])


def payable_request(organization: Organization, now: datetime) -> PaymentRequest:
    """A request that can be paid right now: the open one, or a new one where all were paid."""
    standing = (
        PaymentRequest.objects.for_organization(organization)
        .filter(status="open")
        .order_by("-created_at")
        .first()
    )
    if standing is not None and not standing.has_expired(now):
        return standing
    owner = organization.members.select_related("user").get(role=Role.OWNER)
    builder = DemoBuilder(organization, events.member_actor(owner), now)
    customer = Customer.objects.for_organization(organization).order_by("name")[0]
    invoice = builder.sent(customer, line("Gutter cleaning, next season", "1", 48_000), days_ago=0)
    return builder.ask(invoice, 20_000, "A part of it now, the rest after the work.")


# The stories, each a customer with an invoice in one state


def _in_stages(builder: DemoBuilder) -> None:
    """Paid in part, and the next stage asked for: the state Partway exists for."""
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


def _all_paid(builder: DemoBuilder) -> None:
    """Collected in one go with Pay Now, which overtook an open request."""
    customer = builder.customer(
        CustomerDetails("Juniper Café", "accounts@juniper.example", "", "92 Main Street")
    )
    invoice = builder.sent(customer, line("Emergency repair after the storm", "1", 86_000), days_ago=20)
    builder.ask(invoice, 40_000)
    builder.pay(invoice)


def _overdue(builder: DemoBuilder) -> None:
    """Sent long ago, asked for in part, and nothing came before the link expired."""
    customer = builder.customer(CustomerDetails("Marcus Feld", "marcus@feld.example"))
    invoice = builder.sent(customer, line("Skylight, supplied and flashed", "2", 112_000), days_ago=47)
    request = builder.ask(invoice, 80_000, "To begin with.", days_ago=20, days=14)
    payment_requests.expire(request, now=builder.now)


def _written_off(builder: DemoBuilder) -> None:
    """Nobody expects this money any more."""
    customer = builder.customer(CustomerDetails("Gable & Sons", "gable@sons.example"))
    invoice = builder.sent(customer, line("Gutter repair", "1", 42_000), days_ago=58)
    invoices.write_off(invoice, by=builder.by, now=builder.now)


def _canceled(builder: DemoBuilder) -> None:
    """A request was sent and canceled again, then the invoice grew; it waits for the next request."""
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


def _by_check(builder: DemoBuilder) -> None:
    """Pays by check, and once too much: the rest is credit, and can be put on the invoice that is open."""
    customer = builder.customer(
        CustomerDetails("Oakwood Dental", "office@oakwood.example", "+1 555 0187", "60 Elm Street")
    )
    paid = builder.sent(customer, line("Gutters, new, per foot", "120", 1_800, Decimal(0)), days_ago=30)
    builder.check(paid, 240_000, "No. 2071", days_ago=11)
    builder.sent(customer, line("Heat cable along the eaves", "1", 88_000), days_ago=4)


def _draft(builder: DemoBuilder) -> None:
    """Not sent yet."""
    customer = builder.customer(CustomerDetails("Priya Raman", "priya@raman.example"))
    builder.draft(
        customer, line("Chimney flashing", "1", 64_000), line("Scaffold, per day", "3", 15_000), days_ago=1
    )


def _void(builder: DemoBuilder) -> None:
    """Sent by mistake, and voided."""
    customer = builder.customer(CustomerDetails("Northside Church", "office@northside.example"))
    invoice = builder.sent(customer, line("Steeple survey", "1", 90_000), days_ago=15)
    invoices.void(invoice, by=builder.by, now=builder.now)


def _other_currencies(builder: DemoBuilder) -> None:
    """Currencies with no decimals and with three."""
    kenji = builder.customer(CustomerDetails("Kenji Watanabe", "kenji@watanabe.example"))
    builder.sent(
        kenji, line("Remote roof survey from drone pictures", "1", 185_000, Decimal(10)), currency="JPY"
    )
    layla = builder.customer(CustomerDetails("Layla Al-Sabah", "layla@alsabah.example"))
    invoice = builder.sent(layla, line("Consulting, per hour", "12.5", 42_500, Decimal(0)), currency="KWD")
    builder.pay(builder.ask(invoice, 200_000))


def _quote_waiting(builder: DemoBuilder) -> None:
    """Offered with a deposit, and not request_finished yet."""
    customer = builder.customer(
        CustomerDetails("Rosa Lindqvist", "rosa@lindqvist.example", "+1 555 0163", "7 Mill Road")
    )
    lines = (
        line("Standing seam metal roof, per square", "18", 78_000),
        line("Snow guards, per foot", "64", 1_150),
    )
    builder.quoted(customer, *lines, percent=30)


def _quote_with_deposit_paid(builder: DemoBuilder) -> None:
    """Accepted, the deposit paid: the invoice can be made."""
    customer = builder.customer(
        CustomerDetails("Harbor View Inn", "office@harborview.example", "+1 555 0128", "1 Pier Street")
    )
    quote = builder.quoted(customer, line("Cedar shake porch roof", "1", 640_000), percent=25, days_ago=6)
    evidence = quotes.AcceptanceEvidence("Joan Mercer", "203.0.113.24")
    accepted = quotes.accept(quote, evidence=evidence, by=events.customer_actor(customer), now=builder.now)
    builder.pay(accepted)


SCENARIOS: tuple[Callable[[DemoBuilder], None], ...] = (
    _overdue,
    _written_off,
    _all_paid,
    _void,
    _other_currencies,
    _canceled,
    _by_check,
    _draft,
    _quote_waiting,
    _quote_with_deposit_paid,
    _in_stages,
)
