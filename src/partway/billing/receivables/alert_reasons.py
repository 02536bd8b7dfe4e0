"""Finds the reason by which an alert about money going back is explained now."""

from __future__ import annotations

from datetime import datetime

from ..models import Alert, Dispute, Payment, Refund
from . import dispute_losses, refund_effects


def current_reason(alert: Alert, now: datetime) -> str:
    """Returns the reason by which an alert is explained; of an open one about money going back it is that of now.

    It goes on after its alert was raised: a refund fails, the time for evidence ends, a dispute is lost, an invoice is
    paid in another way. Only what is so now says what a member can do.
    """
    stored = str(alert.params.get("reason", ""))
    if alert.resolved_at is not None:
        return stored
    match alert.kind:
        case "refunded_at_gateway":
            return refund_effects.dashboard_effect(Payment.objects.get(pk=alert.subject))
        case "unwanted_payment" | "captured_amount_mismatch":
            automatic = Refund.objects.counted().filter(payment=alert.subject, is_automatic=True)
            return stored if automatic.exists() else ""
        case "dispute_opened":
            return "evidence_over" if Dispute.objects.get(pk=alert.subject).is_evidence_over(now) else ""
        case "dispute_lost":
            return dispute_losses.alert_reason(Dispute.objects.get(pk=alert.subject))
        case "disputed_beyond_payment":
            outcome = Dispute.objects.get(pk=alert.subject).outcome
            return outcome if outcome in ("lost", "returned") else ""
    return stored
