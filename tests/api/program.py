"""A program that calls the API by a key, as over HTTP."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.test import Client

from partway.accounts.models import ApiKey, Organization
from partway.billing.people import api_keys
from partway.billing.people.api_keys import NewKey
from partway.lib.clock import now
from tests.support import personas

FILE = Path(__file__).parents[2] / "docs" / "reference" / "openapi.json"
DOCUMENT: dict[str, Any] = json.loads(FILE.read_text())


@dataclass
class Program:
    """Calls the API with `secret`; paths are below /api/v1, bodies anything that JSON can say."""

    key: ApiKey
    secret: str
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """Returns the response; headers are written as `Idempotency_Key`, and `content` is a body as it is."""
        content = headers.pop("content", "" if body is None else json.dumps(body))
        sent = {f"HTTP_{name.upper()}": text for name, text in headers.items()}
        sent = {"HTTP_AUTHORIZATION": f"Bearer {self.secret}", **sent}
        content_type = sent.pop("HTTP_CONTENT_TYPE", "application/json")
        response = self.client.generic(method, f"/api/v1{path}", content, content_type, **sent)
        assert_documented(response, method)
        return response

    def get(self, path: str, **headers: str) -> Any:
        """Returns the response to a GET."""
        return self.call("GET", path, **headers)

    def post(self, path: str, body: object = None, **headers: str) -> Any:
        """Returns the response to a POST."""
        return self.call("POST", path, body, **headers)

    def patch(self, path: str, body: object) -> Any:
        """Returns the response to a PATCH."""
        return self.call("PATCH", path, body)


def assert_documented(response: Any, method: str) -> None:
    """Checks that the OpenAPI document has this response, where it has the call."""
    route = response.resolver_match.route if response.resolver_match else ""
    methods = DOCUMENT["paths"].get("/" + route.replace("<", "{").replace(">", "}"), {})
    if operation := methods.get(method.lower()):
        said = operation["responses"][str(response.status_code)]
        assert response.headers.get("Content-Type", "").partition(";")[0] in said.get("content", {"": {}})


def program(organization: Organization, scope: str, **changes: Any) -> Program:
    """Creates a key of this scope as the owner, and returns a program that has it."""
    new_key = NewKey(name=f"{scope} program", scope=scope, **changes)
    owner = personas.owner_actor(organization)
    return Program(*api_keys.create(organization, new_key=new_key, by=owner, now=now()))


def problem(response: Any) -> tuple[int, str]:
    """Returns status and code of an error, which is a problem with all that every problem has."""
    said = response.json()
    assert response.headers["Content-Type"] == "application/problem+json", response.content
    assert {"type", "title", "detail", "request_id"} <= said.keys()
    assert said["status"] == response.status_code
    return response.status_code, str(said["code"])
