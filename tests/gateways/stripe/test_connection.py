"""The connection to an account of Stripe: the report on it, its webhook endpoint, its keys and its secrets."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import parse_qs, urlsplit

import pytest
import stripe

from partway.gateways.connection_report import Finding
from partway.gateways.protocol import CheckoutRequest, Refused
from partway.gateways.registry import GATEWAYS
from partway.gateways.stripe import connection, requirements
from partway.gateways.stripe.webhooks import signing_secrets
from partway.lib.clock import now
from partway.lib.money import Money
from tests.gateways.stripe_server.client import StandIn, StandInAccount

URL = "https://pay.alder.example/callbacks/gwa_1/"
LOCAL_URL = "http://127.0.0.1:8000/callbacks/gwa_1/"
NOWHERE = "http://127.0.0.1:9/"
# Those of the stand-in, in the order of connection.PERMISSIONS.
GRANTS = [
    "checkout_session_write",
    "payment_intent_write",
    "charge_write",
    "dispute_read",
    "balance_transaction_source_read",
    "payout_read",
    "event_read",
    "accounts_kyc_basic_read",
    "webhook_write",
]


@pytest.fixture
def account(stand_in: StandIn) -> StandInAccount:
    return stand_in.open_account()


def create_endpoint(
    account: StandInAccount, credentials: dict[str, str], url: str = URL, after: timedelta = timedelta(0)
) -> dict[str, str]:
    setup = GATEWAYS["stripe"].callback_setup
    assert setup
    return setup.create(account.stand_in.url, credentials, url, now() + after)


def report(
    account: StandInAccount,
    credentials: dict[str, str],
    url: str = URL,
    clock_ahead: timedelta = timedelta(0),
) -> dict[str, Finding]:
    gateway = GATEWAYS["stripe"].open(account.stand_in.url, credentials)
    found = gateway.check(url, now() + clock_ahead).findings
    assert len({finding.code for finding in found}) == len(found)
    return {finding.code: finding for finding in found}


def levels(found: dict[str, Finding], level: str) -> set[str]:
    return {code for code, finding in found.items() if finding.level == level}


def issue_key(account: StandInAccount, *without: str) -> str:
    permissions = [grant for grant in GRANTS if grant not in without]
    # As at Stripe, who may write may read.
    reads = [grant.replace("_write", "_read") for grant in permissions]
    return str(account.control("issue_key", permissions=[*permissions, *reads])["key"])


def test_created_endpoint_sends_what_is_read_and_the_check_passes(account: StandInAccount) -> None:
    credentials = create_endpoint(account, {"api_key": account.live_key})
    found = report(account, credentials)
    assert levels(found, "wrong") == set()
    assert {
        "account",
        "charges",
        "payouts",
        "country",
        "settlement",
        "methods",
        "callbacks",
        "clock",
    } <= levels(found, "ok")
    assert found["mode_live"]
    client = stripe.StripeClient(account.live_key, base_addresses={"api": account.stand_in.url})
    [endpoint] = client.v1.webhook_endpoints.list().data
    assert endpoint.enabled_events == list(connection.EVENT_TYPES)
    assert (endpoint.url, endpoint.api_version) == (URL, stripe.api_version)
    assert credentials["signing_secret"].startswith("whsec_")


@pytest.mark.parametrize(
    ("change", "code", "level_live", "level_test"),
    [
        ({"charges_enabled": False}, "charges", "wrong", "advice"),
        ({"payouts_enabled": False}, "payouts", "advice", "advice"),
        (
            {"capabilities": dict.fromkeys(stripe.Account.Capabilities.__annotations__, "inactive")},
            "methods",
            "wrong",
            "advice",
        ),
    ],
)
def test_account_that_is_not_activated_is_wrong_only_when_live(
    account: StandInAccount, change: dict[str, Any], code: str, level_live: str, level_test: str
) -> None:
    for key, level in ((account.live_key, level_live), (account.test_key, level_test)):
        account.control("change_account", key=key, **change)
        assert report(account, create_endpoint(account, {"api_key": key}))[code].level == level


def test_each_missing_permission_is_named(account: StandInAccount) -> None:
    key = issue_key(account)
    found = report(account, create_endpoint(account, {"api_key": key}))
    assert found["permissions"] == Finding(found["permissions"].level, "permissions")
    assert levels(found, "wrong") == set()
    for grant, name in zip(GRANTS[:-1], connection.PERMISSIONS, strict=False):
        found = report(account, {"api_key": issue_key(account, grant), "signing_secret": "whsec_1"})
        assert found["permissions"].params == {"permissions": [name]}
        assert found["permissions"].level == "wrong"


@pytest.mark.parametrize(("live", "path"), [(True, "/apikeys/create"), (False, "/test/apikeys/create")])
def test_form_of_a_key_at_stripe_opens_with_the_permissions_chosen(live: bool, path: str) -> None:
    form = urlsplit(connection.key_form_url(live))
    chosen = parse_qs(form.query)["permissions[]"]
    # The account alone is called otherwise in errors than in the form.
    expected = [f"rak_{grant}" for grant in GRANTS]
    expected[expected.index("rak_accounts_kyc_basic_read")] = "rak_connected_account_read"
    assert (form.netloc, form.path, chosen) == ("dashboard.stripe.com", path, expected)


def test_every_reason_of_a_held_account_has_words() -> None:
    [reasons] = [
        get_args(member)
        for member in get_args(get_type_hints(stripe.Account.Requirements)["disabled_reason"])
        if get_origin(member) is Literal
    ]
    assert [reason for reason in reasons if requirements.words(reason) == reason] == []
    by_platform = {requirements.words(reason) for reason in reasons if ".platform_" in reason}
    assert by_platform == {"The operator of the platform has rejected the account."}


def test_key_without_webhooks_is_set_up_by_hand(account: StandInAccount) -> None:
    credentials = {"api_key": issue_key(account, "webhook_write")}
    with pytest.raises(Refused, match="permission_missing"):
        create_endpoint(account, credentials)
    assert {"callbacks_secret"} == levels(report(account, credentials), "wrong")
    secret = str(account.control("add_endpoint", url=URL)["secret"])
    for wrong in ("", "whsec_", "sk_test_0123456789abcdef"):
        with pytest.raises(ValueError, match="secret"):
            connection.with_secret(credentials, wrong, now())
    credentials = connection.with_secret(credentials, secret, now())
    found = report(account, credentials)
    assert levels(found, "wrong") == set()
    assert found["callbacks_unread"].level == "advice"


def test_endpoint_that_is_not_right_is_found_and_replaced(account: StandInAccount) -> None:
    credentials = {"api_key": account.test_key, "signing_secret": f"whsec_{'a' * 32}"}
    assert levels(report(account, credentials), "wrong") == {"callbacks_missing"}
    by_hand = account.control("add_endpoint", url=URL, enabled_events=["payment_intent.succeeded"])
    found = report(account, credentials)
    assert "refund.failed" in found["callbacks_incomplete"].params["events"]  # type: ignore[operator]
    client = stripe.StripeClient(account.test_key, base_addresses={"api": account.stand_in.url})
    client.v1.webhook_endpoints.update(by_hand["id"], {"disabled": True})
    assert levels(report(account, credentials), "wrong") == {"callbacks_disabled"}
    credentials = create_endpoint(account, credentials)
    [created] = client.v1.webhook_endpoints.list().data
    assert created.id != by_hand["id"]
    assert report(account, credentials)["callbacks"].level == "ok"


def test_replaced_secret_is_accepted_for_one_more_day(account: StandInAccount) -> None:
    first = create_endpoint(account, {"api_key": account.test_key})
    second = create_endpoint(account, first)
    secrets = [one["signing_secret"] for one in (second, first)]
    assert secrets[0] != secrets[1]
    assert signing_secrets(second, now()) == secrets
    assert signing_secrets(second, now() + timedelta(hours=25)) == secrets[:1]


@pytest.mark.parametrize("kind", ["bad_gateway", "dropped"])
def test_secret_of_new_endpoint_is_kept_where_the_old_one_cannot_be_deleted(
    account: StandInAccount, kind: str
) -> None:
    first = create_endpoint(account, {"api_key": account.test_key})
    account.inject(kind, on="webhook_endpoints.delete", count=9)
    second = create_endpoint(account, first)
    assert signing_secrets(second, now())[1:] == signing_secrets(first, now())
    assert report(account, create_endpoint(account, second))["callbacks"].level == "ok"


def test_address_of_this_machine_is_advice_in_test_mode_only(account: StandInAccount) -> None:
    for key, level in ((account.test_key, "advice"), (account.live_key, "wrong")):
        found = report(account, {"api_key": key}, url=LOCAL_URL)
        assert found["callbacks_unreachable"].level == level
        assert "callbacks_secret" not in found


def test_clock_that_differs_is_wrong(account: StandInAccount) -> None:
    for ahead, level in ((0, "ok"), (50, "ok"), (75, "wrong"), (-75, "wrong")):
        found = report(account, {"api_key": account.test_key}, clock_ahead=timedelta(seconds=ahead))
        assert found["clock"].level == level
        assert found["clock"].params["seconds"] == pytest.approx(ahead, abs=5)


def test_events_that_could_not_be_delivered_are_named(account: StandInAccount) -> None:
    credentials = create_endpoint(account, {"api_key": account.test_key}, url=NOWHERE)
    gateway = GATEWAYS["stripe"].open(account.stand_in.url, credentials)
    request = CheckoutRequest(
        key="1",
        amount=Money(12_500, "USD"),
        description="Invoice INV-0042",
        reference="pay_1",
        return_url="https://pay.alder.example/back",
        callback_url=NOWHERE,
        expires_at=now() + timedelta(minutes=30),
    )
    gateway.close(gateway.start(request).ref, "2")
    assert "callbacks_undelivered" not in report(account, credentials)  # it may be on its way
    found = report(account, credentials, clock_ahead=timedelta(minutes=3))
    assert len(found["callbacks_undelivered"].params["event_ids"]) == 1  # type: ignore[arg-type]


def test_key_of_test_mode_is_told_by_itself() -> None:
    kinds = {"sk_test_1": True, "rk_test_1": True, "sk_live_1": False, "rk_live_1": False}
    assert {key: connection.is_test_account({"api_key": key}) for key in kinds} == kinds
