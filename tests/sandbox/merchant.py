"""A merchant that speaks the company's API itself, without an adapter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.gateways.company import Company, Ear


class Merchant:
    """One account at the company. A checkout is the JSON that the API answers."""

    def __init__(self, company: Company, ear: Ear) -> None:
        self.company = company
        self.ear = ear
        account = company.ask("POST", "/v1/accounts", name="Acme", callback_url=ear.url).json()
        self.key = account["api_key"]
        self.secret = account["signing_secret"]

    def ask(self, method: str, path: str, **body: object) -> httpx.Response:
        return self.company.ask(method, f"/v1/{path}", self.key, **body)

    def start(self, **changes: object) -> dict[str, Any]:
        answer = self.ask("POST", "checkouts", **{**ORDER, "expires_at": in_minutes(35), **changes})
        assert answer.is_success, answer.text
        return dict(answer.json())

    def fetch(self, checkout: dict[str, Any]) -> dict[str, Any]:
        return dict(self.ask("GET", f"checkouts/{checkout['id']}").json())

    def do(self, act: str, checkout: dict[str, Any], **body: object) -> httpx.Response:
        return self.ask("POST", f"checkouts/{checkout['id']}/{act}", **body)

    def go_wrong(self, kind: str, **details: object) -> None:
        assert self.ask("POST", "faults", kind=kind, **details).is_success

    def ledger(self) -> list[dict[str, Any]]:
        return list(self.ask("GET", "ledger").json()["data"])


ORDER = {
    "amount": 12_500,
    "currency": "USD",
    "description": "Invoice INV-0042 <b>first</b> stage",
    "reference": "pay_1",
    "return_url": "http://merchant.test/back?payment=1",
}


def in_minutes(minutes: float) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
