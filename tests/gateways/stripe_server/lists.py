"""Lists and `expand[]`: what is stored by its id is shown as that id or, where asked for, as the object."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

from .company import Account
from .errors import InvalidParameters, Json, invalid

MAX_LIMIT, DEFAULT_LIMIT, MAX_EXPAND_DEPTH = 100, 10, 4

# By the object: the fields that hold an id which can be expanded.
EXPANDABLE = {
    "checkout.session": {"payment_intent"},
    "payment_intent": {"latest_charge", "payment_method"},
    "charge": {"balance_transaction", "failure_balance_transaction", "payment_intent"},
    "refund": {"balance_transaction", "charge", "failure_balance_transaction", "payment_intent"},
    "dispute": {"charge", "payment_intent"},
    "balance_transaction": {"source"},
    "payout": {"balance_transaction", "failure_balance_transaction"},
}

# By the object: the lists that are not shown unless they are expanded.
_HIDDEN_LISTS: dict[str, dict[str, Callable[[Account, Json], Json]]] = {
    "charge": {
        "refunds": lambda account, charge: page(
            account,
            [one for one in account.all("refund") if one["charge"] == charge["id"]],
            {},
            url=f"/v1/charges/{charge['id']}/refunds",
        )
    },
    "checkout.session": {
        "line_items": lambda account, session: page(
            account,
            account.hidden[session["id"]]["line_items"],
            {},
            url=f"/v1/checkout/sessions/{session['id']}/line_items",
        )
    },
}


def page(account: Account, oldest_first: Iterable[Json], params: Json, *, url: str) -> Json:
    """Returns one page of a list, newest first."""
    limit = params.get("limit", DEFAULT_LIMIT)
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidParameters(
            "This value must be less than or equal to 100 (limit)."
            if limit > MAX_LIMIT
            else "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param="limit",
        )
    found = list(oldest_first)[::-1]
    if "starting_after" in params:
        found = found[_position(found, params, "starting_after") + 1 :]
    elif "ending_before" in params:
        newer = found[: _position(found, params, "ending_before")]
        return _list(account, newer[-limit:], has_more=len(newer) > limit, params=params, url=url)
    return _list(account, found[:limit], has_more=len(found) > limit, params=params, url=url)


def _list(account: Account, rows: list[Json], *, has_more: bool, params: Json, url: str) -> Json:
    shown = {"object": "list", "data": deepcopy(rows), "has_more": has_more, "url": url}
    return expand(account, shown, params.get("expand", []))


def _position(found: list[Json], params: Json, name: str) -> int:
    for position, row in enumerate(found):
        if row["id"] == params[name]:
            return position
    raise invalid(f"No such object: '{params[name]}'", code="resource_missing", param=name)


def matches(row: Json, params: Json, *names: str) -> bool:
    """Returns whether a row has the values asked for; a time may be asked for by its bounds, as `created[gte]`."""
    return all(_within(row[name], params[name]) for name in names if name in params)


def _within(value: Any, asked: Any) -> bool:
    if not isinstance(asked, dict):
        return bool(value == asked)
    return (
        asked.get("gte", value) <= value <= asked.get("lte", value)
        and ("gt" not in asked or value > asked["gt"])
        and ("lt" not in asked or value < asked["lt"])
    )


def shown(account: Account, stored: Json, params: Json) -> Json:
    """Returns a copy of an object as the response to a request shows it."""
    return expand(account, deepcopy(stored), params.get("expand", []))


def expand(account: Account, copy: Json, paths: list[str]) -> Json:
    for path in paths:
        steps = path.split(".")
        if len(steps) > MAX_EXPAND_DEPTH:
            raise InvalidParameters("You cannot expand more than 4 levels of a property.", param="expand")
        _expand(account, copy, steps, path)
    return copy


def _expand(account: Account, inner: Any, steps: list[str], path: str) -> None:
    for one in inner if isinstance(inner, list) else [inner]:
        if not steps or not isinstance(one, dict):
            continue
        name, *rest = steps
        hidden_list = _HIDDEN_LISTS.get(one.get("object", ""), {}).get(name)
        if hidden_list is not None:
            one.setdefault(name, hidden_list(account, one))
        elif name in EXPANDABLE.get(one.get("object", ""), ()):
            if isinstance(one.get(name), str):
                one[name] = deepcopy(find(account, one[name]))
                _require_read(account, one[name])
        elif name not in one or not isinstance(one[name], dict | list):
            raise InvalidParameters(f"This property cannot be expanded ({path}).", param="expand[0]")
        _expand(account, one.get(name), rest, path)


def _require_read(account: Account, found: Json) -> None:
    """A restricted key needs the permission to read for what it expands, too."""
    if account.request.key is not None:
        noun = {"refund": "charge", "balance_transaction": "balance_transaction_source"}.get(
            found["object"], found["object"]
        )
        account.request.key.require(f"{noun}_read", account)


def find(account: Account, ref: str) -> Json:
    """Returns the object with this id, of whatever kind."""
    return next(rows[ref] for rows in account.objects.values() if ref in rows)
