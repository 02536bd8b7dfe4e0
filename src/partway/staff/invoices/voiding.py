"""Voiding an invoice: a question, and where it was paid a page that asks what becomes of each payment."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from partway.billing.documents import invoices, voiding
from partway.billing.documents.voiding import Outcome, VoidPlan, Way
from partway.billing.ledger import allocations
from partway.billing.models import Invoice, Payment, Refund
from partway.billing.models.refunds import RefundReason
from partway.delivery.formats import format_money
from partway.lib.money import Money

from ..access import get_invoice_or_404
from ..confirm import ConfirmForm, confirm, unavailable_message
from ..context import MemberContext
from ..forms import (
    MAX_FIELD_LENGTH,
    DayField,
    DependentFieldsForm,
    HiddenNumberField,
    IdempotencyKeyField,
    sentences,
    text_field,
)

_WAYS: dict[Way, str | Promise] = {
    Way.GATEWAY: _("Send it back through the payment service"),
    Way.OUTSIDE: _("It was given back already, by hand"),
    Way.CREDIT: _("Keep it as the customer’s credit"),
}
_NOTICES: dict[str, str | Promise] = {
    "succeeded": _("%(amount)s is on its way back to %(customer)s."),
    "pending": _(
        "%(amount)s is being sent back to %(customer)s. The payment service has not confirmed it yet."
    ),
    "failed": _("The payment service did not send %(amount)s back, so that is credit of %(customer)s."),
}
_ON_PAGE = re.compile(r"(pay_[0-9a-z]+):([0-9]{1,18})", re.ASCII)
_OF_OUTSIDE = ("method", "refunded_on", "reference")


def void(ctx: MemberContext, invoice_id: str) -> HttpResponse:
    """Asks before an invoice ends for good, and what becomes of the payments on it."""
    invoice = get_invoice_or_404(ctx, invoice_id)
    back = ctx.url("invoice", invoice.pk)
    # A page that showed payments, which are gone by now, is compared with what is there, as one that showed none.
    if invoice.amount_paid_minor or invoice.status == "paid" or "standing" in (ctx.post_data or {}):
        return _void_paid(ctx, invoice, back)

    def act(form: ConfirmForm) -> HttpResponse:
        invoices.void(invoice, expected_version=form.cleaned_data["version"], by=ctx.actor, now=ctx.now)
        return ctx.redirect(back, notice=gettext("The invoice is void. It can no longer be paid."))

    return confirm(
        ctx,
        invoice,
        "staff/invoices/void.html",
        form=ConfirmForm(ctx.post_data),
        act=act,
        back=back,
        unavailable_reason=lambda: unavailable_message(invoices.void_unavailable_reason(invoice)),
    )


@dataclass(slots=True)
class PaymentRow:
    """A payment on the invoice: the ways that the member can choose, the fields by their names, and what was chosen."""

    payment: Payment
    amount: Money
    ways: list[tuple[str, str | Promise]]
    names: dict[str, str]
    outcome: Outcome | None = None


class VoidPaidForm(DependentFieldsForm):
    """The outcome of each payment on the invoice, as `payments.<id>.<name>`, and what all refunds share.

    `standing` is what the page showed of the payments: the id of each with its minor units.
    """

    version = HiddenNumberField()
    standing = text_field()
    reason = text_field()
    note = text_field()
    is_confirmed = forms.BooleanField(required=False)
    change = forms.BooleanField(required=False)
    idempotency_key = IdempotencyKeyField()

    def __init__(self, ctx: MemberContext, standing: Iterable[tuple[Payment, int]]) -> None:
        super().__init__(ctx.post_data, initial={"reason": RefundReason.CANCELED})
        self.today = ctx.today
        self.ways: dict[str, list[tuple[str, str | Promise]]] = {}
        self.depends_on = {}
        # Those of an older page too: the second of two clicks sends what has left the invoice with the first.
        shown = _ON_PAGE.findall(self.data.get("standing", "")[:MAX_FIELD_LENGTH])
        self.shown = {pk: int(minor) for pk, minor in shown}
        older = Payment.objects.for_organization(ctx.organization).filter(pk__in=self.shown)
        gone = [(payment, self.shown[payment.pk]) for payment in (older if self.shown else ())]
        for payment, minor in [*standing, *gone]:
            self.add(payment, minor, ctx)

    def add(self, payment: Payment, minor: int, ctx: MemberContext) -> None:
        """Adds the fields of one payment, unless it has them, with the ways that this member may choose."""
        if payment.pk in self.ways:
            return
        self.ways[payment.pk] = [
            (way.value, _WAYS[way])
            for way in voiding.ways(payment, minor)
            if voiding.PERMISSIONS[way] in ctx.permissions
        ]
        way, *details = (f"payments.{payment.pk}.{name}" for name in ("way", *_OF_OUTSIDE))
        fields = text_field(), text_field(), DayField(), text_field()
        self.fields.update(zip((way, *details), fields, strict=True))
        self.initial[f"payments.{payment.pk}.refunded_on"] = self.today
        self.depends_on |= dict.fromkeys(details, (way, (Way.OUTSIDE,)))

    def rows(self, ctx: MemberContext, invoice: Invoice) -> list[PaymentRow]:
        """Returns the payments that are on the invoice now; one that came since the form was sent has fields too."""
        rows = []
        for payment, minor in allocations.payments_on_invoice(invoice):
            self.add(payment, minor, ctx)
            names = {name: f"payments.{payment.pk}.{name}" for name in ("way", *_OF_OUTSIDE)}
            rows.append(PaymentRow(payment, Money(minor, invoice.currency), self.ways[payment.pk], names))
        return rows

    def plan(self) -> VoidPlan:
        """Returns the plan of a valid form; a way that the member may not choose counts as none."""
        typed, outcomes = self.cleaned_data, {}
        for pk, ways in self.ways.items():
            values = {name: typed[f"payments.{pk}.{name}"] for name in ("way", *_OF_OUTSIDE)}
            if values["way"] in dict(ways):
                outcomes[pk] = Outcome(**{name: value for name, value in values.items() if value})
        return VoidPlan(
            standing=self.shown,
            outcomes=outcomes,
            reason=typed["reason"],
            note=typed["note"],
            idempotency_key=typed["idempotency_key"],
        )


def _void_paid(ctx: MemberContext, invoice: Invoice, back: str) -> HttpResponse:
    """Asks what becomes of each payment, then says what will happen, and acts once that was confirmed."""
    form = VoidPaidForm(ctx, allocations.payments_on_invoice(invoice))

    def act(form: VoidPaidForm) -> HttpResponse:
        plan, version = form.plan(), form.cleaned_data["version"]
        if form.cleaned_data["change"]:
            return ctx.render("staff/invoices/void_paid.html", {"form": form, "back": back, **context()})
        if form.cleaned_data["is_confirmed"]:
            refunds = voiding.void_paid(
                invoice, plan=plan, expected_version=version, by=ctx.actor, now=ctx.now
            )
            return ctx.redirect(back, notice=_notice(invoice, refunds))
        voiding.check(invoice, plan=plan, expected_version=version, now=ctx.now)
        page = {"form": form, "back": back, **context()}
        sent_back = Money(0, invoice.currency)
        for row in page["rows"]:
            row.outcome = plan.outcomes[row.payment.pk]
            sent_back += row.amount if row.outcome.way == Way.GATEWAY else Money(0, invoice.currency)
        page["sent_back"] = sent_back
        return ctx.render("staff/invoices/void_paid_confirm.html", page)

    def context() -> dict[str, Any]:
        rows = form.rows(ctx, invoice)
        return {
            "invoice": invoice,
            "rows": rows,
            "standing": " ".join(f"{row.payment.pk}:{row.amount.amount_minor}" for row in rows),
            "asks_reason": any(Way.GATEWAY in dict(row.ways) for row in rows),
            "reasons": RefundReason.choices,
            "modes": [(mode, mode) for mode in ctx.organization.payment_modes],
        }

    def unavailable_reason() -> str:
        if not all(form.ways.values()):
            return gettext("A member who may give payments back, or move them to credit, has to void this.")
        return unavailable_message(voiding.unavailable_reason(invoice))

    return confirm(
        ctx,
        invoice,
        "staff/invoices/void_paid.html",
        form=form,
        act=act,
        back=back,
        context=context,
        unavailable_reason=unavailable_reason,
    )


def _notice(invoice: Invoice, refunds: list[Refund]) -> str:
    """Says that the invoice is void, and how each refund through the payment service stands."""
    parts = [
        str(_NOTICES[row.status]) % {"amount": format_money(row.amount), "customer": invoice.customer.name}
        for row in refunds
        if row.mode == "gateway"
    ]
    return sentences(gettext("The invoice is void. It can no longer be paid."), *parts)
