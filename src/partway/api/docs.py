"""The page that describes the API for people: every call and object of the OpenAPI document, without a script."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from .v1 import api

_HIDDEN_OBJECTS = ("Input",)


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a body or an object, or a parameter: its type in words, and the object that it is made of."""

    name: str
    type: str
    reference: str
    is_required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Object:
    """A body or an answer; `example` is JSON, empty where there is none."""

    name: str
    summary: str
    details: str
    fields: tuple[Field, ...]
    example: str


@dataclass(frozen=True, slots=True)
class DocumentedCall:
    """One call, with the object that it takes and the name of the one that it returns."""

    name: str
    method: str
    path: str
    summary: str
    description: str
    parameters: tuple[Field, ...]
    body: Object | None
    returns: str


def show(request: HttpRequest) -> HttpResponse:
    """Shows the page; it needs no key, and tells nothing of this installation but its address."""
    calls, objects = _content()
    context = {
        "description": api.description.replace("`", "").split("\n\n"),
        "calls": calls,
        "objects": objects,
        "url": f"{settings.PARTWAY_URL}/api/v1",
    }
    return render(request, "api/docs.html", context)


@cache
def _content() -> tuple[dict[str, list[DocumentedCall]], list[Object]]:
    """Returns the calls by subject, and every object that they return."""
    document = api.get_openapi_schema()
    schemas: dict[str, Any] = document["components"]["schemas"]
    calls: dict[str, list[DocumentedCall]] = {}
    taken: set[str] = set()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            body = _reference(operation.get("requestBody", {}).get("content", {}).get("application/json", {}))
            taken.add(body)
            answer = next(said for status, said in operation["responses"].items() if str(status)[0] == "2")
            found = DocumentedCall(
                name=operation["operationId"],
                method=method.upper(),
                path=path.removeprefix("/api/v1"),
                summary=operation["summary"],
                description=operation["description"],
                parameters=tuple(
                    _field(each["name"], each["schema"] | each, schemas, is_required=each["required"])
                    for each in operation["parameters"]
                    if each["in"] == "query"
                ),
                body=_object(body, schemas) if body and body not in _HIDDEN_OBJECTS else None,
                returns=_reference(answer.get("content", {}).get("application/json", {})),
            )
            calls.setdefault(operation["tags"][0], []).append(found)
    objects = [_object(name, schemas) for name in sorted(schemas) if _is_object(schemas[name], name, taken)]
    return calls, objects


def _is_object(schema: Mapping[str, Any], name: str, taken: set[str]) -> bool:
    return name not in taken and name not in _HIDDEN_OBJECTS and "properties" in schema


def _object(name: str, schemas: Mapping[str, Any]) -> Object:
    schema = schemas[name]
    summary, _, details = schema.get("description", "").replace("`", "").partition("\n\n")
    required = schema.get("required", ())
    return Object(
        name=name,
        summary=summary,
        details=details,
        fields=tuple(
            _field(field, said, schemas, is_required=field in required)
            for field, said in schema["properties"].items()
        ),
        example="\n".join(json.dumps(example, indent=2) for example in schema.get("examples", ())),
    )


def _field(name: str, schema: Mapping[str, Any], schemas: Mapping[str, Any], *, is_required: bool) -> Field:
    reference = _reference({"schema": schema})
    is_enum = "enum" in schemas.get(reference, {})
    words = [word for word in dict.fromkeys(_types(schema, schemas)) if word]
    description = schema.get("description", "").replace("`", "")
    return Field(name, " or ".join(words), "" if is_enum else reference, is_required, description)


def _types(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[str]:
    """Yields the types of a field in words."""
    for one in schema.get("anyOf") or schema.get("allOf") or [schema]:
        if "$ref" in one:
            yield ", ".join(schemas[_reference({"schema": one})].get("enum", ()))
        elif one.get("type") == "array":
            yield "list"
        else:
            yield {"date-time": "time", "date": "day"}.get(one.get("format", ""), one.get("type", ""))


def _reference(content: Mapping[str, Any]) -> str:
    """Returns the name of the schema that this content is, or is a list of; empty for text and numbers."""
    schema = content.get("schema", {})
    for one in [schema, schema.get("items", {}), *schema.get("anyOf", ()), *schema.get("allOf", ())]:
        name: str = one.get("$ref") or one.get("items", {}).get("$ref", "")
        if name:
            return name.rpartition("/")[2]
    return ""
