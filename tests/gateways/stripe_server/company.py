"""The state of the company: its accounts, their keys, objects and clocks, all in memory."""

from __future__ import annotations

import heapq
import secrets
import string
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from stripe._api_version import _ApiVersion

from . import shapes
from .errors import Json, StripeError, no_such

if TYPE_CHECKING:
    from .delivery import Courier, Delivery
    from .faults import Fault
    from .idempotency import StoredResponse

CURRENT_VERSION = _ApiVersion.CURRENT
_LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True)
class Key:
    """An API key. A restricted one has `permissions`, as `payment_intent_write`; to write contains to read."""

    secret: str
    account: Account
    permissions: frozenset[str] | None = None

    def require(self, permission: str, account: Account) -> None:
        """Raises the 403 that names the permission."""
        if not self.may(permission):
            raise StripeError(
                403,
                f"The provided key '{masked(self.secret)}' does not have the required permissions for this endpoint "
                f"on account '{account.id}'. Having the 'rak_{permission}' permission would allow this request to "
                "continue.",
            )

    def may(self, permission: str) -> bool:
        if self.permissions is None or permission in self.permissions:
            return True
        return permission.removesuffix("_read") + "_write" in self.permissions


@dataclass
class RequestInfo:
    """The request that runs: what its events say of it, and whose key it carries."""

    id: str | None = None
    idempotency_key: str | None = None
    key: Key | None = None


@dataclass(eq=False)
class Account:
    """One account in one mode, test or live: nothing of the one mode is visible in the other.

    `resource` is the account as its API shows it, shared by both modes. `lock` is held while a request runs; `hidden`
    holds, by the id of an object, what Stripe knows of it and does not show. An account that a platform has made is
    connected to that platform, in one mode.
    """

    company: Company
    resource: Json
    livemode: bool
    platform: Account | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)
    objects: dict[str, dict[str, Json]] = field(default_factory=lambda: defaultdict(dict))
    hidden: dict[str, Json] = field(default_factory=lambda: defaultdict(dict))
    settings: Json = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    responses: dict[str, StoredResponse] = field(default_factory=dict)  # by idempotency key
    outbox: list[Delivery] = field(default_factory=list)  # waits for the end of the request
    courier: Courier | None = None
    api_version: str = CURRENT_VERSION  # the account's default, for events
    request: RequestInfo = field(default_factory=RequestInfo)
    other_mode: Account | None = None
    clock_shift: float = 0  # seconds that this account is ahead of the world
    _due: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=count)

    @property
    def id(self) -> str:
        return str(self.resource["id"])

    @property
    def application(self) -> str | None:
        """The platform, as the objects of a connected account name it."""
        return None if self.platform is None else f"ca_{self.platform.id.removeprefix('acct_')}"

    @property
    def url(self) -> str:
        return self.company.url

    def time(self) -> float:
        return time.time() + self.clock_shift

    def now(self) -> int:
        """Returns the time in the seconds that Stripe counts in; it has nothing finer."""
        return int(self.time())

    def new_id(self, prefix: str, length: int = 24) -> str:
        return f"{prefix}_{''.join(secrets.choice(_LETTERS) for _ in range(length))}"

    def add(self, created: Json) -> Json:
        self.objects[created["object"]][created["id"]] = created
        return created

    def all(self, kind: str) -> list[Json]:
        """Returns the objects of a kind, oldest first."""
        return list(self.objects[kind].values())

    def get(self, kind: str, ref: str, *, status: int = 404, param: str = "id") -> Json:
        """Returns an object; raises `resource_missing`, with the status that the place of the reference has."""
        found = self.objects[kind].get(ref)
        if found is not None:
            return found
        similar = self.other_mode is not None and ref in self.other_mode.objects.get(kind, {})
        raise no_such(
            kind, ref, status=status, param=param, similar_is_live=not self.livemode if similar else None
        )

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Runs `act` when so many seconds of this account's clock have passed."""
        heapq.heappush(self._due, (self.time() + seconds, next(self._numbers), act))

    def is_due(self) -> bool:
        return bool(self._due) and self._due[0][0] <= self.time()

    def catch_up(self) -> None:
        """Runs, in their order, the acts whose time has come. The caller holds the lock."""
        while self.is_due():
            heapq.heappop(self._due)[2]()


class Company:
    """All accounts. An account is opened in both modes, each with a secret key. `log` has each request, for tests."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.accounts: dict[tuple[str, bool], Account] = {}
        self.keys: dict[str, Key] = {}
        self.log: list[Json] = []

    def open_account(self, **changes: Any) -> Json:
        """Opens an account; `changes` are merged into its resource. Returns its id and its secret keys."""
        resource = shapes.account(f"acct_{secrets.token_hex(8)}", int(time.time()))
        merge(resource, changes)
        opened: Json = {"id": resource["id"]}
        for livemode, name in ((False, "test"), (True, "live")):
            account = self.accounts[resource["id"], livemode] = Account(self, resource, livemode)
            opened[f"{name}_key"] = self.issue_key(account, f"sk_{name}").secret
        test, live = (self.accounts[resource["id"], livemode] for livemode in (False, True))
        test.other_mode, live.other_mode = live, test
        return opened

    def issue_key(self, account: Account, prefix: str, permissions: frozenset[str] | None = None) -> Key:
        secret = f"{prefix}_51{account.id.removeprefix('acct_')}{secrets.token_hex(24)}"
        key = self.keys[secret] = Key(secret, account, permissions)
        return key

    def key(self, secret: str) -> Key:
        found = self.keys.get(secret)
        if found is None:
            raise StripeError(401, f"Invalid API Key provided: {masked(secret)}")
        return found


def masked(secret: str) -> str:
    """Returns a key as Stripe quotes it: its kind, stars, and its last letters."""
    return (
        f"{secret[:8]}{'*' * max(len(secret) - 14, 4)}{secret[-6:]}"
        if len(secret) > 14
        else "*" * len(secret)
    )


def change_metadata(changed: Json, params: Json) -> None:
    """Merges the metadata of a request; an empty value removes its key, an empty `metadata` all of them."""
    given = params.get("metadata", {})
    if given == "":
        changed["metadata"] = {}
        return
    merged = {**changed["metadata"], **given}
    changed["metadata"] = {key: value for key, value in merged.items() if value != ""}


def merge(into: Json, changes: Json) -> None:
    """Merges nested dictionaries."""
    for name, value in changes.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            merge(into[name], value)
        else:
            into[name] = value
