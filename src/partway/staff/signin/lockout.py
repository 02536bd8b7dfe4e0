"""The limits on guessing passwords, codes and links: per account, per network, and per browser that is known.

A guess is counted for

- the account from anywhere, so that thirty addresses have no more guesses than one: ten in a quarter of an hour,
  twenty in two hours, forty in a day;
- the account from one network, which is the lockout that a person who mistypes meets;
- the network, whatever the account, so that one password is not tried on every account. IPv6 by /64 and by /48.

An attacker can use up the first two for ever, and must not lock the owner out with them: a browser in which the
account was signed in before, or its password set by a link from a mail, has a signed cookie and guesses of its own
(OWASP's "device cookies", decision 0033).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from math import ceil

import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from partway.accounts import rate_limits
from partway.accounts.models import User, sign_in_address
from partway.accounts.rate_limits import Limit, LimitReached, Uses, Window
from partway.billing.people import members
from partway.lib import clock
from partway.lib.ip_addresses import client_ip
from partway.staff import device_cookie

log = structlog.get_logger(__name__)

_DEFAULT_ADDRESS = "127.0.0.1"  # of a Unix socket
_QUARTER, _HOUR = timedelta(minutes=15), timedelta(hours=1)
_PER_ACCOUNT = (Window(10, _QUARTER), Window(20, 2 * _HOUR), Window(40, timedelta(days=1)))
_PER_DEVICE = (Window(10, _QUARTER), Window(40, timedelta(days=1)))
# A network is counted as its /64, or IPv4 address, and as its /48, from which a whole office may come.
_PER_NETWORK = (
    ("network", (Window(50, _QUARTER), Window(200, timedelta(days=1)))),
    ("site", (Window(150, _QUARTER), Window(600, timedelta(days=1)))),
)
_RESETS_PER_ACCOUNT = Limit("reset.account", Window(5, _HOUR))
_LINK = Limit("link", Window(20, _HOUR))
# A second factor that waits for its code ends after so many wrong ones, and takes the password again.
_PENDING = Limit("code.pending", Window(3, _QUARTER))


class SecondFactorEnded(Exception):
    """Too many wrong codes were typed since the password: it has to be typed again."""


def ip_address(request: HttpRequest) -> str:
    """Returns the browser's address; of forwarded ones only those from trusted proxies count."""
    forwarded_for = request.META.get("HTTP_X_FORWARDED_FOR", "")
    called_from = request.META.get("REMOTE_ADDR", "")
    return client_ip(forwarded_for, called_from, settings.PARTWAY_TRUSTED_PROXIES) or _DEFAULT_ADDRESS


@contextmanager
def guess(request: HttpRequest, email: str, kind: str, *, pending: str = "") -> Iterator[None]:
    """Counts a guess at the password or code of an account, if the block ends with ValidationError.

    kind: password or code. pending: the sign-in that waits for its second factor.
    Raises LimitReached, and SecondFactorEnded with the last wrong code of a pending sign-in. The owner is told of
    both by mail, and sees each failure in the audit log; nothing differs where there is no such account.
    """
    email = sign_in_address(email)
    user = User.objects.filter(email=email, is_active=True).first()
    uses = _uses(request, email, user, kind)
    attempts = _consume(request, user, uses, kind)
    try:
        if pending:
            attempts += rate_limits.consume({_PENDING: pending}, now=clock.now())
        yield
    except LimitReached as reached:
        raise SecondFactorEnded from reached
    except ValidationError as error:
        log.warning("sign_in_failed", kind=kind, ip_address=ip_address(request))
        if user is not None:
            members.record_failed_sign_in(user, kind, ip_address=ip_address(request), now=clock.now())
        if pending and _is_full({_PENDING: pending}):
            if user is not None:
                members.warn_of_guesses(user, kind, ip_address=ip_address(request), now=clock.now())
            raise SecondFactorEnded from error
        raise
    except BaseException:
        rate_limits.release(attempts)  # nothing was tried
        raise
    else:
        rate_limits.release(attempts)


def _consume(request: HttpRequest, user: User | None, uses: Uses, kind: str) -> list[int]:
    try:
        return rate_limits.consume(uses, now=clock.now())
    except LimitReached as reached:
        log.warning("sign_in_limited", limit=reached.limit.action, ip_address=ip_address(request))
        if user is not None:
            members.warn_of_guesses(user, kind, ip_address=ip_address(request), now=clock.now())
        raise


def _is_full(uses: Uses) -> bool:
    try:
        rate_limits.check(uses, now=clock.now())
    except LimitReached:
        return True
    return False


def _uses(request: HttpRequest, email: str, user: User | None, kind: str) -> Uses:
    device = device_cookie.read(request)
    if device is not None and user is not None and device.user_id == user.pk:
        return {Limit(f"{kind}.device", *_PER_DEVICE): device.name}
    wait = timedelta(minutes=settings.PARTWAY_SIGNIN_LOCKOUT_MINUTES)
    per_pair = Limit(f"{kind}.account_and_network", Window(settings.PARTWAY_SIGNIN_FAILURES, wait))
    network = rate_limits.networks(ip_address(request))[0]
    return {
        Limit(f"{kind}.account", *_PER_ACCOUNT): email,
        per_pair: f"{email} {network}",
        **_per_network(request, kind),
    }


def _per_network(request: HttpRequest, kind: str) -> Uses:
    networks = rate_limits.networks(ip_address(request))
    return {
        Limit(f"{kind}.{name}", *windows): network
        for (name, windows), network in zip(_PER_NETWORK, networks, strict=False)
    }


def count_reset(request: HttpRequest, email: str) -> None:
    """Counts a request for a link by mail, for an account that exists or not. Raises LimitReached."""
    uses = {_RESETS_PER_ACCOUNT: sign_in_address(email), **_per_network(request, "reset")}
    rate_limits.consume(uses, now=clock.now())


def count_link_use(request: HttpRequest, subject: str) -> None:
    """Counts that a form behind a link of a mail was sent: the link's subject, and the network. Raises LimitReached."""
    rate_limits.consume({_LINK: subject, **_per_network(request, "link")}, now=clock.now())


def clear_lockout(request: HttpRequest, user: User) -> None:
    """Forgets the failures of an account from this network, for a person who has signed in there."""
    network = rate_limits.networks(ip_address(request))[0]
    for kind in ("password", "code"):
        rate_limits.clear(f"{kind}.account_and_network", f"{user.email} {network}")


def limited_response(request: HttpRequest, reached: LimitReached) -> HttpResponse:
    """Returns the page of a limit that is used up, as 429 with Retry-After."""
    seconds = max(ceil(reached.retry_after.total_seconds()), 1)
    subject = reached.limit.action.partition(".")[0]
    context = {"minutes": ceil(seconds / 60), "subject": subject}
    response = render(request, "staff/signin/locked.html", context, status=429)
    response.headers["Retry-After"] = str(seconds)
    return response
