"""The second factor of a user beside what allauth stores: codes work once, and the operator can remove the factor."""

from __future__ import annotations

from datetime import datetime, timedelta

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)

from .models import UsedCode, User

# Much longer than the three time steps in which a code is accepted.
_USED_CODE_RETENTION = timedelta(hours=1)


def use_code(user: User, code: str, secret: str, *, now: datetime) -> bool:
    """Marks a code of the authenticator app as used; returns False if it is wrong now, or was used before.

    Of two that come at the same time with the same code one gets True: the row of its time step is unique. allauth
    remembers a code in the cache, for one of the three steps in which it is accepted.
    """
    digits = "".join(filter(str.isdigit, code))
    for step in yield_hotp_counters_from_time():
        if format_hotp_value(hotp_value(secret, step)) == digits:
            return UsedCode.objects.get_or_create(user=user, time_step=step, defaults={"used_at": now})[1]
    return False


def delete_used_codes(*, now: datetime) -> int:
    """Deletes used codes that would no longer be accepted anyway; returns how many."""
    return UsedCode.objects.filter(used_at__lt=now - _USED_CODE_RETENTION).delete()[0]


def reset(user: User) -> bool:
    """Deletes the authenticator app and the recovery codes; returns whether there were any."""
    return bool(Authenticator.objects.filter(user_id=user.pk).delete()[0])
