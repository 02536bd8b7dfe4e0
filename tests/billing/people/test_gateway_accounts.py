"""Connecting a gateway, checking the connection, and changing, replacing or ending it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import httpx
import pytest
from pytest_django.fixtures import Settings

from partway.accounts.models import GatewayAccount, Organization
from partway.billing.errors import (
    GatewayNotAllowed,
    GatewayNotReady,
    GatewayRefused,
    GatewayUnavailable,
    Invalid,
    Stale,
)
from partway.billing.events import Actor
from partway.billing.models import Callback, Event, PaymentRequest
from partway.billing.payments import refunds
from partway.billing.payments.refresh import refresh_payment
from partway.billing.payments.start import start_payment
from partway.billing.people import gateway_accounts, organizations
from partway.gateways.connection_report import ConnectionReport, Finding, FindingLevel
from partway.gateways.protocol import Refused
from partway.gateways.registry import GATEWAYS
from partway.lib.clock import now as present
from tests.gateways.toy import GOOD_KEY, NEW_KEY, OTHER_KEY, TOY, TOY_WITH_CALLBACKS, ToyGateway
from tests.support.gateway_driver import GatewayDriver


@pytest.fixture(autouse=True)
def toy_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that is told where it sends its callbacks."""
    monkeypatch.setitem(GATEWAYS, "toy", TOY_WITH_CALLBACKS)


def connect(organization: Organization, alice: Actor, key: str = GOOD_KEY) -> GatewayAccount:
    return gateway_accounts.connect(
        organization,
        gateway="toy",
        credentials={"api_key": key},
        by=alice,
        now=present(),
        enable_payments=True,
    )


def findings(account: GatewayAccount) -> dict[str, str]:
    """Returns the levels of the stored report, by code."""
    stored = GatewayAccount.objects.get(pk=account.pk).findings
    return {finding["code"]: finding["level"] for finding in stored}


def test_connecting_sets_up_callbacks_and_enables_payments(organization: Organization, alice: Actor) -> None:
    Organization.objects.update(payments_enabled=False)
    account = connect(organization, alice)
    assert findings(account) == {"callbacks_secret": "ok", "currency": "ok"}
    assert account.credentials["signing_secret"].startswith("toy_secret_")
    assert (account.account_ref, account.account_name) == ("toy_1", "Toy shop")
    assert Organization.objects.get(pk=organization.pk).payments_enabled
    types = Event.objects.filter(type__startswith="organization.").order_by("id")
    assert list(types.values_list("type", flat=True))[-3:] == [
        "organization.gateway_connected",
        "organization.gateway_callbacks_changed",
        "organization.payments_enabled",
    ]
    assert GOOD_KEY not in str(list(Event.objects.values_list("data", flat=True)))


