"""No path, field, parameter or header of the sandbox causes a server error."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from functools import partial

import httpx

from tests.attacks.nasty_texts import BODIES, MAX_PATH, TEXTS
from tests.attacks.site import encoded, form_body
from tests.sandbox.merchant_client import CHECKOUT_FIELDS, Merchant, in_minutes

FUZZ = os.environ.get("PARTWAY_FUZZ", "150")
ACTS = {
    "accounts": ("name", "callback_url"),
    "checkouts": (*CHECKOUT_FIELDS, "expires_at", "methods", "callback_url"),
    "checkouts/{id}/capture": ("amount", "currency"),
    "checkouts/{id}/close": ("amount",),
    "checkouts/{id}/refunds": ("amount", "currency", "reference"),
    "checkouts/{id}/settle": ("outcome",),
    "checkouts/{id}/lapse": ("outcome",),
    "refunds/{id}/settle": ("outcome",),
    "faults": ("kind", "act", "count", "delta", "currency"),
}
VALUES = (
    *(
        None,
        True,
        [],
        {},
        [[]],
        {"a": 1},
        ["card"] * 1_000,
        [{}],
        0,
        -1,
        0.5,
        1e308,
        2**31,
        2**53,
        10**18 - 1,
        10**13,
    ),
    *TEXTS,
)
HEADERS = (
    *("accept", "authorization", "content-type", "cookie", "host", "idempotency-key", "origin"),
    *("if-modified-since", "range", "referer", "sec-fetch-site", "x-forwarded-proto"),
)
PAGE_FIELDS = ("method", "number", "account", "decision", "confirmation")


def attempts(merchant: Merchant, checkout: dict[str, object]) -> list[Callable[[], httpx.Response]]:
    """Returns every request of the cross."""
    server, key = merchant.sandbox_server, merchant.key
    authorization = {"Authorization": f"Bearer {key}"}
    page = str(checkout["url"])

    def post(path: str, body: object, headers: dict[str, str] | None = None) -> httpx.Response:
        # json.dumps keeps halves of surrogate pairs, as an escape.
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return server.client.post(
            f"/v1/{path}", content=content, headers={**authorization, **(headers or {})}
        )

    found: list[Callable[[], httpx.Response]] = []
    for act, names in ACTS.items():
        path = act.replace("{id}", str(checkout["id"]))
        good = {**CHECKOUT_FIELDS, "expires_at": in_minutes(35)} if act == "checkouts" else {}
        for name in names:
            found += [partial(post, path, {**good, name: value}) for value in VALUES]
        found += [partial(post, path, text.encode("utf-8", "surrogatepass")) for text in TEXTS]
        found += [partial(post, act.replace("{id}", encoded(text[:MAX_PATH])), {}) for text in TEXTS]
        found += [
            partial(post, path, body, {"Content-Type": kind}) for kind, body in BODIES if kind.isascii()
        ]
        found += [
            partial(post, path, good, {"Idempotency-Key": "x" * length}) for length in (255, 256, 3_000)
        ]
    for text in TEXTS:
        for name in ("since", "cursor"):
            address = f"/v1/checkouts?{name}={encoded(text[:MAX_PATH])}"
            found.append(partial(server.client.get, address, headers=authorization))
        found.append(partial(server.client.get, f"/checkout/{encoded(text[:MAX_PATH])}"))
        # As a client can send it: without what ends a header, and no longer than a server takes.
        value = text.encode("utf-8", "surrogatepass").translate(None, b"\0\r\n")[:8_000].strip()
        for name in HEADERS:
            headers = {**authorization, name: value}
            found.append(partial(server.client.get, "/v1/account", headers=headers))
            found.append(partial(server.client.post, f"{page}/pay", headers=headers))
        found += [
            partial(server.client.post, f"{page}/{act}", content=form_body([(name, text)]), headers=FORM)
            for act in ("pay", "confirm")
            for name in PAGE_FIELDS
        ]
    return found


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_sandbox_has_no_server_error(merchant: Merchant, checkout: dict[str, object]) -> None:
    everything = attempts(merchant, checkout)
    if FUZZ != "all":
        everything = random.Random(18).sample(everything, min(int(FUZZ), len(everything)))  # noqa: S311
    failures = []
    for attempt in everything:
        response = attempt()
        # A fault that an attempt has set is a 500 that is wanted.
        if response.status_code >= 500 and "Something broke before" not in response.text:
            failures.append((response.request.method, response.request.url, response.request.content[:200]))
    assert not failures
