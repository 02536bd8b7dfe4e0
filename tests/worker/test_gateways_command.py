"""`partway gateways check` runs a payment in a test account where a key is given, and skips it where none is."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from tests.gateways.stripe_server.client import StandIn


def check(settings: Settings, stand_in: StandIn, key: str) -> list[str]:
    settings.PARTWAY_GATEWAY_URLS = {"stripe": stand_in.url}
    settings.PARTWAY_GATEWAY_TEST_KEYS = {"stripe": key}
    out = StringIO()
    call_command("gateways", "check", "stripe", stdout=out)
    return out.getvalue().splitlines()


def test_gateways_check_pays_and_refunds_in_a_test_account(settings: Settings, stand_in: StandIn) -> None:
    account = stand_in.open_account()
    lines = check(settings, stand_in, account.test_key)
    assert [line.split()[0] for line in lines] == ["ok"] * 7
    assert lines[-1] == "ok  their events were listed"
    names = [request["name"] for request in account.control("requests")]
    assert {"checkout.sessions.expire", "payment_intents.capture", "refunds.create"} <= set(names)


def test_gateways_check_is_skipped_without_a_key(settings: Settings, stand_in: StandIn) -> None:
    assert check(settings, stand_in, "") == ["skipped: no key (PARTWAY_STRIPE_TEST_KEY)"]


def test_gateways_check_touches_no_live_account(settings: Settings, stand_in: StandIn) -> None:
    account = stand_in.open_account()
    with pytest.raises(CommandError, match="nothing was done"):
        check(settings, stand_in, account.live_key)
    assert account.control("requests", key=account.live_key) == []


def test_gateways_check_names_what_is_wrong(settings: Settings, stand_in: StandIn) -> None:
    account = stand_in.open_account()
    account.inject("server_error", on="payment_intents.capture")
    with pytest.raises(CommandError, match="answered 500"):
        check(settings, stand_in, account.test_key)
    with pytest.raises(CommandError, match="unauthenticated"):
        check(settings, stand_in, "sk_test_wrong")
