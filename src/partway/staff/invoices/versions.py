"""An earlier version of an invoice, readable as the document it was, and what changed after it."""

from __future__ import annotations

from django.http import Http404, HttpResponse

from partway.billing.documents import versions
from partway.billing.models import Invoice

from ..access import find
from ..context import Visit
from . import differences


def show(visit: Visit, invoice_id: str, version: int) -> HttpResponse:
    """What it said, who changed it and when, and in what the version after it differs."""
    invoice = find(visit, Invoice.objects.select_related("customer"), invoice_id)
    replaced = versions.earlier(invoice)
    at = next((place for place, (said, _) in enumerate(replaced) if said.version == version), None)
    if at is None:
        raise Http404
    said, event = replaced[at]
    following = [kept for kept, _ in replaced[at + 1 :]] or [versions.now_of(invoice)]
    context = {
        "invoice": invoice,
        "said": said,
        "event": event,
        "differences": differences.between(said, following[0]),
        "before": replaced[at - 1][0] if at else None,
        "after": replaced[at + 1][0] if at + 1 < len(replaced) else None,
    }
    return visit.render("staff/invoices/version.html", context)
