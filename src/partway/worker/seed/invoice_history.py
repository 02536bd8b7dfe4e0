"""The history of one seeded invoice: the rows and events that billing would have recorded."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from partway.billing import events, states
from partway.billing.documents import amounts
from partway.billing.events import Actor
from partway.gateways.registry import DEMO_GATEWAY
from partway.lib.clock import today
from partway.lib.ids import new_id
from partway.lib.natural_sort import sort_key

from .bulk_insert import Row
from .tables import Seed

_TERM = timedelta(days=30)
_STAGES = (1, 1, 2, 3, 4)  # the number of parts in which an invoice is paid

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
class InvoiceHistory:
    """One invoice from its creation at `at`, which moves forward, until now."""

    seed: Seed
    at: datetime
    customer: Row = field(init=False)
    invoice: Row = field(init=False)

    def generate(self) -> None:
        """Generates the whole history; a step that would be in the future ends it."""
        self._write()
        if self.seed.with_probability(0.01) or not self._advance(hours=2):
            return  # a draft, forgotten or fresh
        self._send()
        if self.seed.with_probability(0.02) and self._advance(days=3):
            self._move(states.INVOICE, self.invoice, "void", self.seed.member, version=3)
        elif self.seed.with_probability(0.05):
            self._stay_unpaid()
        else:
            self._pay_in_stages(self.seed.rng.choice(_STAGES))

    def _advance(self, *, days: float = 0, hours: float = 0) -> bool:
        """Moves the time forward by a random part of this span; returns False when that would be in the future."""
        then = self.at + timedelta(days=days, hours=hours) * self.seed.rng.random()
        if then > self.seed.now:
            return False
        self.at = then
        return True

    def _write(self) -> None:
        seed = self.seed
        self.customer = seed.rng.choice(seed.customers)
        self.invoice = seed.tables.invoices.add(
            organization_id=seed.organization.pk,
            customer_id=self.customer["id"],
            customer_key=sort_key(self.customer["name"]),
            currency=seed.rng.choice(_CURRENCIES)
            if seed.with_probability(0.03)
            else seed.organization.currency,
            due_on=today(self.at, seed.organization.time_zone) + _TERM,
            created_at=self.at,
        )
        self.invoice |= self._lines(seed.rng.choice((1, 1, 2, 3)))
        self._record("invoice.created", seed.member, self._invoice_data())

    def _lines(self, count: int) -> dict[str, int]:
        """Adds lines with one tax rate; returns the totals of the invoice."""
        rng, tax, lines = self.seed.rng, self.seed.rng.choice(_TAXES), []
        for position in range(count):
            description, unit = rng.choice(_WORK)
            quantity = Decimal(rng.randint(1, 24)) / 2
            amount = amounts.line_amount(quantity, unit)
            lines.append(amounts.LineAmount(amount, tax))
            self.seed.tables.lines.add(
                invoice_id=self.invoice["id"],
                position=position,
                description=description,
                quantity=quantity,
                unit_amount_minor=unit,
                tax_percent=tax,
                amount_minor=amount,
            )
        sums = amounts.totals(lines, 0)
        totals = {"subtotal_minor": sums.subtotal_minor, "tax_minor": sums.tax_minor}
        return {**totals, "total_minor": sums.total_minor}

    def _invoice_data(self) -> dict[str, object]:
        invoice = self.invoice
        data = {"total_minor": invoice["total_minor"], "currency": invoice["currency"]}
        return {**data, "due_on": invoice["due_on"].isoformat()}

    def _send(self) -> None:
        number = self.seed.number()
        event_data = {**self._invoice_data(), "number": number, "email": self.customer["email"]}
        event_data |= self._parties()
        columns: Row = {
            "number": number,
            "sent_at": self.at,
            "version": 2,
            **self._issued(),
        }
        event = self._move(states.INVOICE, self.invoice, "sent", self.seed.member, event_data, **columns)
        due = {"amount_due_minor": self.invoice["total_minor"], "currency": self.invoice["currency"]}
        self.seed.mail("invoice_sent", event, [self.customer["email"]], due)

    def _parties(self) -> dict[str, str]:
        """Returns the parties of this invoice and of its receipts as the data of an event."""
        return {"issued_by": self.seed.seller, "issued_to": self.seed.recipients[self.customer["id"]]}

    def _issued(self) -> Row:
        """Returns the same as columns."""
        return {f"{name}_id": party for name, party in self._parties().items()}

    def _stay_unpaid(self) -> None:
        """The invoice is not paid; some of these are written off in the end."""
        if self.seed.with_probability(0.5) and self._advance(days=40):
            request = self._request(self.invoice["total_minor"])
            if self.seed.with_probability(0.4) and self._advance(days=40):
                self._end(request, "canceled", self.seed.member, reason="by_member")
                if self._advance(days=500):
                    self._move(states.INVOICE, self.invoice, "written_off", self.seed.member, version=3)

    def _pay_in_stages(self, stages: int) -> None:
        """Requests and pays equal parts, one after the other; a single one is often paid by Pay Now."""
        by_request = stages > 1 or self.seed.with_probability(0.4)
        for amount_minor in amounts.split_by_weight(self.invoice["total_minor"], [1] * stages):
            if not self._advance(days=20):
                return
            request = self._request(amount_minor) if by_request else None
            if not self._advance(days=15):
                return
            self._pay(amount_minor, request)
        self._move(states.INVOICE, self.invoice, "paid", events.gateway_actor(DEMO_GATEWAY), paid_at=self.at)

    def _request(self, amount_minor: int) -> Row:
        request = self.seed.tables.requests.add(
            organization_id=self.seed.organization.pk,
            invoice_id=self.invoice["id"],
            amount_requested_minor=amount_minor,
            currency=self.invoice["currency"],
            to=[self.customer["email"]],
            requested_by=self.seed.member.id,
            created_at=self.at,
        )
        event_data = {
            **self._amount(amount_minor),
            "to": request["to"],
            "cc": [],
            "bcc": [],
            "expires_at": None,
        }
        event = self._record(
            "payment_request.sent", self.seed.member, event_data, payment_request_id=request["id"]
        )
        self.seed.mail("payment_request", event, request["to"], {})
        return request

    def _amount(self, amount_minor: int) -> dict[str, object]:
        return {"amount_minor": amount_minor, "currency": self.invoice["currency"]}

    def _end(self, request: Row, to: str, by: Actor, *, reason: str = "") -> None:
        data = {**self._amount(request["amount_requested_minor"]), "reason": reason}
        about = {"payment_request_id": request["id"]}
        columns = {"ended_at": self.at, "cancel_reason": reason}
        self._move(states.PAYMENT_REQUEST, request, to, by, data, about, **columns)

    def _pay(self, amount_minor: int, request: Row | None) -> None:
        """Pays with a card or a bank debit, from the start of the payment to the receipt."""
        method = "card" if self.seed.with_probability(0.5) else "bank_debit"
        payment, event_data = self._payment(amount_minor, request, method), self._amount(amount_minor)
        about = {"payment_id": payment["id"], "payment_request_id": payment["payment_request_id"]}
        by = events.gateway_actor(DEMO_GATEWAY)
        self._record(
            "payment.started",
            Actor("customer", self.customer["id"], self.customer["name"]),
            event_data,
            **about,
        )
        for state in ("authorized", "capturing") if method == "card" else ("processing",):
            self._move(states.PAYMENT, payment, state, by, event_data, about)
        stages = self._allocate(payment)
        booked = {
            "captured_minor": amount_minor,
            "captured_currency": payment["currency"],
            "accepted": True,
            **self._parties(),
        }
        event = self._move(
            states.PAYMENT, payment, "succeeded", by, {**event_data, **stages, **booked}, about
        )
        fee = {name: payment[name] for name in ("fee_minor", "fee_currency")}
        self._record("payment.fee_booked", by, fee, **about)
        self.seed.mail("receipt", event, [self.customer["email"]], stages)
        self.seed.mail("payment_received", event, [self.seed.organization.email], stages)
        if request is not None:
            self._end(request, "paid", by)

    def _payment(self, amount_minor: int, request: Row | None, method: str) -> Row:
        """Adds the payment with all final columns but the status, and its gateway calls."""
        payment = self.seed.tables.payments.add(
            organization_id=self.seed.organization.pk,
            invoice_id=self.invoice["id"],
            payment_request_id=request["id"] if request else None,
            gateway_account_id=self.seed.account.pk,
            **self._amount(amount_minor),
            accepted=True,
            captured_minor=amount_minor,
            captured_currency=self.invoice["currency"],
            allocated_minor=amount_minor,
            fee_minor=amount_minor * 14 // 1000 + 25,
            fee_currency=self.invoice["currency"],
            method=method,
            checkout_ref=new_id("co"),
            created_at=self.at,
            settled_at=self.at,
            next_refresh_at=self.at,
            **self._issued(),
        )
        for operation in ("start", "capture") if method == "card" else ("start",):
            self.seed.tables.calls.add(
                payment_id=payment["id"],
                operation=operation,
                attempt=1,
                outcome="succeeded",
                started_at=self.at,
                answered_at=self.at,
            )
        return payment

    def _allocate(self, payment: Row) -> dict[str, object]:
        """Allocates all of it to the invoice; returns the amounts of the receipt."""
        invoice, amount_minor = self.invoice, payment["amount_minor"]
        before = invoice["amount_paid_minor"]
        invoice["amount_paid_minor"] += amount_minor
        self.seed.tables.allocations.add(
            organization_id=self.seed.organization.pk,
            payment_id=payment["id"],
            invoice_id=invoice["id"],
            cause="payment",
            created_at=self.at,
            **self._amount(amount_minor),
        )
        return {
            "total_minor": invoice["total_minor"],
            "paid_before_minor": before,
            "allocated_minor": amount_minor,
            "amount_due_minor": invoice["total_minor"] - before - amount_minor,
        }

    def _move(
        self,
        moves: states.Transitions,
        row: Row,
        to: str,
        by: Actor,
        event_data: dict[str, object] | None = None,
        about: dict[str, str | None] | None = None,
        **columns: object,
    ) -> Row:
        """Changes a status by the same table as `states.move`; returns the event."""
        source = row["status"]
        row |= {"status": to, **columns}
        return self._record(
            moves[source, to], by, {**(event_data or {}), "from": source, "to": to}, **(about or {})
        )

    def _record(self, event_type: str, by: Actor, event_data: dict[str, object], **about: str | None) -> Row:
        if not about:
            about = {"customer_id": self.customer["id"]}
        return self.seed.record(event_type, self.at, by, event_data, invoice_id=self.invoice["id"], **about)
