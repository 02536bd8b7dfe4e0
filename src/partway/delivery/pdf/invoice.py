"""An invoice's rows as a document, as it stands at this moment."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partway.billing import links
from partway.billing.models import Invoice, PaymentRequest
from partway.lib.clock import today
from partway.lib.money import Money

from ..formats import format_date, format_due
from ..receipt_figures import payment_history
from .content import Document, Headline, LabeledValue, Link, Row, Stages, TextBlock
from .lines import document_lines, document_totals
from .parties import issuer, recipient

# An invoice in these states asks for nothing: it has the label beside its kind, and no stage bar and no code.
_NOT_IN_FORCE = {
    "draft": gettext_lazy("Draft"),
    "void": gettext_lazy("Void"),
    "written_off": gettext_lazy("Written off"),
}


def document(invoice: Invoice, *, with_link: bool) -> Document:
    """Returns the invoice's document, dated on the day it was sent; a draft on the day it was written.

    `with_link` prints the customer's link, which lets its holder pay (DESIGN section 12).
    """
    seller = invoice.seller
    zone = seller.time_zone
    lines = document_lines(invoice)
    facts = [LabeledValue(_("Number"), invoice.number)] if invoice.number else []
    if invoice.sent_at:
        facts.append(LabeledValue(_("Sent"), today(invoice.sent_at, zone)))
    in_force = invoice.status not in _NOT_IN_FORCE
    paid_title, paid = _payments(invoice)
    how_to_pay = seller.payment_instructions if invoice.status in ("draft", "sent") else ""
    blocks = (TextBlock(_("How to pay"), how_to_pay), TextBlock(_("Notes"), invoice.notes))
    return Document(
        kind=_("Invoice"),
        number=invoice.number or "",
        document_date=today(invoice.sent_at or invoice.created_at, zone),
        issuer=issuer(seller),
        recipient=recipient(invoice.recipient),
        facts=(*facts, LabeledValue(_("Due"), format_due(invoice.due_on, invoice.due_days))),
        headline=_headline(invoice),
        sums=(*document_totals(invoice, lines), *_what_is_due(invoice)),
        status_label=str(_NOT_IN_FORCE.get(invoice.status, "")),
        stages=_stages(invoice) if in_force else None,
        link=_link(invoice) if in_force and with_link else None,
        lines=lines,
        paid_title=paid_title,
        paid=paid,
        text_blocks=tuple(block for block in blocks if block.text.strip()),
    )


def _what_is_due(invoice: Invoice) -> tuple[Row, ...]:
    """Returns what was taken off the total and what is left; nothing while the total is due."""
    paid = [Row(_("Amount paid"), -invoice.amount_paid)] if invoice.amount_paid else []
    settled = [Row(_("Settled without a payment"), -invoice.adjusted)] if invoice.adjusted else []
    due = Row(_("Total Amount Due"), invoice.amount_due, strong=True)
    return (*paid, *settled, due) if paid or settled else ()


def _headline(invoice: Invoice) -> Headline:
    if invoice.status == "void":
        return Headline(_("Total"), invoice.total, _("void: nothing is due"))
    if invoice.status == "written_off":
        return Headline(_("Written off"), invoice.amount_due, _("no payment is expected"))
    if invoice.status == "paid":
        settled = _("settled in full, thank you") if invoice.adjusted else _("paid in full, thank you")
        return Headline(_("Total"), invoice.total, settled)
    due = _("due %(day)s") % {"day": format_due(invoice.due_on, invoice.due_days)}
    return Headline(_("Total Amount Due"), invoice.amount_due, due)


def _payments(invoice: Invoice) -> tuple[str, tuple[Row, ...]]:
    """Returns the title, and a row per payment: its day and, where it is known, its method."""
    rows = tuple(
        Row(", ".join(part for part in (format_date(row.on), row.method) if part), row.amount)
        for row in payment_history(invoice)
    )
    return _("Paid and settled") if invoice.adjusted else _("Paid so far"), rows


def _link(invoice: Invoice) -> Link:
    payable = invoice.status == "sent" and invoice.organization.payments_enabled
    return Link(links.invoice_url(invoice), _("Scan to pay") if payable else _("Scan to see it online"))


def _stages(invoice: Invoice) -> Stages:
    request = PaymentRequest.objects.open().filter(invoice=invoice).first()
    return Stages(
        total=invoice.total - invoice.adjusted,
        paid=invoice.amount_paid,
        requested=request.amount_requested if request else Money(0, invoice.currency),
        paid_label=_("Paid"),
        requested_label=_("Requested"),
        left_label=_("Left"),
    )
