"""The organization while it is being built: its tables in waiting, its clock and its chance."""

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
    Payment,
    PaymentRequest,
)

from ..bulk_insert import Row, Table, write


@dataclass(slots=True)
class Books:
    """The tables, in the order in which their rows refer to each other."""

    customers: Table = field(default_factory=lambda: Table(Customer, "cus"))
    invoices: Table = field(default_factory=lambda: Table(Invoice, "inv"))
    lines: Table = field(default_factory=lambda: Table(InvoiceLine, "lin"))
    requests: Table = field(default_factory=lambda: Table(PaymentRequest, "preq"))
    payments: Table = field(default_factory=lambda: Table(Payment, "pay"))
    calls: Table = field(default_factory=lambda: Table(GatewayCall, "gwc"))
    allocations: Table = field(default_factory=lambda: Table(Allocation, "all"))
    events: Table = field(default_factory=lambda: Table(Event, "evt"))
    mails: Table = field(default_factory=lambda: Table(Mail, "mail"))

    def write(self) -> None:
        """Write what waits, all or nothing."""
        money = (self.requests, self.payments, self.calls, self.allocations)
        write([self.customers, self.invoices, self.lines, *money, self.events, self.mails])


@dataclass(slots=True)
class Seed:
    """The organization, seen from `now`; the same `chance` builds the same."""

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

    def record(
        self, event_type: str, at: datetime, by: Actor, data: dict[str, object], **about: str | None
    ) -> Row:
        """As `events.record` does, but into the books."""
        return self.books.events.add(
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
        """As `outbox.queue` does, but the mail is one that went out long ago."""
        about = ("organization_id", "invoice_id", "payment_request_id", "payment_id", "created_at")
        at = event["created_at"]
        self.books.mails.add(
            event_id=event["id"],
            kind=kind,
            to=to,
            reply_to=self.organization.email,
            data=data,
            status="sent",
            attempt=1,
            try_at=at,
            sent_at=at,
            **{column: event[column] for column in about},
        )
