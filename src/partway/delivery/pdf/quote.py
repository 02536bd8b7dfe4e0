"""A quote's rows as a document: the price of the work, how long it is valid, and the deposit that begins it."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partway.billing import links
from partway.billing.documents import deposits
from partway.billing.models import Quote
from partway.lib.clock import today
from partway.lib.money import Money

from ..formats import format_date, format_money, format_percent
from .content import Document, Headline, LabeledValue, Link, Row, Stages, TextBlock
from .lines import document_lines, document_totals
from .parties import issuer, recipient

# The label beside the kind of a quote that is not open.
_NOT_IN_FORCE = {
    "draft": gettext_lazy("Draft"),
    "declined": gettext_lazy("Declined"),
    "expired": gettext_lazy("Expired"),
    "withdrawn": gettext_lazy("Withdrawn"),
}


def document(quote: Quote, *, with_link: bool) -> Document:
    """Returns the quote's document, dated on the day it was sent; a draft on the day it was written.

    `with_link` prints the customer's link, which lets its holder accept (DESIGN section 12).
    """
    seller = quote.seller
    sent_on = today(quote.sent_at or quote.created_at, seller.time_zone)
    lines = document_lines(quote)
    facts = [LabeledValue(_("Number"), quote.number)] if quote.number else []
    deposit_paid = deposits.deposit_payment(quote) is not None
    deposit_rows = (
        Row(_("Deposit paid") if deposit_paid else _("Deposit"), -quote.deposit),
        Row(_("After the deposit"), quote.total - quote.deposit, strong=True),
    )
    link_captions = {"sent": _("Scan to accept"), "accepted": _("Scan to see it online")}
    link_caption = link_captions.get(quote.status)
    return Document(
        kind=_("Quote"),
        number=quote.number or "",
        document_date=sent_on,
        issuer=issuer(seller),
        recipient=recipient(quote.recipient),
        facts=(
            *facts,
            LabeledValue(_("Sent"), sent_on),
            LabeledValue(_("Valid until"), quote.valid_until),
        ),
        headline=_headline(quote, deposit_paid),
        sums=(*document_totals(quote, lines), *(deposit_rows if quote.deposit else ())),
        status_label=str(_NOT_IN_FORCE.get(quote.status, "")),
        stages=_stages(quote, deposit_paid) if quote.deposit else None,
        link=Link(links.quote_url(quote), link_caption) if link_caption and with_link else None,
        lines=lines,
        text_blocks=(TextBlock(_("Notes"), quote.notes),) if quote.notes.strip() else (),
    )


def _headline(quote: Quote, deposit_paid: bool) -> Headline:
    if deposit_paid:
        return Headline(_("Total"), quote.total, _("accepted, deposit paid"))
    if not quote.deposit:
        until = _("valid until %(day)s") % {"day": format_date(quote.valid_until)}
        return Headline(_("Total"), quote.total, until)
    percent = format_percent(quote.deposit_percent) if quote.deposit_kind == "percent" else ""
    caption = (
        _("%(percent)s of %(total)s, paid in full when you accept")
        if percent
        else _("of %(total)s, paid in full when you accept")
    )
    params = {"percent": percent, "total": format_money(quote.total)}
    return Headline(_("Deposit"), quote.deposit, caption % params)


def _stages(quote: Quote, deposit_paid: bool) -> Stages:
    """Returns the bar, in which the deposit is requested until it is paid."""
    nothing = Money(0, quote.currency)
    return Stages(
        total=quote.total,
        paid=quote.deposit if deposit_paid else nothing,
        requested=nothing if deposit_paid else quote.deposit,
        paid_label=_("Deposit"),
        requested_label=_("Deposit"),
        left_label=_("After the work"),
    )
