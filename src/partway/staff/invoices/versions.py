"""The page of an earlier version of an invoice: its content, and the differences to the version after it."""

from __future__ import annotations

from django.http import Http404, HttpResponse

from partway.billing.documents import versions
from partway.billing.models import Party

from ..access import get_invoice_or_404
from ..context import MemberContext
from . import differences


def show(ctx: MemberContext, invoice_id: str, version: int) -> HttpResponse:
    """One version, who replaced it and when, and the differences to the next one."""
    invoice = get_invoice_or_404(ctx, invoice_id)
    replaced = versions.previous_versions(invoice)
    at = next((place for place, (row, _event) in enumerate(replaced) if row.version == version), None)
    if at is None:
        raise Http404
    earlier, event = replaced[at]
    following = replaced[at + 1][0] if at + 1 < len(replaced) else None
    later = following or versions.current_version(invoice)
    ids = {earlier.issued_by, earlier.issued_to, later.issued_by, later.issued_to}
    parties = Party.objects.for_organization(ctx.organization).in_bulk(ids)
    context = {
        "invoice": invoice,
        "version": earlier,
        "event": event,
        "seller": parties.get(earlier.issued_by),
        "recipient": parties.get(earlier.issued_to),
        "differences": differences.diff(earlier, later, parties),
        "before": replaced[at - 1][0] if at else None,
        "after": following,
    }
    return ctx.render("staff/invoices/version.html", context)
