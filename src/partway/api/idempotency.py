"""Idempotency-Key: a POST that is repeated with its key acts once, and gets the answer that it had."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import datetime

from django.http import HttpRequest, HttpResponse

from partway.accounts import idempotent_calls
from partway.accounts.idempotent_calls import CallInProgress, KeyReused
from partway.accounts.models import IdempotentCall, Organization

from .problems import Refused

HEADER = "Idempotency-Key"
# Visible ASCII.
_KEY = re.compile(r"[!-~]{1,255}")


def run(
    request: HttpRequest,
    organization: Organization,
    act: Callable[[IdempotentCall | None], HttpResponse],
    *,
    now: datetime,
) -> HttpResponse:
    """Returns the answer of `act`, or the one that it had when this key was used before.

    A refusal is not kept: nothing was done, and a repetition acts, with another body too (decision 0074).
    act: takes the call, whose id and time are the same whenever it is repeated; None without a header.
    Raises Refused.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return act(None)
    if not _KEY.fullmatch(key):
        raise Refused(400, "idempotency_key_invalid")
    try:
        call = idempotent_calls.begin(organization, key=key, fingerprint=_fingerprint(request), now=now)
    except KeyReused:
        raise Refused(422, "idempotency_key_reused") from None
    except CallInProgress:
        raise Refused(409, "call_in_progress", headers={"Retry-After": "1"}) from None
    if call.status is not None:
        stored = call.answer
        response = HttpResponse(stored["body"], status=call.status, content_type=stored["content_type"])
        response.headers["Idempotent-Replayed"] = "true"
        return response
    try:
        response = act(call)
    except BaseException:
        # The act may have been committed before this failed, so its repetition must find the same one-time key.
        idempotent_calls.give_up(call, now=now, keep=True)
        raise
    if response.status_code >= 400:
        # An earlier request that was killed may have acted: then the key stays that of its body and its act.
        may_have_acted = response.status_code >= 500 or call.is_repeated
        idempotent_calls.give_up(call, now=now, keep=may_have_acted)
    else:
        answer = {"body": response.content.decode(), "content_type": response.headers["Content-Type"]}
        idempotent_calls.finish(call, status=response.status_code, answer=answer)
    return response


def _fingerprint(request: HttpRequest) -> str:
    """Returns a digest of method, address and body."""
    address = f"{request.method} {request.get_full_path()}\n"
    return hashlib.sha256(address.encode() + request.body).hexdigest()[:40]