def test_payments_stay_off_until_callbacks_are_set_up_by_hand(
    organization: Organization, alice: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where they were on before: customers would be led to an account that is not ready."""

    def open_(url: str, credentials: Mapping[str, str]) -> ToyGateway:
        return ToyGateway(url, {"signing_secret": "", **credentials})

    def create(*_: object) -> dict[str, str]:
        raise Refused("permission_missing", "This key may not.")

    setup = TOY_WITH_CALLBACKS.callback_setup
    assert setup
    restricted = replace(TOY_WITH_CALLBACKS, open=open_, callback_setup=replace(setup, create=create))
    monkeypatch.setitem(GATEWAYS, "toy", restricted)
    account = connect(organization, alice)
    assert findings(account)["callbacks_secret"] == "wrong"
    assert not Organization.objects.get(pk=organization.pk).payments_enabled
    with pytest.raises(GatewayNotReady):
        gateway_accounts.enable_payments(organization, by=alice, now=present())
    with pytest.raises(Invalid):
        gateway_accounts.set_callback_secret(account, secret="nonsense", by=alice, now=present())
    account.refresh_from_db()
    gateway_accounts.set_callback_secret(account, secret=" toy_secret_1 ", by=alice, now=present())
    assert gateway_accounts.enable_payments(organization, by=alice, now=present()).payments_enabled


def test_payments_cannot_be_enabled_without_an_account_or_with_a_restricted_one(
    gateway_driver: GatewayDriver, organization: Organization, alice: Actor
) -> None:
    organizations.set_payments_enabled(organization, on=False, by=alice, now=present())
    gateway_driver.restrict_account()
    with pytest.raises(GatewayNotReady) as refusal:
        gateway_accounts.enable_payments(organization, by=alice, now=present())
    assert refusal.value.reason == "check_failed"
    assert findings(gateway_driver.account) == {
        "account": "ok",
        "mode_test": "ok",
        "charges": "wrong",
        "methods": "ok",
        "clock": "ok",
        "currency": "ok",
    }
    gateway_accounts.disconnect(organization, by=alice, now=present())
    with pytest.raises(GatewayNotReady):
        gateway_accounts.enable_payments(organization, by=alice, now=present())


def test_gateway_that_does_not_answer_keeps_the_report_and_payments_off(
    organization: Organization, alice: Actor, settings: Settings
) -> None:
    Organization.objects.update(payments_enabled=False)
    settings.PARTWAY_GATEWAY_URLS = {"sandbox": "http://127.0.0.1:9"}
    with pytest.raises(GatewayUnavailable):
        gateway_accounts.enable_payments(organization, by=alice, now=present())
    assert GatewayAccount.objects.current(organization).get().passes
    assert not Organization.objects.get(pk=organization.pk).payments_enabled


def test_revoked_key_is_a_finding(organization: Organization, alice: Actor) -> None:
    account = connect(organization, alice)
    account.credentials = {"api_key": "revoked"}
    account.save()
    assert not gateway_accounts.check(account, now=present())
    assert findings(account) == {"credentials": "wrong", "currency": "ok"}


def test_key_is_replaced_by_one_of_the_same_account_only(organization: Organization, alice: Actor) -> None:
    account = connect(organization, alice)
    for key, error in (("wrong", GatewayRefused), (OTHER_KEY, Invalid), ("", Invalid)):
        with pytest.raises(error):
            gateway_accounts.replace_credentials(
                account, credentials={"api_key": key}, by=alice, now=present()
            )
        account.refresh_from_db()
    secret = account.credentials["signing_secret"]
    gateway_accounts.replace_credentials(account, credentials={"api_key": NEW_KEY}, by=alice, now=present())
    account.refresh_from_db()
    assert account.credentials == {"api_key": NEW_KEY, "signing_secret": secret}


def test_credentials_that_another_owner_changed_are_not_overwritten(
    organization: Organization, alice: Actor
) -> None:
    account = connect(organization, alice)
    as_read_before = GatewayAccount.objects.get(pk=account.pk)
    gateway_accounts.set_callback_secret(account, secret="toy_secret_1", by=alice, now=present())
    with pytest.raises(Stale):
        gateway_accounts.replace_credentials(
            as_read_before, credentials={"api_key": NEW_KEY}, by=alice, now=present()
        )
    account.refresh_from_db()
    assert account.credentials == {"api_key": GOOD_KEY, "signing_secret": "toy_secret_1"}


def test_key_for_the_other_mode_is_not_connected(
    organization: Organization, alice: Actor, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    before = GatewayAccount.objects.count()
    by_key = replace(TOY, is_test_account=lambda credentials: credentials["api_key"] == NEW_KEY)
    monkeypatch.setitem(GATEWAYS, "toy", by_key)
    for live, key in ((False, GOOD_KEY), (True, NEW_KEY)):
        settings.PARTWAY_LIVE = live
        with pytest.raises(GatewayNotAllowed):
            connect(organization, alice, key)
    assert GatewayAccount.objects.count() == before


def test_payment_of_an_earlier_account_is_refunded_there(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, organization: Organization, alice: Actor
) -> None:
    payment = gateway_driver.start_and_pay(open_request)
    connect(organization, alice)
    gateway_accounts.disconnect(organization, by=alice, now=present())
    new_refund = refunds.NewRefund(amount=payment.amount, reason="duplicate")
    refund = refunds.refund(payment, new_refund=new_refund, by=alice, now=present())
    assert refund.status == "succeeded"
    assert gateway_driver.refunded_minor(payment) == payment.amount_minor


@pytest.mark.parametrize("how", ["", "good", "debit"])
def test_payment_under_way_in_a_test_account_ends_when_the_installation_goes_live(
    gateway_driver: GatewayDriver,
    open_request: PaymentRequest,
    alice: Actor,
    settings: Settings,
    how: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The customer can pay for real at once, and no test card settles the invoice."""
    payment = gateway_driver.start(open_request)
    if how:
        gateway_driver.pay(payment, how)
    if how == "debit":
        assert refresh_payment(payment, now=present()).status == "processing"
    settings.PARTWAY_LIVE = True
    ended = refresh_payment(payment, now=present())
    assert (ended.status, ended.failure_code) == ("failed", "test_gateway_when_live")
    monkeypatch.setattr(gateway_driver, "assert_ledger_matches_books", lambda: None)
    connect(open_request.organization, alice)
    live = start_payment(
        open_request, expected_amount=open_request.amount_requested, payer_ip="", now=present()
    )
    assert live.gateway_account.gateway == "toy"  # type: ignore[union-attr]


def test_methods_that_the_organization_allows_are_offered(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    account = gateway_driver.account
    for none in ((), ("cheque",)):
        with pytest.raises(Invalid):
            gateway_accounts.allow_methods(account, methods=none, by=alice, now=present())
    gateway_accounts.allow_methods(account, methods=("bank_debit",), by=alice, now=present())
    page = httpx.get(gateway_driver.start(open_request).checkout_url, trust_env=False).text
    assert 'name="account"' in page
    assert 'name="number"' not in page
    gateway_accounts.allow_methods(account, methods=("bank_debit", "card"), by=alice, now=present())
    assert GatewayAccount.objects.get(pk=account.pk).methods == []


def test_report_leaves_out_deliveries_that_arrived_here(
    organization: Organization, alice: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Undelivered(ToyGateway):
        def check(self, callback_url: str, now: datetime) -> ConnectionReport:
            ids = ["evt_here", "evt_missing"]
            finding = Finding(FindingLevel.ADVICE, "callbacks_undelivered", {"event_ids": ids})
            return ConnectionReport("toy_1", "Toy shop", (finding,))

    monkeypatch.setitem(GATEWAYS, "toy", replace(TOY, open=Undelivered))
    account = connect(organization, alice)
    at = present()
    Callback.objects.create(
        gateway_account=account, event_id="evt_here", checkout_ref="x", received_at=at, next_attempt_at=at
    )
    assert gateway_accounts.check(account, now=at)
    stored = {finding["code"]: finding["params"] for finding in account.findings}
    assert stored["callbacks_undelivered"] == {"event_ids": ["evt_missing"]}
    assert stored["callbacks_received"] == {"at": at.isoformat()}
