"""Settings → Payments where the operator has a platform: onboarding instead of keys, and the operator's approval."""

from __future__ import annotations

import httpx
import pytest
from django.template.loader import render_to_string
from django.test import Client
from pytest_django.fixtures import Settings

from partway.accounts.models import GatewayAccount, Organization
from partway.gateways.platform import Platform
from partway.gateways.registry import GATEWAYS
from tests.gateways.stripe_server.client import StandIn, StandInAccount

PAYMENTS = "/o/alder/settings/payments/"


@pytest.fixture(autouse=True)
def operator(stand_in: StandIn, settings: Settings, organization: Organization) -> StandInAccount:
    operator = stand_in.open_account()
    settings.PARTWAY_GATEWAY_URLS = {**settings.PARTWAY_GATEWAY_URLS, "stripe": stand_in.url}
    settings.PARTWAY_GATEWAY_PLATFORMS = {"stripe": Platform(operator.test_key)}
    GatewayAccount.objects.all().delete()
    Organization.objects.update(payments_enabled=False)
    return operator


def test_owner_connects_without_a_key(alice: Client, organization: Organization) -> None:
    page = alice.get(PAYMENTS).content.decode()
    assert "restricted key" not in page
    opening = f"{PAYMENTS}open/stripe/"
    assert opening in page
    page = alice.get(opening).content.decode()
    assert 'value="US" selected' in page
    assert f'value="{organization.email}"' in page
    assert (
        "Choose the country"
        in alice.post(opening, {"country": "", "email": "a@alder.example"}).content.decode()
    )
    page = alice.post(opening, {"country": "US", "email": organization.email}, follow=True).content.decode()
    for part in (
        "Your account is made. Continue at Stripe",
        "a bank account for payouts",
        "The account cannot take",
    ):
        assert part in page
    account = GatewayAccount.objects.current(organization).get()
    path = f"{PAYMENTS}{account.pk}/onboarding/"
    assert path in page
    with httpx.Client(trust_env=False) as browser:
        # Left in the middle, and continued by a new link.
        back = browser.post(alice.get(path)["location"], data={"decision": "later"}).headers["location"]
        assert "still needs something" in alice.get(back, follow=True).content.decode()
        back = browser.post(alice.get(path)["location"]).headers["location"]
    page = alice.get(back, follow=True).content.decode()
    assert "has all that it needs" in page
    assert "Continue at Stripe" not in page
    for part in ("Enter a new key", "Set up the reports"):
        assert part not in page
    for part in ("key", "reports"):
        assert alice.get(f"{PAYMENTS}{account.pk}/{part}/").status_code == 404
    alice.post(PAYMENTS, {"operation": "switch_on"})
    organization.refresh_from_db()
    assert organization.payments_enabled


def test_owner_waits_for_the_operator(alice: Client, organization: Organization, settings: Settings) -> None:
    settings.PARTWAY_PAYMENTS_NEED_APPROVAL = True
    page = alice.get(PAYMENTS).content.decode()
    assert "The operator of this installation switches online payments on for you" in page
    assert "Switch online payments on<" not in page
    response = alice.post(PAYMENTS, {"operation": "switch_on"})
    assert response.status_code == 409
    assert "stay off until the operator" in response.content.decode()


def test_another_organization_reaches_no_account(
    mallory: Client, alice: Client, organization: Organization
) -> None:
    alice.post(f"{PAYMENTS}open/stripe/", {"country": "US", "email": organization.email})
    account = GatewayAccount.objects.current(organization).get()
    for path in ("onboarding", "onboarded"):
        assert mallory.get(f"/o/birch/settings/payments/{account.pk}/{path}/").status_code == 404


def test_account_of_the_platform_has_no_key_to_keep(alice: Client, organization: Organization) -> None:
    page = alice.get(PAYMENTS).content.decode()
    assert page.index("None is connected.") < page.index("Connect Stripe")
    assert page.count("button-primary") == 1
    alice.post(f"{PAYMENTS}open/stripe/", {"country": "US", "email": organization.email})
    account = GatewayAccount.objects.current(organization).get()
    left_behind = {"account": account, "definition": GATEWAYS["stripe"], "received_count": 1}
    text = render_to_string("staff/settings/left_behind.html", left_behind)
    assert "is refunded there" in text
    assert "key" not in text
