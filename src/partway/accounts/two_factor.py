"""The second factor of signing in, where it must be taken away: its secrets are allauth's rows."""

from __future__ import annotations

from allauth.mfa.models import Authenticator

from .models import User


def reset(user: User) -> bool:
    """Take away app and recovery codes; answers whether there were any."""
    return bool(Authenticator.objects.filter(user_id=user.pk).delete()[0])
