"""Conditions that several kinds of mail share: whether a queued mail still holds when it is sent."""

from __future__ import annotations

from datetime import datetime

from partway.accounts.models import User
from partway.billing.models import Mail

from .content import required


def always(mail: Mail, *, now: datetime) -> bool:
    """Returns True: the mail reports a fact that nothing takes back."""
    return True


def unless_reversed(mail: Mail, *, now: datetime) -> bool:
    """Returns False once the payment is reversed, as when a check bounces."""
    return required(mail.payment).status != "reversed"


def while_user_is_active(mail: Mail, *, now: datetime) -> bool:
    """Returns whether the user may still sign in."""
    return User.objects.filter(pk=mail.data["user"], is_active=True).exists()
