"""Builds a large organization fast: three years of invoices as plain rows, with the facts billing would have left.

Each invoice's story is told forward in time and stops at the present, so the states come out as they do in life:
old invoices are mostly paid, young ones wait, a few customers never pay. Nothing is mailed and no gateway is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from partway.accounts.models import GatewayAccount, Organization, Role
from partway.billing import amounts, events, organizations, states
from partway.billing.events import OPERATOR, Actor
from partway.billing.members import Person
from partway.billing.models import (
    Allocation,
    Customer,
    Event,
    Invoice,
    InvoiceLine,
    Payment,
    PaymentRequest,
)
from partway.billing.organizations import Profile
from partway.lib.clock import today
from partway.lib.ids import new_id

from .rows import Row, Table, write

OWNER = "olivia@seed.example"

_PERIOD = timedelta(days=3 * 365)
_INVOICES_PER_CUSTOMER = 12
_BATCH = 2_000  # invoices a transaction
_TERM = timedelta(days=30)

_FIRST = "Ada Ben Carla Dmitri Elif Farid Grace Hugo Ines Jonas Kenji Layla Marta Nils Olga Pablo Quinn Rosa"
_LAST = (
    "Abbott Berg Castillo Dubois Eriksen Feld Garcia Hoffman Ito Jensen Kowalski Lindqvist Moreau Novak Okafor "
    "Petrov Quintero Reyes Sato Tanaka Ueda Vargas Whitfield Young Zamora"
)
_TRADES = (
    "Bakery Catering Clinic Dental Estates Foods Gallery Holdings Hotel Logistics Motors Partners School"
)
_WORK = (  # description, unit amount in minor units
    ("Roof inspection", 38_500),
    ("Gutter cleaning, per foot", 450),
    ("Shingles, installed, per square", 31_250),
    ("Skylight, supplied and flashed", 112_000),
    ("Emergency repair", 86_000),
    ("Ridge vent, per foot", 1_450),
    ("Scaffolding, per week", 64_000),
)
_CURRENCIES = ("EUR", "JPY", "KWD")
_TAXES = (Decimal(0), Decimal("8.25"), Decimal("8.25"), Decimal(19))


@dataclass(slots=True)
class Books:
    """The tables, in the order in which their rows refer to each other."""

    customers: Table = field(default_factory=lambda: Table(Customer, "cus"))
    invoices: Table = field(default_factory=lambda: Table(Invoice, "inv"))
    lines: Table = field(default_factory=lambda: Table(InvoiceLine, "lin"))
    requests: Table = field(default_factory=lambda: Table(PaymentRequest, "preq"))
    payments: Table = field(default_factory=lambda: Table(Payment, "pay"))
    allocations: Table = field(default_factory=lambda: Table(Allocation, "all"))
    events: Table = field(default_factory=lambda: Table(Event, "evt"))

    def write(self) -> None:
        """Write what waits, all or nothing."""
        tables = (self.customers, self.invoices, self.lines, self.requests, self.payments, self.allocations)
        write([*tables, self.events])


@dataclass(slots=True)
class Seed:
    """The organization while it is being built, seen from `now`; the same `chance` builds the same."""

    organization: Organization
    account: GatewayAccount
    member: Actor
    now: datetime
    chance: Random
    books: Books = field(default_factory=Books)
    customers: list[Row] = field(default_factory=list)
    numbered: int = 0

    def number(self) -> str:
        """The next invoice number."""
        self.numbered += 1
        return f"{self.organization.invoice_prefix}{self.numbered:04d}"

    def happens(self, probability: float) -> bool:
        """Chance decides."""
        return self.chance.random() < probability


def build(*, invoices: int, now: datetime, chance: Random) -> Organization:
    """A new organization with that many invoices; `partway verify` finds nothing wrong with it."""
    seed = _start(now, chance)
    for number in range(max(1, invoices // _INVOICES_PER_CUSTOMER)):
        _add_customer(seed, number)
    for number, at in enumerate(_moments(invoices, now), start=1):
        Story(seed, at).tell()
        if number % _BATCH == 0:
            seed.books.write()
    seed.books.write()
    seed.organization.next_invoice_number = seed.numbered + 1
    seed.organization.save(update_fields=["next_invoice_number"])
    return seed.organization


def _moments(count: int, now: datetime) -> Iterator[datetime]:
    """When each invoice is written: evenly over the period, the last one an hour ago."""
    first, span = now - _PERIOD, _PERIOD - timedelta(hours=1)
    return (first + span * position / max(1, count - 1) for position in range(count))


def _start(now: datetime, chance: Random) -> Seed:
    profile = Profile(
        name="Seedling Roofing",
        email="billing@seed.example",
        address="1 Long Acre\nBurlington, VT 05401",
        time_zone="America/New_York",
    )
    began = now - _PERIOD - timedelta(days=1)
    owner = Person(OWNER, "Olivia Stone")
    organization = organizations.create(profile=profile, owner=owner, by=OPERATOR, now=began)
    organizations.switch_payments(organization, on=True, by=OPERATOR, now=began)
    member = organization.members.select_related("user").get(role=Role.OWNER)
    return Seed(organization, _account(organization), events.member_actor(member), now, chance)


def _account(organization: Organization) -> GatewayAccount:
    """An account of which the pretend payment company knows nothing: these books are to be read."""
    never = datetime(9999, 1, 1, tzinfo=UTC)
    account = GatewayAccount(organization=organization, gateway="sandbox", list_at=never)
    account.credentials = {"api_key": "sk_sandbox_seed", "signing_secret": f"whsec_{'c2VlZHNl' * 4}"}
    account.save(force_insert=True)
    return account


def _add_customer(seed: Seed, number: int) -> None:
    at = seed.now - _PERIOD
    name = _person(seed.chance) if number % 3 == 0 else _business(seed.chance)
    customer = seed.books.customers.add(
        organization_id=seed.organization.pk,
        name=name,
        email=f"{name.split()[-1]}{number}@customer.example".lower(),
        created_at=at,
    )
    _record(seed, "customer.created", at, seed.member, {}, customer_id=customer["id"])
    seed.customers.append(customer)


def _person(chance: Random) -> str:
    initial = chance.choice("ABCDEFGHJKLMNPRSTVW")
    return f"{chance.choice(_FIRST.split())} {initial}. {chance.choice(_LAST.split())}"


def _business(chance: Random) -> str:
    first, second = chance.sample(_LAST.split(), 2)
    return f"{first} & {second} {chance.choice(_TRADES.split())}"


def _record(
    seed: Seed, event_type: str, at: datetime, by: Actor, data: dict[str, object], **about: str | None
) -> None:
    seed.books.events.add(
        organization_id=seed.organization.pk,
        type=event_type,
        actor_kind=by.kind,
        actor_id=by.id,
        actor_label=by.label,
        data=data,
        created_at=at,
        **about,
    )


@dataclass(slots=True)
class Story:
    """One invoice from the day it was written until now."""

    seed: Seed
    at: datetime
    owes: Row = field(init=False)
    invoice: Row = field(init=False)

    def tell(self) -> None:
        """All that happens to it; a step that would lie in the future ends the story."""
        self._write()
        if self.seed.happens(0.01) or not self._later(hours=2):
            return  # a draft, forgotten or fresh
        self._send()
        if self.seed.happens(0.02) and self._later(days=3):
            self._move(states.INVOICE, self.invoice, "void", self.seed.member, version=2)
        elif self.seed.happens(0.05):
            self._stay_unpaid()
        else:
            self._pay_in_stages(self.seed.chance.choice((1, 1, 1, 2, 3)))

    def _later(self, *, days: float = 0, hours: float = 0) -> bool:
        """Go on by up to that much; False when that is still to come."""
        then = self.at + timedelta(days=days, hours=hours) * self.seed.chance.random()
        if then > self.seed.now:
            return False
        self.at = then
        return True

    def _write(self) -> None:
        seed = self.seed
        self.owes = seed.chance.choice(seed.customers)
        self.invoice = seed.books.invoices.add(
            organization_id=seed.organization.pk,
            customer_id=self.owes["id"],
            currency=seed.chance.choice(_CURRENCIES) if seed.happens(0.03) else seed.organization.currency,
            due_on=today(self.at, seed.organization.time_zone) + _TERM,
            created_at=self.at,
        )
        self.invoice |= self._lines(seed.chance.choice((1, 1, 2, 3)))
        self._record("invoice.created", seed.member, self._figures())

    def _lines(self, count: int) -> dict[str, int]:
        """Lines of one tax rate; answers the invoice's figures."""
        chance, tax, lines = self.seed.chance, self.seed.chance.choice(_TAXES), []
        for position in range(count):
            description, unit = chance.choice(_WORK)
            quantity = Decimal(chance.randint(1, 24)) / 2
            amount = amounts.line_amount(quantity, unit)
            lines.append(amounts.LineAmount(amount, tax))
            self.seed.books.lines.add(
                invoice_id=self.invoice["id"],
                position=position,
                description=description,
                quantity=quantity,
                unit_amount_minor=unit,
                tax_percent=tax,
                amount_minor=amount,
            )
        sums = amounts.totals(lines, 0)
        figures = {"subtotal_minor": sums.subtotal_minor, "tax_minor": sums.tax_minor}
        return {**figures, "total_minor": sums.total_minor}

    def _figures(self) -> dict[str, object]:
        due_on = self.invoice["due_on"].isoformat()
        return {**self._pick("total_minor", "currency"), "due_on": due_on}

    def _pick(self, *columns: str) -> dict[str, object]:
        return {column: self.invoice[column] for column in columns}

    def _send(self) -> None:
        number = self.seed.number()
        data = {**self._figures(), "number": number, "email": self.owes["email"]}
        self._move(
            states.INVOICE, self.invoice, "sent", self.seed.member, data, number=number, sent_at=self.at
        )

    def _stay_unpaid(self) -> None:
        """Nothing comes; some of these are given up in the end."""
        if self.seed.happens(0.5) and self._later(days=40):
            request = self._ask(self.invoice["total_minor"])
            if self.seed.happens(0.4) and self._later(days=40):
                self._end(request, "canceled", self.seed.member, reason="by_member")
                if self._later(days=500):
                    self._move(states.INVOICE, self.invoice, "written_off", self.seed.member)

    def _pay_in_stages(self, stages: int) -> None:
        """Asked for in parts and paid, one after the other; a single stage is often paid by Pay Now."""
        by_request = stages > 1 or self.seed.happens(0.4)
        for amount_minor in amounts.spread(self.invoice["total_minor"], [1] * stages):
            if not self._later(days=20):
                return
            request = self._ask(amount_minor) if by_request else None
            if not self._later(days=15):
                return
            self._pay(amount_minor, request)
        self._move(states.INVOICE, self.invoice, "paid", events.gateway_actor("sandbox"), paid_at=self.at)

    def _ask(self, amount_minor: int) -> Row:
        request = self.seed.books.requests.add(
            organization_id=self.seed.organization.pk,
            invoice_id=self.invoice["id"],
            amount_requested_minor=amount_minor,
            currency=self.invoice["currency"],
            to=[self.owes["email"]],
            requested_by=self.seed.member.id,
            created_at=self.at,
        )
        data = {**self._amount(amount_minor), "to": request["to"]}
        self._record("payment_request.sent", self.seed.member, data, payment_request_id=request["id"])
        return request

    def _amount(self, amount_minor: int) -> dict[str, object]:
        return {"amount_minor": amount_minor, "currency": self.invoice["currency"]}

    def _end(self, request: Row, to: str, by: Actor, *, reason: str = "") -> None:
        data = {**self._amount(request["amount_requested_minor"]), "reason": reason}
        about = {"payment_request_id": request["id"]}
        columns = {"ended_at": self.at, "cancel_reason": reason}
        self._move(states.PAYMENT_REQUEST, request, to, by, data, about, **columns)

    def _pay(self, amount_minor: int, request: Row | None) -> None:
        """A card, or a bank debit, from its start to the books."""
        method = "card" if self.seed.happens(0.5) else "bank_debit"
        payment, data = self._payment(amount_minor, request, method), self._amount(amount_minor)
        about = {"payment_id": payment["id"], "payment_request_id": payment["payment_request_id"]}
        by = events.gateway_actor("sandbox")
        self._record("payment.started", Actor("customer", self.owes["id"], self.owes["name"]), data, **about)
        for state in ("authorized", "capturing") if method == "card" else ("processing",):
            self._move(states.PAYMENT, payment, state, by, data, about)
        self.invoice["amount_paid_minor"] += amount_minor
        booked = {"captured_minor": amount_minor, "captured_currency": self.invoice["currency"]}
        self._move(states.PAYMENT, payment, "succeeded", by, {**data, **booked}, about)
        if request is not None:
            self._end(request, "paid", by)

    def _payment(self, amount_minor: int, request: Row | None, method: str) -> Row:
        """The payment as it is in the end, but for its state, and where its money stands."""
        shared = {
            "organization_id": self.seed.organization.pk,
            "invoice_id": self.invoice["id"],
            "created_at": self.at,
            **self._amount(amount_minor),
        }
        payment = self.seed.books.payments.add(
            **shared,
            payment_request_id=request["id"] if request else None,
            gateway_account_id=self.seed.account.pk,
            accepted=True if method == "bank_debit" else None,
            captured_minor=amount_minor,
            captured_currency=self.invoice["currency"],
            allocated_minor=amount_minor,
            method=method,
            checkout_ref=new_id("co"),
            settled_at=self.at,
            check_at=self.at,
        )
        self.seed.books.allocations.add(**shared, payment_id=payment["id"])
        return payment

    def _move(
        self,
        moves: states.Transitions,
        row: Row,
        to: str,
        by: Actor,
        data: dict[str, object] | None = None,
        about: dict[str, str | None] | None = None,
        **columns: object,
    ) -> None:
        """As `states.move` does, by the same table, but into the books."""
        source = row["status"]
        row |= {"status": to, **columns}
        self._record(moves[source, to], by, {**(data or {}), "from": source, "to": to}, **(about or {}))

    def _record(self, event_type: str, by: Actor, data: dict[str, object], **about: str | None) -> None:
        if not about:
            about = {"customer_id": self.owes["id"]}
        _record(self.seed, event_type, self.at, by, data, invoice_id=self.invoice["id"], **about)
