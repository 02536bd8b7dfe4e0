"""The Attention page: alerts that no rule can settle, each with its remedy, until a member resolves it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Q
from django.http import HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from partway.billing import alerts
from partway.billing.errors import BillingError
from partway.billing.models import Alert, Invoice, Quote
from partway.billing.receivables import alert_reasons
from partway.delivery.messages.alerts import alert_sentence, resolution_message

from ..access import get_own_or_404
from ..context import MemberContext
from ..forms import StaffForm, text_field
from ..keyset_pages import MAX_COUNTED, Order, Stream, count_rows, read_page

_URGENT_FIRST = Order(("rank", "due_at", "-created_at", "-id"))
_NO_END = datetime.max.replace(tzinfo=UTC)
_RESOLVED_ROWS = 20


@dataclass(frozen=True, slots=True)
class AlertKind:
    """The title of a kind of alert, and its remedy."""

    title: str | Promise
    remedy: str | Promise


_KINDS = {
    "unwanted_payment": AlertKind(
        _("Payment that was no longer due"),
        _("Apply the credit to another invoice of this customer, or refund it."),
    ),
    "unwanted_payment.refunded": AlertKind(
        _("Payment that was no longer due"),
        _("The customer got a mail. There is nothing to do, unless they should pay something else instead."),
    ),
    "captured_amount_mismatch": AlertKind(
        _("Different amount charged"),
        _(
            "Compare with the payment service. The amount due was applied to the invoice; the rest is the "
            "customer’s credit."
        ),
    ),
    "captured_amount_missing": AlertKind(
        _("Charge without an amount"),
        _("Ask the payment service how much was charged. It is booked as soon as they report it."),
    ),
    "deposit_unallocated": AlertKind(
        _("A deposit without an invoice"),
        _("Apply the credit to another invoice of this customer, or give it back and record the refund."),
    ),
    "gateway_refused": AlertKind(
        _("Payment status not available"),
        _(
            "Look the payment up there. If the credentials changed, connect the service again in Settings. "
            "This entry closes by itself once the payment is settled; until then it returns a day after it was "
            "marked as dealt with."
        ),
    ),
    "payment_unsettled": AlertKind(
        _("Payment not settled for a long time"),
        _(
            "Look the payment up at the payment service. "
            "This entry closes by itself once the payment is settled; until then it returns a day after it was "
            "marked as dealt with."
        ),
    ),
    "unwanted_debit": AlertKind(
        _("Bank debit that is no longer needed"),
        _(
            "The customer gets a mail that says so. Ask the payment service to stop it, if they still can. "
            "This entry closes by itself once the debit has settled or failed."
        ),
    ),
    "gateway_list_unavailable": AlertKind(
        _("List of payments not available"),
        _(
            "Payments that were not reported are found there. If the credentials changed, connect the service "
            "again in Settings. This entry closes by itself once the list can be read again; until "
            "then it returns a day after it was marked as dealt with."
        ),
    ),
    "gateway_left": AlertKind(
        _("Payment service disconnected"),
        _(
            "Online payments are off, and your books stay as they are. Connect it again in Settings; refunds of "
            "earlier payments are made at the payment service itself."
        ),
    ),
    "unmatched_callback": AlertKind(
        _("Report of an unknown payment"),
        _("Look it up at the payment service. If it pays an invoice, record the payment on that invoice."),
    ),
    "unmatched_checkout": AlertKind(
        _("Payment not recorded in Partway"),
        _(
            "This happens after a backup was restored, or when a customer paid twice. Find the customer at the "
            "payment service, then record the payment on the invoice by hand, or refund it there."
        ),
    ),
    "booked_amount_mismatch": AlertKind(
        _("Different amount at the payment service"),
        _("Compare with the payment service, and ask them which is right before you change anything."),
    ),
    "fee_mismatch": AlertKind(
        _("Different fee at the payment service"),
        _("Compare with the statement of the payment service. The fee that was reported first stays booked."),
    ),
    "payout_changed": AlertKind(
        _("Payout reported differently"),
        _("Compare the payout with the payment service and with your bank account."),
    ),
    "payout_failed": AlertKind(
        _("A payout failed"),
        _("Check your bank account at the payment service. The money is usually part of the next payout."),
    ),
    "payout_does_not_add_up": AlertKind(
        _("Payout that does not add up"),
        _("Compare the payout with the payment service and with your bank account."),
    ),
    "payout_list_unavailable": AlertKind(
        _("List of payouts not available"),
        _(
            "If the credentials changed, connect the service again in Settings. This entry closes by itself once "
            "the list can be read again; until then it returns a day after it was marked as dealt with."
        ),
    ),
    "recipient_address_invalid": AlertKind(
        _("A mail without an address"),
        _("Correct the customer’s address, then send the mail again from its invoice, quote or request."),
    ),
    "sender_address_invalid": AlertKind(
        _("Mails without a sender"),
        _(
            "An owner corrects the email address in Settings → Organization. "
            "This ends by itself then, and the mails that wait go out within a day."
        ),
    ),
    "refunded_at_gateway.not_due": AlertKind(
        _("Refund made at the payment service"),
        _("There is nothing to settle on an invoice. Ask your colleagues why it was made there."),
    ),
    "refunded_at_gateway.due_again": AlertKind(
        _("Refund made at the payment service"),
        _(
            "If the customer need not pay it again, settle it on the invoice as goodwill. Refunds that are made in "
            "Partway ask for that at once."
        ),
    ),
    "refunded_beyond_payment": AlertKind(
        _("More was refunded than was left"),
        _("Ask the customer for what they got twice; Partway does not count it as credit."),
    ),
    "refund_in_other_currency": AlertKind(
        _("Refund in another currency"),
        _("Compare with the payment service, and ask them what the customer got."),
    ),
    "refund_failed": AlertKind(
        _("A refund failed"),
        _("Tell the customer, and give the money back in another way: by cash or transfer, then record it."),
    ),
    "refund_unsettled": AlertKind(
        _("Refund not settled for a long time"),
        _(
            "Look the refund up at the payment service. This entry closes by itself once it has ended; until then "
            "it returns a day after it was marked as dealt with."
        ),
    ),
    "dispute_opened": AlertKind(
        _("Payment disputed"),
        _(
            "Submit evidence in the dashboard of the payment service: the invoice, the delivery note, what was agreed. "
            "This entry closes by itself when the dispute is decided."
        ),
    ),
    "dispute_opened.evidence_over": AlertKind(
        _("Payment disputed"),
        _(
            "The time for evidence is over, and the customer’s bank decides. "
            "This entry closes by itself when the dispute is decided."
        ),
    ),
    "dispute_lost.due_again": AlertKind(
        _("Dispute lost"),
        _("Ask the customer for the money again, or take it as a loss."),
    ),
    "dispute_lost.not_due": AlertKind(
        _("Dispute lost"),
        _("There is nothing to ask for again on an invoice, and nothing to take as a loss."),
    ),
    "dispute_lost.returned_due_again": AlertKind(
        _("Bank debit returned"),
        _("Ask the customer for the money again, or take it as a loss."),
    ),
    "dispute_lost.returned_not_due": AlertKind(
        _("Bank debit returned"),
        _("There is nothing to ask for again on an invoice, and nothing to take as a loss."),
    ),
    "disputed_beyond_payment": AlertKind(
        _("More is disputed than is left"),
        _(
            "While evidence can be submitted, tell the bank in the dashboard of the payment service what was refunded "
            "already. If the dispute is lost, ask the customer for what they got twice."
        ),
    ),
    "disputed_beyond_payment.lost": AlertKind(
        _("More was lost than was left"),
        _("Ask the customer for what they got twice; Partway does not count it as credit."),
    ),
    "disputed_beyond_payment.returned": AlertKind(
        _("More was returned than was left"),
        _("Ask the customer for what they got twice; Partway does not count it as credit."),
    ),
    "dispute_in_other_currency": AlertKind(
        _("Dispute in another currency"),
        _("Compare with the payment service, and ask them what is disputed."),
    ),
}
# Whose remedy may be to give money back.
_REFUNDABLE_KINDS = (
    "unwanted_payment",
    "captured_amount_mismatch",
    "deposit_unallocated",
    "refund_failed",
)
_DEFAULT_KIND = AlertKind(_("Needs attention"), _("Check it, then mark it as dealt with."))


class ResolveForm(StaffForm):
    """The resolution of an alert; `digest` is that of the alert that the page showed."""

    digest = text_field()
    resolution = text_field()


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert as the page shows it; `document` is the invoice or quote it is about, if any."""

    alert: Alert
    kind: AlertKind
    document: Invoice | Quote | None
    is_quote: bool
    message: str
    is_refundable: bool  # giving money back may be the remedy, and does not happen by itself
    can_settle: bool  # what a lost dispute made due again can be taken as a loss
    resolution: str  # empty while it is open


