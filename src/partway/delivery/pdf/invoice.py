"""An invoice's rows as a document, as it stands at this moment."""

from __future__ import annotations

from collections.abc import Sequence

from partway.billing import links
from partway.billing.models import Invoice, InvoiceLine, PaymentRequest, QuoteLine
from partway.lib.clock import today
from partway.lib.money import Money

from ..receipt_figures import payment_history
from ..templatetags.partway import format_date
from . import sums
from .content import Document, Headline, LabeledValue, Line, Link, Row, Stages, TextBlock
from .parties import issuer, recipient

# Without a claim on anybody: they say so beside the word Invoice, and have no bar and no code.
_NOT_IN_FORCE = {"draft": "Draft", "void": "Void", "written_off": "Written off"}


def document(invoice: Invoice) -> Document:
    """The whole document; it carries the day it was sent, a draft the day it was written."""
    organization = invoice.organization
    lines = tuple(line(row, invoice.currency) for row in invoice.lines.all())
    in_force = invoice.status not in _NOT_IN_FORCE
    return Document(
        kind="Invoice",
        number=invoice.number or "",
        document_date=today(invoice.sent_at or invoice.created_at, organization.time_zone),
        issuer=issuer(organization),
        recipient=recipient(invoice.customer),
        facts=_facts(invoice),
        headline=_headline(invoice),
        sums=_sums(invoice, lines),
        status_label=_NOT_IN_FORCE.get(invoice.status, ""),
        stages=_stages(invoice) if in_force else None,
        link=_link(invoice) if in_force else None,
        lines=lines,
        paid=_paid(invoice),
        text_blocks=_passages(invoice),
    )


def line(row: InvoiceLine | QuoteLine, currency: str) -> Line:
    """A stored line as a document shows it."""
    return Line(
        description=row.description,
        quantity=row.quantity,
        unit_amount=Money(row.unit_amount_minor, currency),
        tax_percent=row.tax_percent,
        amount=Money(row.amount_minor, currency),
    )


def _facts(invoice: Invoice) -> tuple[LabeledValue, ...]:
    number = [LabeledValue("Number", invoice.number)] if invoice.number else []
    zone = invoice.organization.time_zone
    sent = [LabeledValue("Sent", today(invoice.sent_at, zone))] if invoice.sent_at else []
    return (*number, *sent, LabeledValue("Due", invoice.due_on))


def _headline(invoice: Invoice) -> Headline:
    if invoice.status == "void":
        return Headline("Total", invoice.total, "void: nothing is due")
    if invoice.status == "written_off":
        return Headline("Written off", invoice.amount_due, "nobody is asked for it any more")
    if invoice.status == "paid":
        return Headline("Total", invoice.total, "paid in full, thank you")
    return Headline("Total Amount Due", invoice.amount_due, f"due {format_date(invoice.due_on)}")


def _sums(invoice: Invoice, lines: Sequence[Line]) -> tuple[Row, ...]:
    percent = invoice.discount_percent if invoice.discount_kind == "percent" else None
    discount = Money(invoice.discount_minor, invoice.currency)
    due = (Row("Amount paid", -invoice.amount_paid), Row("Total Amount Due", invoice.amount_due, strong=True))
    return (
        *sums.rows(lines, discount=discount, discount_percent=percent, total=invoice.total),
        *(due if invoice.amount_paid else ()),
    )


def _stages(invoice: Invoice) -> Stages:
    standing = PaymentRequest.objects.open().filter(invoice=invoice).first()
    nothing = Money(0, invoice.currency)
    requested = standing.amount_requested if standing else nothing
    return Stages(total=invoice.total, paid=invoice.amount_paid, requested=requested)


def _link(invoice: Invoice) -> Link:
    payable = invoice.status == "sent" and invoice.organization.payments_enabled
    return Link(links.invoice_url(invoice), "Scan to pay" if payable else "Scan to see it online")


def _paid(invoice: Invoice) -> tuple[Row, ...]:
    return tuple(
        Row(", ".join(part for part in (format_date(paid.on), paid.method) if part), paid.amount)
        for paid in payment_history(invoice)
    )


def _passages(invoice: Invoice) -> tuple[TextBlock, ...]:
    how_to_pay = invoice.organization.payment_instructions if invoice.status in ("draft", "sent") else ""
    said = (TextBlock("How to pay", how_to_pay), TextBlock("Notes", invoice.notes))
    return tuple(passage for passage in said if passage.words.strip())
