"""An earlier version of an invoice, readable as the document it was, and what changed after it."""

from __future__ import annotations

from django.http import Http404, HttpResponse

from partway.billing.documents import versions
from partway.billing.models import Invoice

from ..access import get_own_or_404
from ..context import MemberContext
from . import differences


def show(ctx: MemberContext, invoice_id: str, version: int) -> HttpResponse:
    """What it said, who changed it and when, and in what the version after it differs."""
    invoice = get_own_or_404(ctx, Invoice.objects.select_related("customer"), invoice_id)
    replaced = versions.earlier(invoice)
    at = next((place for place, (notice, _) in enumerate(replaced) if notice.version == version), None)
    if at is None:
        raise Http404
    notice, event = replaced[at]
    following = [kept for kept, _ in replaced[at + 1 :]] or [versions.current_version(invoice)]
    context = {
        "invoice": invoice,
        "notice": notice,
        "event": event,
        "differences": differences.diff(notice, following[0]),
        "before": replaced[at - 1][0] if at else None,
        "after": replaced[at + 1][0] if at + 1 < len(replaced) else None,
    }
    return ctx.render("staff/invoices/version.html", context)
