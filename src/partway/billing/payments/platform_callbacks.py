"""Callbacks of a platform: one endpoint of the operator hears of every organization's account and tells them apart."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import structlog
from django.conf import settings

from partway.accounts.models import GatewayAccount
from partway.gateways.registry import GATEWAYS

from ..models import Callback
from . import callbacks

log = structlog.get_logger(__name__)


def receive_callback(
    gateway: str, *, body: bytes, headers: Mapping[str, str], now: datetime
) -> Callback | None:
    """Verifies a callback on its raw body and stores it under the account that it names; returns the stored row.

    None for an account that no organization has here, as one that another installation of the same operator connected,
    and for one of the other mode: the gateway sends both to a live endpoint. They are logged, and acknowledged, for the
    gateway would repeat for days what can never be stored. Raises BadCallback, and KeyError without such a platform.
    """
    platform, definition = settings.PARTWAY_GATEWAY_PLATFORMS[gateway], GATEWAYS[gateway].platform
    if definition is None:
        raise KeyError(gateway)
    received = definition.read_callback(platform, body, headers, now)
    accounts = GatewayAccount.objects.select_related("organization").filter(
        gateway=gateway, is_of_platform=True, account_ref=received.account_ref
    )
    # Without an account the operator's own is meant, which is in no organization's books.
    account = accounts.first() if received.account_ref else None
    if account is None or definition.is_test_key(platform.key) is received.is_live:
        log.warning(
            "platform_callback_ignored",
            gateway=gateway,
            account_ref=received.account_ref,
            event_id=received.callback.event_id,
            event_type=received.callback.kind,
        )
        return None
    return callbacks.store_callback(account, received.callback, body=body, now=now)