def index(ctx: MemberContext) -> HttpResponse:
    """Open alerts, and those resolved last."""
    return _page(ctx, ResolveForm())


def resolve(ctx: MemberContext, alert_id: str) -> HttpResponse:
    """Resolves an alert as it was shown, with a note on what was done; a second time changes nothing."""
    alert = get_own_or_404(ctx, Alert.objects.all(), alert_id)
    form = ResolveForm(ctx.post_data)
    if not form.is_bound:
        return ctx.redirect(ctx.url("attention"))
    if not form.is_valid():
        return _page(ctx, form, refused=alert)
    try:
        alerts.resolve(
            alert,
            expected_digest=form.cleaned_data["digest"],
            resolution=form.cleaned_data["resolution"],
            by=ctx.actor,
            now=ctx.now,
        )
    except BillingError as error:
        form.add_billing_error(error)
        return _page(ctx, form, refused=alert)
    return ctx.redirect(ctx.url("attention"), notice=gettext("Marked as dealt with."))


def _page(ctx: MemberContext, form: ResolveForm, *, refused: Alert | None = None) -> HttpResponse:
    mine = Alert.objects.for_organization(ctx.organization).select_related(
        "invoice__customer", "payment__invoice__customer", "payment__quote__customer"
    )
    still_open, now = mine.filter(resolved_at__isnull=True), ctx.now
    # Those that cannot wait come first, the earliest end before others; what is over cannot be hurried any more.
    urgent = Stream(still_open.filter(due_at__gte=now), (0,))
    others = Stream(still_open.filter(Q(due_at__isnull=True) | Q(due_at__lt=now)), (1, _NO_END))
    resolved = mine.filter(resolved_at__isnull=False).order_by("-resolved_at", "-id")[:_RESOLVED_ROWS]
    page = read_page(
        ctx.request, [urgent, others], _URGENT_FIRST, count=count_rows(still_open), fetch=mine.in_bulk
    )
    context = {
        "page": page,
        "max_counted": MAX_COUNTED,
        "open_alerts": _rows(page.entries, ctx),
        "resolved": _rows(resolved, ctx),
        "form": form,
        "refused": refused,
    }
    return ctx.render("staff/attention.html", context, status=form.status)


def _rows(found: Iterable[Alert], ctx: MemberContext) -> list[AlertRow]:
    rows = []
    for alert in found:
        document = alert.invoice or (alert.payment.document if alert.payment else None)
        reason = alert_reasons.current_reason(alert, ctx.now)
        kind = _KINDS.get(f"{alert.kind}.{reason}") or _KINDS.get(alert.kind, _DEFAULT_KIND)
        rows.append(
            AlertRow(
                alert,
                kind,
                document,
                is_quote=document is not None and document.kind == "quote",
                message=alert_sentence(alert.kind, {**alert.params, "reason": reason}),
                is_refundable=alert.kind in _REFUNDABLE_KINDS and reason != "refunded",
                can_settle=alert.kind == "dispute_lost" and reason.endswith("due_again"),
                resolution=resolution_message(alert),
            )
        )
    return rows
