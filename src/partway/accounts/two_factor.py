"""Removal of the second factor of a user; allauth stores its secrets."""

from __future__ import annotations

from allauth.mfa.models import Authenticator

from .models import User


def reset(user: User) -> bool:
    """Deletes the authenticator app and the recovery codes; returns whether there were any."""
    return bool(Authenticator.objects.filter(user_id=user.pk).delete()[0])
