"""Codes of an authenticator app, from allauth's own generator."""

from __future__ import annotations

import time

from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value

from partway.accounts.models import User


def code_for(secret: str, *, steps: int = 0) -> str:
    """Returns the current code, or that of some steps of thirty seconds away."""
    counter = int(time.time()) // app_settings.TOTP_PERIOD + steps
    return format_hotp_value(hotp_value(secret, counter))


def enable_two_factor(user: User) -> str:
    """Enables two-factor sign-in for a user; returns the secret."""
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    RecoveryCodes.activate(user)
    return secret


def recovery_codes(user: User) -> list[str]:
    """Returns the unused recovery codes of a user."""
    row = Authenticator.objects.get(user=user, type=Authenticator.Type.RECOVERY_CODES)
    left: list[str] = row.wrap().get_unused_codes()
    return left
