"""The state of a seed: rows that wait to be written, the time, and the source of random numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from partway.accounts.models import GatewayAccount, Organization
from partway.billing.events import Actor
from partway.billing.models import (
    Allocation,
    Customer,
    Event,
    GatewayCall,
    Invoice,
    InvoiceLine,
    Mail,
    Party,
    Payment,
    PaymentRequest,
)

from .bulk_insert import BulkTable, Row, write


@dataclass(slots=True)
class SeedTables:
    """The tables, in the order in which their rows refer to each other."""

    customers: BulkTable = field(default_factory=lambda: BulkTable(Customer, "cus"))
    parties: BulkTable = field(default_factory=lambda: BulkTable(Party, "pty"))
    invoices: BulkTable = field(default_factory=lambda: BulkTable(Invoice, "inv"))
    lines: BulkTable = field(default_factory=lambda: BulkTable(InvoiceLine, "lin"))
    requests: BulkTable = field(default_factory=lambda: BulkTable(PaymentRequest, "preq"))
    payments: BulkTable = field(default_factory=lambda: BulkTable(Payment, "pay"))
    calls: BulkTable = field(default_factory=lambda: BulkTable(GatewayCall, "gwc"))
    allocations: BulkTable = field(default_factory=lambda: BulkTable(Allocation, "all"))
    events: BulkTable = field(default_factory=lambda: BulkTable(Event, "evt"))
    mails: BulkTable = field(default_factory=lambda: BulkTable(Mail, "mail"))

    def write(self) -> None:
        """Writes the waiting rows in one transaction."""
        money = (self.requests, self.payments, self.calls, self.allocations)
        write([self.customers, self.parties, self.invoices, self.lines, *money, self.events, self.mails])


@dataclass(slots=True)
class Seed:
    """An organization that is being built up to `now`; the same state of `rng` builds the same."""

    organization: Organization
    account: GatewayAccount
    member: Actor
    now: datetime
    rng: Random
    tables: SeedTables = field(default_factory=SeedTables)
    customers: list[Row] = field(default_factory=list)
    numbered: int = 0
    seller: str = field(init=False)  # the id of the party
    recipients: dict[str, str] = field(default_factory=dict)  # by the id of the customer

    def __post_init__(self) -> None:
        self.seller = self._add_party(Party.of_seller(self.organization))

    def _add_party(self, party: Party) -> str:
        columns = {field.attname: getattr(party, field.attname) for field in party._meta.concrete_fields}
        self.tables.parties.add(**columns)
        return party.id

    def add_customer(self, name: str, email: str, at: datetime) -> None:
        """Adds a customer with the party that their documents show."""
        row = self.tables.customers.add(
            organization_id=self.organization.pk, name=name, email=email, created_at=at
        )
        self.record("customer.created", at, self.member, {}, customer_id=row["id"])
        self.customers.append(row)
        self.recipients[row["id"]] = self._add_party(Party.of_customer(Customer(**row)))

    def number(self) -> str:
        """Returns the next invoice number."""
        self.numbered += 1
        return f"{self.organization.invoice_prefix}{self.numbered:04d}"

    def with_probability(self, probability: float) -> bool:
        """Returns True with this probability, from 0 to 1."""
        return self.rng.random() < probability

    def record(
        self, event_type: str, at: datetime, by: Actor, data: dict[str, object], **about: str | None
    ) -> Row:
        """Adds an event with the columns that `events.record` would write; `about` names the rows it refers to."""
        return self.tables.events.add(
            organization_id=self.organization.pk,
            type=event_type,
            actor_kind=by.kind,
            actor_id=by.id,
            actor_label=by.label,
            data=data,
            created_at=at,
            **about,
        )

    def mail(self, kind: str, event: Row, to: list[str], data: dict[str, object]) -> None:
        """Adds a mail that was sent at the time of its event."""
        about = ("organization_id", "invoice_id", "payment_request_id", "payment_id", "created_at")
        at = event["created_at"]
        self.tables.mails.add(
            event_id=event["id"],
            kind=kind,
            to=to,
            reply_to=self.organization.email,
            data=data,
            status="sent",
            attempt_count=1,
            next_attempt_at=at,
            sent_at=at,
            **{column: event[column] for column in about},
        )
