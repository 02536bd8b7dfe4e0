"""A running stand-in as a test holds it: its accounts, its control, and its customer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from .server import StripeServer


@contextmanager
def running_stripe(port: int = 0) -> Iterator[StandIn]:
    """Runs a stand-in in threads of this process, on a free port."""
    with StripeServer(port) as server, httpx.Client(trust_env=False, timeout=60) as client:
        yield StandIn(server.url, client)


@dataclass(frozen=True)
class StandIn:
    """A running stand-in, which many tests share: each opens an account of its own."""

    url: str
    client: httpx.Client

    def open_account(self, **changes: Any) -> StandInAccount:
        """Opens an account that may take payments; `changes` are merged into its resource."""
        response = self.client.post(f"{self.url}/_control/open_account", json=changes)
        return StandInAccount(self, **response.raise_for_status().json())


@dataclass(frozen=True)
class StandInAccount:
    """One account, in test mode unless `live_key` is used."""

    stand_in: StandIn
    id: str
    test_key: str
    live_key: str

    def control(self, act: str, key: str = "", **body: Any) -> Any:
        """Calls an act of control.py; `key` replaces the test key, as to act in live mode."""
        headers = {"Authorization": f"Bearer {key or self.test_key}"}
        response = self.stand_in.client.post(
            f"{self.stand_in.url}/_control/{act}", headers=headers, json=body
        )
        assert response.is_success, response.text
        return response.json()

    def inject(self, kind: str, on: str = "*", **details: Any) -> None:
        """Injects a fault of faults.py."""
        self.control("inject", kind=kind, on=on, **details)

    def pay(self, url: str, /, number: str = "4242424242424242", **form: str) -> httpx.Response:
        """Pays on the page of a session, by card unless `method` and `account` are given; no redirect is followed."""
        return self.stand_in.client.post(url, data={"number": number, **form})

    def authenticate(self, url: str, decision: str = "confirm") -> httpx.Response:
        """Confirms (or declines) on the page of 3-D Secure."""
        return self.stand_in.client.post(f"{url}/3ds", data={"decision": decision})
