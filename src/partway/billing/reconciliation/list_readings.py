"""One reading of a gateway's list: until when it is read, when it is tried again, and its alert (DESIGN P6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from partway.accounts.models import GatewayAccount
from partway.gateways.protocol import OutcomeUnknown, Refused

from .. import alerts

log = structlog.get_logger(__name__)

_INTERVAL_AFTER_REFUSAL = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class ListReading:
    """How one list of a gateway account is read; `due_at` and `read_until` are columns of the account.

    alert: the kind that is raised once the list has been unread for `overdue_after`. is_needed: whether anything
    depends on the list of an account.
    """

    alert: str
    due_at: str
    read_until: str
    overdue_after: timedelta
    is_needed: Callable[[GatewayAccount], bool]

    def run(self, account: GatewayAccount, read: Callable[[], str], *, now: datetime) -> None:
        """Reads by `read`, which returns why the list could not be read completely, or an empty text.

        A reading without a complete list leaves `read_until` as it was, so the next begins where this one began.
        """
        row, gateway_message = GatewayAccount.objects.filter(pk=account.pk), ""
        try:
            reason = read()
        except Refused as refusal:
            name = self.alert.removesuffix("_unavailable")
            log.warning(f"{name}_refused", account=account.pk, error=refusal.message)
            row.update(**{self.due_at: now + _INTERVAL_AFTER_REFUSAL})
            reason, gateway_message = "refused", refusal.message[:300]
        except OutcomeUnknown as error:
            log.warning(self.alert, account=account.pk, error=str(error))
            reason = "no_answer"
        if not reason:
            row.update(**{self.read_until: now})
        if not reason or not self.is_needed(account):
            auto_resolution = "account_replaced" if reason else "list_available"
            alerts.auto_resolve(self.alert, subject=account.pk, auto_resolution=auto_resolution, now=now)
        elif now > (getattr(account, self.read_until) or account.created_at) + self.overdue_after:
            alerts.raise_for_organization(
                self.alert,
                account.organization_id,
                subject=account.pk,
                now=now,
                reason=reason,
                gateway_message=gateway_message,
            )
