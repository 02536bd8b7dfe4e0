"""A merchant that calls the sandbox's API directly, without our gateway adapter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.support.sandbox_server import CallbackReceiver, SandboxServer


class Merchant:
    """One account at the sandbox. A checkout is the JSON of the API."""

    def __init__(self, sandbox_server: SandboxServer, callback_receiver: CallbackReceiver) -> None:
        self.sandbox_server = sandbox_server
        self.callback_receiver = callback_receiver
        account = sandbox_server.call_api(
            "POST", "/v1/accounts", name="Acme", callback_url=callback_receiver.url
        ).json()
        self.key = account["api_key"]
        self.secret = account["signing_secret"]

    def call_api(self, method: str, path: str, **body: object) -> httpx.Response:
        return self.sandbox_server.call_api(method, f"/v1/{path}", self.key, **body)

    def start(self, **changes: object) -> dict[str, Any]:
        response = self.call_api(
            "POST", "checkouts", **{**CHECKOUT_FIELDS, "expires_at": in_minutes(35), **changes}
        )
        assert response.is_success, response.text
        return dict(response.json())

    def fetch(self, checkout: dict[str, Any]) -> dict[str, Any]:
        return dict(self.call_api("GET", f"checkouts/{checkout['id']}").json())

    def do(self, act: str, checkout: dict[str, Any], **body: object) -> httpx.Response:
        return self.call_api("POST", f"checkouts/{checkout['id']}/{act}", **body)

    def inject_fault(self, kind: str, **details: object) -> None:
        assert self.call_api("POST", "faults", kind=kind, **details).is_success

    def ledger(self) -> list[dict[str, Any]]:
        return list(self.call_api("GET", "ledger").json()["data"])


CHECKOUT_FIELDS = {
    "amount": 12_500,
    "currency": "USD",
    "description": "Invoice INV-0042 <b>first</b> stage",
    "reference": "pay_1",
    "return_url": "http://merchant.test/back?payment=1",
}


def in_minutes(minutes: float) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
