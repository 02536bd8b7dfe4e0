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

from ..bulk_insert import BulkTable, Row, write


@dataclass(slots=True)
class SeedTables:
    """The tables, in the order in which their rows refer to each other."""

    customers: BulkTable = field(default_factory=lambda: BulkTable(Customer, "cus"))
    invoices: BulkTable = field(default_factory=lambda: BulkTable(Invoice, "inv"))
    lines: BulkTable = field(default_factory=lambda: BulkTable(InvoiceLine, "lin"))
    requests: BulkTable = field(default_factory=lambda: BulkTable(PaymentRequest, "preq"))
    payments: BulkTable = field(default_factory=lambda: BulkTable(Payment, "pay"))
    calls: BulkTable = field(default_factory=lambda: BulkTable(GatewayCall, "gwc"))
    allocations: BulkTable = field(default_factory=lambda: BulkTable(Allocation, "all"))
    events: BulkTable = field(default_factory=lambda: BulkTable(Event, "evt"))
    mails: BulkTable = field(default_factory=lambda: BulkTable(Mail, "mail"))

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
    rng: Random
    tables: SeedTables = field(default_factory=SeedTables)
    customers: list[Row] = field(default_factory=list)
    numbered: int = 0

    def number(self) -> str:
        """The next invoice number."""
        self.numbered += 1
        return f"{self.organization.invoice_prefix}{self.numbered:04d}"

    def with_probability(self, probability: float) -> bool:
        """Chance decides."""
        return self.rng.random() < probability

    def record(
        self, event_type: str, at: datetime, by: Actor, data: dict[str, object], **about: str | None
    ) -> Row:
        """As `events.record` does, but into the books."""
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
        """As `outbox.queue` does, but the mail is one that went out long ago."""
        about = ("organization_id", "invoice_id", "payment_request_id", "payment_id", "created_at")
        at = event["created_at"]
        self.tables.mails.add(
            event_id=event["id"],
            kind=kind,
            to=to,
            reply_to=self.organization.email,
            data=data,
            status="sent",
            attempt=1,
            next_attempt_at=at,
            sent_at=at,
            **{column: event[column] for column in about},
        )
