"""Receives callbacks of gateways: each is verified and stored once, and only makes us fetch the state."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from partway.accounts.models import GatewayAccount
from partway.accounts.prepared import Prepared
from partway.billing.models import Callback
from partway.billing.payments import platform_callbacks
from partway.billing.payments.callbacks import receive_callback
from partway.gateways.protocol import BadCallback
from partway.lib.clock import now

log = structlog.get_logger(__name__)

MAX_BYTES = 64 * 1024

_accounts = Prepared(lambda pk: GatewayAccount.objects.select_related("organization").filter(pk=pk))


@csrf_exempt  # the gateway signs it
@require_POST
def gateway_callback(request: HttpRequest, account_id: str) -> JsonResponse:
    """Returns 200 once the callback is stored, and only then, so that a gateway repeats one we lost (DESIGN P7)."""
    account = _accounts.first(account_id)
    if account is None:
        return JsonResponse({"error": "There is no such gateway account."}, status=404)
    return _store(
        request,
        lambda body: receive_callback(account, body=body, headers=dict(request.headers), now=now()),
        gateway_account=account.pk,
    )


@csrf_exempt  # the gateway signs it
@require_POST
def platform_callback(request: HttpRequest, gateway: str) -> JsonResponse:
    """Does the same for the operator's endpoint at a gateway, which hears of the accounts of all organizations.

    One of an account that is not of this installation is acknowledged too.
    """
    if gateway not in settings.PARTWAY_GATEWAY_PLATFORMS:
        return JsonResponse({"error": "There is no such platform."}, status=404)
    receive = platform_callbacks.receive_callback
    return _store(
        request,
        lambda body: receive(gateway, body=body, headers=dict(request.headers), now=now()),
        platform=gateway,
    )


def _store(request: HttpRequest, receive: Callable[[bytes], Callback | None], **sender: str) -> JsonResponse:
    """Reads the body and has it stored by `receive`, which raises BadCallback for one that is not genuine."""
    # One byte more than is taken, so that a larger body is noticed without being read: the caller is not
    # authenticated yet.
    body = request.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        return JsonResponse({"error": f"A callback has at most {MAX_BYTES} bytes."}, status=413)
    try:
        stored = receive(body)
    except BadCallback as error:
        # A signing secret that was changed at one end only shows here first, long before the missing payments do.
        log.warning("callback_refused", error=str(error), **sender)
        return JsonResponse({"error": str(error)}, status=400)
    return JsonResponse({"stored": stored is not None})
