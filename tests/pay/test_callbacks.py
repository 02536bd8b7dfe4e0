"""The endpoint for callbacks of gateways: what it accepts, and its responses."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from django.test import Client
from standardwebhooks import Webhook
from structlog.testing import capture_logs

from partway.accounts.models import GatewayAccount, Organization
from partway.billing.models import Callback


@pytest.fixture
def account(organization: Organization) -> GatewayAccount:
    return organization.gateway_accounts.get()


def _report(account: GatewayAccount, event_id: str = "evt_1") -> tuple[bytes, dict[str, str]]:
    event = {
        "id": event_id,
        "type": "checkout.captured",
        "created": datetime.now(UTC).isoformat(),
        "data": {"checkout": "co_1"},
    }
    return _signed(account, json.dumps(event), event_id)


def _signed(account: GatewayAccount, body: str, event_id: str = "evt_1") -> tuple[bytes, dict[str, str]]:
    at = datetime.now(UTC)
    signature = Webhook(account.credentials["signing_secret"]).sign(event_id, at, body)
    stamp = str(int(at.timestamp()))
    return body.encode(), {"webhook-id": event_id, "webhook-timestamp": stamp, "webhook-signature": signature}


def _send(dana: Client, account_id: str, body: bytes, headers: dict[str, str]) -> tuple[int, object]:
    path = f"/callbacks/{account_id}/"
    response = dana.post(path, body, content_type="application/json", headers=headers)
    return response.status_code, response.json()


def test_signed_callback_is_stored(dana: Client, account: GatewayAccount) -> None:
    assert _send(dana, account.id, *_report(account)) == (200, {"stored": True})
    assert Callback.objects.get().event_id == "evt_1"


def test_duplicate_callback_is_stored_once(dana: Client, account: GatewayAccount) -> None:
    for _ in range(2):
        assert _send(dana, account.id, *_report(account))[0] == 200
    assert Callback.objects.count() == 1


def test_callback_needs_no_csrf_token(account: GatewayAccount) -> None:
    assert _send(Client(enforce_csrf_checks=True), account.id, *_report(account))[0] == 200


def test_callback_with_changed_body_is_refused(dana: Client, account: GatewayAccount) -> None:
    body, headers = _report(account)
    assert _send(dana, account.id, body.replace(b"co_1", b"co_2"), headers)[0] == 400
    assert not Callback.objects.exists()


def test_unsigned_callback_is_refused(dana: Client, account: GatewayAccount) -> None:
    assert _send(dana, account.id, _report(account)[0], {})[0] == 400


@pytest.mark.parametrize(
    "body", ["[" * 60_000, '{"a":' * 12_000, "[" * 30_000 + "]" * 30_000, '{"id": "evt_1", "id": "evt_2"}']
)
def test_signed_callback_with_unreadable_body_is_refused_and_logged(
    dana: Client, account: GatewayAccount, body: str
) -> None:
    with capture_logs() as logs:
        assert _send(dana, account.id, *_signed(account, body))[0] == 400
    refused = [entry for entry in logs if entry["event"] == "callback_refused"]
    assert [entry["gateway_account"] for entry in refused] == [account.pk]


@pytest.mark.parametrize("account_id", ["gwa_nobody", "%00", "..%2f", "é"])
def test_callback_of_unknown_account_is_404(dana: Client, account: GatewayAccount, account_id: str) -> None:
    body, headers = _report(account)
    path = f"/callbacks/{account_id}/"
    assert dana.post(path, body, content_type="application/json", headers=headers).status_code == 404


def test_callback_signed_for_another_account_is_refused(dana: Client, account: GatewayAccount) -> None:
    report = _report(account)
    account.credentials = {**account.credentials, "signing_secret": "whsec_" + "b3RoZXIh" * 4}
    account.save()
    assert _send(dana, account.id, *report)[0] == 400


def test_oversized_callback_is_refused(dana: Client, account: GatewayAccount) -> None:
    assert _send(dana, account.id, b"x" * (64 * 1024 + 1), {})[0] == 413


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
def test_callback_accepts_only_post(dana: Client, account: GatewayAccount, method: str) -> None:
    assert dana.generic(method, f"/callbacks/{account.id}/").status_code == 405
