"""A quote's rows as the offer that its document shows."""

from __future__ import annotations

from partway.billing import links
from partway.billing.documents import deposits
from partway.billing.models import Quote
from partway.lib.clock import today
from partway.lib.money import Money

from .invoice import line
from .parties import issuer, recipient
from .quote import Deposit, QuoteDetails

# Where it is no longer open, a word beside the word Quote says so.
_MARKS = {"draft": "Draft", "declined": "Declined", "expired": "Expired"}


def offer(quote: Quote) -> QuoteDetails:
    """The quote as it stands now."""
    zone = quote.organization.time_zone
    return QuoteDetails(
        number=quote.number or "",
        sent_on=today(quote.sent_at or quote.created_at, zone),
        valid_until=quote.valid_until,
        issuer=issuer(quote.organization),
        recipient=recipient(quote.customer),
        lines=tuple(line(row, quote.currency) for row in quote.lines.all()),
        discount=Money(quote.discount_minor, quote.currency),
        discount_percent=quote.discount_percent if quote.discount_kind == "percent" else None,
        total=quote.total,
        deposit=_deposit(quote),
        status_label=_MARKS.get(quote.status, ""),
        accepted=quote.status in ("accepted", "invoiced"),
        url=links.quote_url(quote) if quote.status in ("sent", "accepted") else "",
        notes=quote.notes,
    )


def _deposit(quote: Quote) -> Deposit | None:
    if not quote.deposit:
        return None
    percent = quote.deposit_percent if quote.deposit_kind == "percent" else None
    return Deposit(quote.deposit, percent, paid=deposits.deposit_payment(quote) is not None)
