"""Sends calls over HTTPS: with the key, once for each act, and again where a repetition is safe."""

from __future__ import annotations

import json as json_module
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote
from uuid import uuid4

import httpx


class Unset:
    """The type of UNSET."""


UNSET: Final = Unset()  # of a field that is left out, which is not the same as None

_MAX_TRIES = 4
_LONGEST_WAIT = 30.0  # seconds
_MAX_KNOWN = 100  # answers


class PartwayError(Exception):
    """A call that was refused: `code` is stable, `message` is for people, `problem` has all that Partway said."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.problem = problem
        self.code = str(problem.get("code", ""))
        self.message = str(problem.get("detail", ""))
        # The wrong fields, each with `field`, `code` and `message`.
        self.fields: list[dict[str, Any]] = list(problem.get("fields", ()))
        said = "; ".join(f"{each['field']}: {each['message']}" for each in self.fields)
        super().__init__(f"{status} {self.code}: {said or self.message}")


class Transport:
    """One connection to one installation, with one key."""

    def __init__(self, url: str, key: str, *, timeout: float = 60.0) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        # Each call has the path of the API, so it is taken off where the address has it too.
        host = url.rstrip("/").removesuffix("/api/v1")
        self._client = httpx.Client(base_url=host, headers=headers, timeout=timeout)
        # The ETag and the content of the latest answers, by address: what is asked again and again is not sent again.
        self._known: dict[str, tuple[str, bytes]] = {}

    def close(self) -> None:
        """Closes the connection."""
        self._client.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Any:
        """Returns the JSON of the answer; raises PartwayError, or httpx.HTTPError when nothing answers.

        What was not answered, and what is to be repeated, is sent again: reading changes nothing, and an act has an
        Idempotency-Key, so that it happens once.
        """
        headers = {"Idempotency-Key": idempotency_key or str(uuid4())} if method == "POST" else {}
        params = {
            name: _text(value)
            for name, value in (query or {}).items()
            if value is not None and _is_given(value)
        }
        json = None if body is None else {name: value for name, value in body.items() if _is_given(value)}
        address = str(httpx.URL(path, params=params))
        if method == "GET" and address in self._known:
            headers = {"If-None-Match": self._known[address][0]}
        is_repeatable = method in ("GET", "POST")
        for attempt in range(1, _MAX_TRIES + 1):
            is_last = attempt == _MAX_TRIES or not is_repeatable
            try:
                response = self._client.request(method, path, params=params, json=json, headers=headers)
            except httpx.TransportError:
                if is_last:
                    raise
                time.sleep(2.0 ** (attempt - 1))
                continue
            if response.status_code == 304:
                return json_module.loads(self._known[address][1])
            if response.is_success:
                if method == "GET" and (etag := response.headers.get("ETag")):
                    self._known.pop(address, None)
                    self._known[address] = (etag, response.content)
                    if len(self._known) > _MAX_KNOWN:
                        del self._known[next(iter(self._known))]
                return response.json() if response.content else None
            problem = _problem(response)
            is_busy = response.status_code in (429, 503) or problem.get("code") == "call_in_progress"
            if is_last or not is_busy:
                raise PartwayError(response.status_code, problem)
            time.sleep(min(float(response.headers.get("Retry-After", 2 ** (attempt - 1))), _LONGEST_WAIT))
        raise AssertionError("the last try returns or raises")


def path_part(row_id: str) -> str:
    """Returns an id as a part of a path: whatever is in it, it stays one part."""
    return quote(row_id, safe="")


def _is_given(value: object) -> bool:
    return not isinstance(value, Unset)


def _text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _problem(response: httpx.Response) -> dict[str, Any]:
    """Returns what Partway said; of an answer that is none of Partway's, its first words."""
    try:
        problem = response.json()
    except ValueError:
        problem = None
    return problem if isinstance(problem, dict) else {"code": "not_partway", "detail": response.text[:200]}
