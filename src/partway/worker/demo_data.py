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
from partway.billing.documents.invoices import Draft, Line
from partway.billing.events import OPERATOR, Actor
from partway.billing.models import Customer, Invoice, Payment, PaymentRequest, Quote
from partway.billing.payments.refresh import refresh_payment
from partway.billing.payments.start import start_payment
from partway.billing.people import customers, members, organizations
from partway.billing.people.customers import Details
from partway.billing.people.members import Person
from partway.billing.people.organizations import Profile
from partway.billing.receivables import offline_payments
from partway.billing.receivables.offline_payments import OfflinePayment
from partway.billing.requests import payment_requests
from partway.billing.requests.payment_requests import Ask
from partway.lib.clock import end_of_day, today
from partway.lib.money import Money

from .demo import PASSWORD, SIGN_INS, SLUG

PEOPLE = {Role(role): Person(*person) for role, person in SIGN_INS.items()}
_TEST_CARD = "4242424242424242"
_PATIENCE = 100
_TAX = Decimal("8.25")


def line(description: str, quantity: str, unit_amount_minor: int, tax_percent: Decimal = _TAX) -> Line:
    """One invoice line; the unit amount in minor units."""
    return Line(description, Decimal(quantity), unit_amount_minor, tax_percent)


@dataclass(frozen=True, slots=True)
class Scene:
    """The demo organization while it is being built, seen from `now`."""

    organization: Organization
    by: Actor
    now: datetime

    def customer(self, details: Details) -> Customer:
        """Somebody who has been a customer for a while."""
        return customers.create(
            self.organization, details=details, by=self.by, now=self.now - timedelta(days=60)
        )

    def draft(
        self, owes: Customer, *lines: Line, days_ago: int = 5, currency: str = "", notes: str = ""
    ) -> Invoice:
        """A draft written `days_ago`, due thirty days after."""
        at = self.now - timedelta(days=days_ago)
        draft = Draft(
            customer=owes,
            currency=currency or self.organization.currency,
            due_on=self._day(at) + timedelta(days=30),
            lines=lines,
            notes=notes,
        )
        return invoices.create(self.organization, draft=draft, by=self.by, now=at)

    def _day(self, at: datetime) -> date:
        return today(at, self.organization.time_zone)

    def sent(
        self, owes: Customer, *lines: Line, days_ago: int = 5, currency: str = "", notes: str = ""
    ) -> Invoice:
        """An invoice sent on the day it was written."""
        draft = self.draft(owes, *lines, days_ago=days_ago, currency=currency, notes=notes)
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
        ask = Ask(
            amount=Money(amount_minor, invoice.currency),
            to=(invoice.customer.email,),
            note=note,
            reply_to=PEOPLE[Role.COLLECTOR].email,
            expires_at=end_of_day(ends, self.organization.time_zone) if ends else None,
        )
        return payment_requests.create(invoice, ask=ask, by=self.by, now=at)

    def change(self, invoice: Invoice, *lines: Line) -> Invoice:
        """The same invoice with other lines, changed now."""
        draft = Draft(invoice.customer, invoice.currency, invoice.due_on, lines, notes=invoice.notes)
        return invoices.edit(invoice, draft=draft, version=invoice.version, by=self.by, now=self.now)

    def quoted(self, owes: Customer, *lines: Line, percent: int, days_ago: int = 3) -> Quote:
        """A quote with a deposit, sent on the day it was written."""
        at = self.now - timedelta(days=days_ago)
        offer = quotes.Offer(
            customer=owes,
            currency=self.organization.currency,
            valid_until=self._day(self.now) + timedelta(days=21),
            lines=lines,
            notes="The price holds until the last day of this quote.",
            deposit_kind="percent",
            deposit_percent=Decimal(percent),
        )
        draft = quotes.create(self.organization, offer=offer, by=self.by, now=at)
        return quotes.send(draft, by=self.by, now=at)

    def check(self, invoice: Invoice, amount_minor: int, reference: str, *, days_ago: int) -> Payment:
        """A check that came in the mail; what is too much of it is kept as credit."""
        at = self.now - timedelta(days=days_ago)
        amount = Money(amount_minor, invoice.currency)
        offline = OfflinePayment(amount, "Check", self._day(at), reference, keep_rest_as_credit=True)
        return offline_payments.record(invoice, offline=offline, by=self.by, now=at)

    def pay(self, source: PaymentRequest | Invoice | Quote) -> Payment:
        """The customer pays at the sandbox, over real HTTP."""
        payment = start_payment(source, shown=_shown(source), payer_address=None, now=self.now)
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
    _let_in(organization, now)
    owner = organization.members.select_related("user").get(role=Role.OWNER)
    scene = Scene(organization, events.member_actor(owner), now)
    organizations.connect_sandbox(organization, by=scene.by, now=now)
    organizations.switch_payments(organization, on=True, by=scene.by, now=now)
    for story in STORIES:
        story(scene)
    return organization


def _let_in(organization: Organization, now: datetime) -> None:
    for role, person in PEOPLE.items():
        if role != Role.OWNER:
            members.add(organization, person=person, role=role, by=OPERATOR, now=now)
        user = User.objects.get(email=person.email)
        user.set_password(PASSWORD)
        user.save(update_fields=["password"])


def payable_request(organization: Organization, now: datetime) -> PaymentRequest:
    """A request that can be paid right now: the open one, or a new one where all were paid."""
    standing = PaymentRequest.objects.of(organization).filter(status="open").order_by("-created_at").first()
    if standing is not None and not standing.time_is_over(now):
        return standing
    owner = organization.members.select_related("user").get(role=Role.OWNER)
    scene = Scene(organization, events.member_actor(owner), now)
    owes = Customer.objects.of(organization).order_by("name")[0]
    invoice = scene.sent(owes, line("Gutter cleaning, next season", "1", 48_000), days_ago=0)
    return scene.ask(invoice, 20_000, "A part of it now, the rest after the work.")


