"""Connects organizations by the operator's platform: the gateway itself asks the owner for what it needs to know."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import IntegrityError

from partway.accounts.models import GatewayAccount, Organization
from partway.accounts.permissions import Permission, needs
from partway.gateways.platform import Onboarding, Platform, PlatformDefinition
from partway.gateways.registry import GATEWAYS
from partway.lib.sealing import digest

from ..checkouts import gateway_calls
from ..errors import GatewayNotAllowed, Invalid, field_error
from ..events import Actor
from . import gateway_accounts


def platforms() -> dict[str, PlatformDefinition]:
    """Returns the gateways at which the operator has a platform, by their codes."""
    definitions = {code: GATEWAYS[code].platform for code in settings.PARTWAY_GATEWAY_PLATFORMS}
    return {code: definition for code, definition in definitions.items() if definition is not None}


@needs(Permission.CONFIGURE_PAYMENTS)
def open_account(
    organization: Organization, *, gateway: str, country: str, email: str, by: Actor, now: datetime
) -> GatewayAccount:
    """Makes an account of the organization at a gateway, and the current one; payments wait for its onboarding.

    One that the platform has opened for it before is used again, so that its owner goes on where they stopped.
    Raises Invalid on `country`, GatewayNotAllowed, GatewayRefused and GatewayUnavailable.
    """
    definition, platform = _platform_of(gateway)
    if country not in definition.countries:
        raise Invalid({"country": field_error("country_unknown")})
    before = GatewayAccount.objects.filter(organization=organization, gateway=gateway, is_of_platform=True)
    for earlier in before.order_by("-created_at"):
        gateway_accounts.check(earlier, now=now)
        # One that has left the platform, or was made by a platform of another mode, cannot be used again.
        if not {"disconnected", "credentials"} & {finding["code"] for finding in earlier.findings}:
            return _use(earlier, by=by, now=now)
    account = GatewayAccount(organization=organization, gateway=gateway, is_of_platform=True)
    # Two clicks, and a click after a time-out, make one account.
    key = digest(f"{organization.pk} {before.count()} {country} {email}")
    business = Onboarding(key=key, country=country, email=email, name=organization.name)
    with gateway_accounts.asking(gateway):
        url = settings.PARTWAY_GATEWAY_URLS[gateway]
        account.credentials = definition.create_account(url, platform, business)
        report = gateway_calls.gateway_for_account(account).check(gateway_calls.callback_url(account), now)
    gateway_accounts.take_report(account, report, now)
    try:
        return _use(account, by=by, now=now)
    except IntegrityError:  # the other click was first
        return before.get(account_ref=account.account_ref)


def _use(account: GatewayAccount, *, by: Actor, now: datetime) -> GatewayAccount:
    gateway_accounts.make_current(account, by=by, now=now)
    gateway_accounts.enable_where_ready(account, by=by, now=now)
    return account


@needs(Permission.CONFIGURE_PAYMENTS)
def onboarding_url(account: GatewayAccount, *, return_url: str, refresh_url: str) -> str:
    """Returns a URL of the gateway, for some minutes, where the owner of this account goes on with the onboarding.

    Raises GatewayNotAllowed, GatewayRefused and GatewayUnavailable.
    """
    definition, platform = _platform_of(account.gateway)
    with gateway_accounts.asking(account.gateway):
        url, credentials = settings.PARTWAY_GATEWAY_URLS[account.gateway], account.credentials
        return definition.onboarding_url(url, platform, credentials, return_url, refresh_url)


def _platform_of(gateway: str) -> tuple[PlatformDefinition, Platform]:
    """Returns how the gateway connects by a platform, and that of the operator; raises GatewayNotAllowed."""
    definition = platforms().get(gateway)
    if definition is None:
        raise GatewayNotAllowed(reason="no_platform", gateway=gateway)
    platform: Platform = settings.PARTWAY_GATEWAY_PLATFORMS[gateway]
    # As for keys: no play money on a live installation, no real money on a copy.
    if definition.is_test_key(platform.key) is settings.PARTWAY_LIVE:
        reason = "test_gateway_when_live" if settings.PARTWAY_LIVE else "live_account_when_not_live"
        raise GatewayNotAllowed(reason=reason, gateway=gateway)
    return definition, platform
