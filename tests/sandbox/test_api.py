"""The rules of the sandbox's API."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.sandbox.merchant_client import CHECKOUT_FIELDS, Merchant, in_minutes
from tests.support.sandbox_server import CallbackReceiver, SandboxServer


def code_of(response: httpx.Response) -> str:
    return str(response.json()["error"]["code"])


@pytest.fixture
def other(sandbox_server: SandboxServer, callback_receiver: CallbackReceiver) -> Merchant:
    return Merchant(sandbox_server, callback_receiver)


def test_sandbox_account_has_api_key_and_signing_secret(merchant: Merchant) -> None:
    assert merchant.key.startswith("sk_sandbox_")
    assert merchant.secret.startswith("whsec_")
    assert merchant.call_api("GET", "account").json()["name"] == "Acme"


@pytest.mark.parametrize(
    "url", ["", "ftp://x.test/", "javascript:alert(1)", "http://", "http://a b/", "/here"]
)
def test_sandbox_account_requires_valid_callback_url(sandbox_server: SandboxServer, url: str) -> None:
    response = sandbox_server.call_api("POST", "/v1/accounts", name="Acme", callback_url=url)
    assert (response.status_code, code_of(response)) == (422, "invalid")


def test_idempotency_key_without_account_is_ignored(sandbox_server: SandboxServer) -> None:
    body, headers = {"name": "Acme", "callback_url": "http://merchant.test/"}, {"Idempotency-Key": "k"}
    opened = [sandbox_server.client.post("/v1/accounts", json=body, headers=headers) for _ in range(2)]
    assert [response.status_code for response in opened] == [200, 200]
    assert opened[0].json()["id"] != opened[1].json()["id"]


@pytest.mark.parametrize("path", ["account", "checkouts", "checkouts/co_1", "ledger"])
def test_sandbox_api_requires_api_key(sandbox_server: SandboxServer, path: str) -> None:
    assert sandbox_server.call_api("GET", f"/v1/{path}").status_code == 401
    assert sandbox_server.call_api("GET", f"/v1/{path}", "sk_sandbox_wrong").status_code == 401


@pytest.mark.parametrize("act", ["capture", "close", "refunds", "settle", "lapse"])
def test_checkout_of_another_account_is_404(other: Merchant, checkout: dict[str, Any], act: str) -> None:
    assert other.call_api("GET", f"checkouts/{checkout['id']}").status_code == 404
    assert other.do(act, checkout, amount=100).status_code == 404


def test_checkout_list_is_scoped_to_account(merchant: Merchant, other: Merchant) -> None:
    started = merchant.start()
    assert [row["id"] for row in merchant.call_api("GET", "checkouts").json()["data"]] == [started["id"]]
    assert other.call_api("GET", "checkouts").json() == {"data": [], "next": None}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", "12500"),
        ("amount", 12.5),
        ("amount", True),
        ("amount", -1),
        ("amount", None),
        ("currency", "XXX"),
        ("currency", 7),
        ("return_url", "javascript:alert(1)"),
        ("return_url", "http://x.test/;script-src *"),
        ("expires_at", "tomorrow"),
        ("expires_at", "2030-01-01T00:00:00"),
        ("methods", ["cash"]),
        ("methods", "card"),
        ("description", "x" * 501),
    ],
)
def test_checkout_with_invalid_field_is_refused_by_field(
    merchant: Merchant, field: str, value: object
) -> None:
    body = {**CHECKOUT_FIELDS, "expires_at": in_minutes(5), field: value}
    response = merchant.call_api("POST", "checkouts", **body)
    assert (response.status_code, code_of(response)) == (422, "invalid")
    assert response.json()["error"]["message"].startswith(f"{field}:")


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff"])
def test_request_body_that_is_no_json_object_is_refused(
    sandbox_server: SandboxServer, merchant: Merchant, body: bytes
) -> None:
    headers = {"Authorization": f"Bearer {merchant.key}"}
    response = sandbox_server.client.post("/v1/checkouts", content=body, headers=headers)
    assert (response.status_code, code_of(response)) == (422, "invalid")


def test_refusal_is_replayed_for_same_idempotency_key(
    sandbox_server: SandboxServer, merchant: Merchant
) -> None:
    checkout = merchant.start()
    headers = {"Authorization": f"Bearer {merchant.key}", "Idempotency-Key": "early"}
    path = f"/v1/checkouts/{checkout['id']}/capture"
    early = sandbox_server.client.post(path, json={"amount": 12_500}, headers=headers)
    sandbox_server.submit_form(f"{checkout['url']}/pay", number="4242424242424242")
    repeated = sandbox_server.client.post(path, json={"amount": 12_500}, headers=headers)
    assert early.json() == repeated.json()
    assert code_of(early) == "not_authorized"


def test_idempotency_key_is_scoped_to_account(
    sandbox_server: SandboxServer, merchant: Merchant, other: Merchant
) -> None:
    body = {**CHECKOUT_FIELDS, "expires_at": in_minutes(5)}
    ids = set()
    for who in (merchant, other):
        headers = {"Authorization": f"Bearer {who.key}", "Idempotency-Key": "same"}
        response = sandbox_server.client.post("/v1/checkouts", json=body, headers=headers)
        ids.add(response.json()["id"])
    assert len(ids) == 2


def test_capture_in_another_currency_than_checkout_is_refused(
    merchant: Merchant, checkout: dict[str, Any]
) -> None:
    assert code_of(merchant.do("capture", checkout, amount=12_500, currency="EUR")) == "invalid"


def test_only_bank_debit_can_settle(merchant: Merchant, checkout: dict[str, Any]) -> None:
    assert code_of(merchant.do("settle", checkout)) == "not_processing"


def test_bank_debit_reports_when_its_outcome_is_expected(
    merchant: Merchant, checkout: dict[str, Any]
) -> None:
    assert checkout["settles_by"] is None
    merchant.sandbox_server.submit_form(f"{checkout['url']}/pay", method="bank_debit", account="000000002002")
    planned, sooner = merchant.fetch(checkout), merchant.do("days", checkout, days=1).json()
    days = datetime.fromisoformat(planned["settles_by"]) - datetime.fromisoformat(sooner["settles_by"])
    assert (days, merchant.fetch(checkout)["status"]) == (timedelta(days=1), "processing")


def test_unsupported_http_method_is_405(merchant: Merchant) -> None:
    assert merchant.call_api("DELETE", "checkouts").status_code == 405


def test_ledger_shows_captured_and_refunded_amounts(merchant: Merchant, checkout: dict[str, Any]) -> None:
    merchant.sandbox_server.submit_form(f"{checkout['url']}/pay", number="4242424242424242")
    merchant.do("capture", checkout, amount=12_500)
    merchant.do("refunds", checkout, amount=2_500)
    [line] = merchant.ledger()
    assert (line["captured"], line["captures"], line["refunded"]) == (12_500, 1, 2_500)


def test_refund_can_be_settled_once(merchant: Merchant, checkout: dict[str, Any]) -> None:
    merchant.sandbox_server.submit_form(f"{checkout['url']}/pay", number="4242424242424242")
    merchant.do("capture", checkout, amount=12_500)
    refund = merchant.do("refunds", checkout, amount=2_500).json()
    end = f"refunds/{refund['id']}/settle"
    assert merchant.call_api("POST", end, outcome="failed").is_success
    assert code_of(merchant.call_api("POST", end, outcome="succeeded")) == "refund_settled"
    assert merchant.fetch(checkout)["refunded"] == 0


def test_refund_of_another_account_is_404(
    merchant: Merchant, other: Merchant, checkout: dict[str, Any]
) -> None:
    merchant.sandbox_server.submit_form(f"{checkout['url']}/pay", number="4242424242424242")
    merchant.do("capture", checkout, amount=12_500)
    refund = merchant.do("refunds", checkout, amount=2_500).json()
    assert other.call_api("POST", f"refunds/{refund['id']}/settle", outcome="failed").status_code == 404