# The stories, each a customer with an invoice in one state


def _in_stages(scene: Scene) -> None:
    """Paid in part, and the next stage asked for: the state Partway exists for."""
    dana = scene.customer(
        Details("Dana Whitfield", "dana@whitfield.example", "+1 555 0177", "4 Orchard Hill")
    )
    lines = (
        line("Tear-off of the old roof, per square", "24", 9_500),
        line("Architectural shingles, installed, per square", "24", 31_250),
        line("Ridge vent, per foot", "42.5", 1_450),
    )
    invoice = scene.sent(dana, *lines, days_ago=12, notes="Thank you for choosing Fieldstone.")
    scene.pay(scene.ask(invoice, 350_000, "To order the material."))
    scene.ask(invoice, 400_000, "Stage two: the old roof is off, the deck is dry. Thank you!", days=30)


def _all_paid(scene: Scene) -> None:
    """Collected in one go with Pay Now, which overtook an open request."""
    owes = scene.customer(Details("Juniper Café", "accounts@juniper.example", "", "92 Main Street"))
    invoice = scene.sent(owes, line("Emergency repair after the storm", "1", 86_000), days_ago=20)
    scene.ask(invoice, 40_000)
    scene.pay(invoice)


def _overdue(scene: Scene) -> None:
    """Sent long ago, asked for in part, and nothing came before the link expired."""
    owes = scene.customer(Details("Marcus Feld", "marcus@feld.example"))
    invoice = scene.sent(owes, line("Skylight, supplied and flashed", "2", 112_000), days_ago=47)
    request = scene.ask(invoice, 80_000, "To begin with.", days_ago=20, days=14)
    payment_requests.expire(request, now=scene.now)


def _written_off(scene: Scene) -> None:
    """Nobody expects this money any more."""
    owes = scene.customer(Details("Gable & Sons", "gable@sons.example"))
    invoice = scene.sent(owes, line("Gutter repair", "1", 42_000), days_ago=58)
    invoices.write_off(invoice, by=scene.by, now=scene.now)


def _canceled(scene: Scene) -> None:
    """A request was sent and canceled again, then the invoice grew; it waits for the next request."""
    owes = scene.customer(Details("Eastgate Property Group", "ap@eastgate.example", "+1 555 0119"))
    invoice = scene.sent(owes, line("Flat roof inspection, per building", "6", 38_500), days_ago=8)
    request = scene.ask(invoice, 100_000)
    payment_requests.cancel(request, by=scene.by, now=scene.now)
    scene.change(
        invoice,
        line("Flat roof inspection, per building", "7", 38_500),
        line("Report for the insurer", "1", 25_000),
    )


def _by_check(scene: Scene) -> None:
    """Pays by check, and once too much: the rest is credit, and can be put on the invoice that is open."""
    owes = scene.customer(Details("Oakwood Dental", "office@oakwood.example", "+1 555 0187", "60 Elm Street"))
    paid = scene.sent(owes, line("Gutters, new, per foot", "120", 1_800, Decimal(0)), days_ago=30)
    scene.check(paid, 240_000, "No. 2071", days_ago=11)
    scene.sent(owes, line("Heat cable along the eaves", "1", 88_000), days_ago=4)


def _draft(scene: Scene) -> None:
    """Not sent yet."""
    owes = scene.customer(Details("Priya Raman", "priya@raman.example"))
    scene.draft(
        owes, line("Chimney flashing", "1", 64_000), line("Scaffold, per day", "3", 15_000), days_ago=1
    )


def _void(scene: Scene) -> None:
    """Sent by mistake, and voided."""
    owes = scene.customer(Details("Northside Church", "office@northside.example"))
    invoice = scene.sent(owes, line("Steeple survey", "1", 90_000), days_ago=15)
    invoices.void(invoice, by=scene.by, now=scene.now)


def _other_currencies(scene: Scene) -> None:
    """Currencies with no decimals and with three."""
    kenji = scene.customer(Details("Kenji Watanabe", "kenji@watanabe.example"))
    scene.sent(
        kenji, line("Remote roof survey from drone pictures", "1", 185_000, Decimal(10)), currency="JPY"
    )
    layla = scene.customer(Details("Layla Al-Sabah", "layla@alsabah.example"))
    invoice = scene.sent(layla, line("Consulting, per hour", "12.5", 42_500, Decimal(0)), currency="KWD")
    scene.pay(scene.ask(invoice, 200_000))


def _quote_waiting(scene: Scene) -> None:
    """Offered with a deposit, and not answered yet."""
    owes = scene.customer(Details("Rosa Lindqvist", "rosa@lindqvist.example", "+1 555 0163", "7 Mill Road"))
    lines = (
        line("Standing seam metal roof, per square", "18", 78_000),
        line("Snow guards, per foot", "64", 1_150),
    )
    scene.quoted(owes, *lines, percent=30)


def _quote_with_deposit_paid(scene: Scene) -> None:
    """Accepted, the deposit paid: the invoice can be made."""
    owes = scene.customer(
        Details("Harbor View Inn", "office@harborview.example", "+1 555 0128", "1 Pier Street")
    )
    quote = scene.quoted(owes, line("Cedar shake porch roof", "1", 640_000), percent=25, days_ago=6)
    evidence = quotes.Evidence("Joan Mercer", "203.0.113.24")
    accepted = quotes.accept(quote, evidence=evidence, by=events.customer_actor(owes), now=scene.now)
    scene.pay(accepted)


STORIES: tuple[Callable[[Scene], None], ...] = (
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
