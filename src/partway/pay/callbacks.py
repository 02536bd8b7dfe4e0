"""Receives callbacks of gateways: each is verified and stored once, and only makes us fetch the state."""

from __future__ import annotations

import structlog
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from partway.accounts.models import GatewayAccount
from partway.billing.payments.callbacks import receive_callback
from partway.gateways.protocol import BadCallback
from partway.lib.clock import now

log = structlog.get_logger(__name__)

MAX_BYTES = 64 * 1024


@csrf_exempt  # the gateway signs it
@require_POST
def gateway_callback(request: HttpRequest, account_id: str) -> JsonResponse:
    """Returns 200 once the callback is stored, and only then, so that a gateway repeats one we lost (DESIGN P7)."""
    account = GatewayAccount.objects.select_related("organization").filter(id=account_id).first()
    if account is None:
        return JsonResponse({"error": "There is no such gateway account."}, status=404)
    # One byte more than is taken, so that a larger body is noticed without being read: the caller is not
    # authenticated yet.
    body = request.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        return JsonResponse({"error": f"A callback has at most {MAX_BYTES} bytes."}, status=413)
    try:
        receive_callback(account, body=body, headers=dict(request.headers), now=now())
    except BadCallback as error:
        # A signing secret that was changed at one end only shows here first, long before the missing payments do.
        log.warning("callback_refused", gateway_account=account.pk, error=str(error))
        return JsonResponse({"error": str(error)}, status=400)
    return JsonResponse({"stored": True})
