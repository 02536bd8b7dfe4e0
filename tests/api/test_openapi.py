"""The OpenAPI document in the repository is that of the code; `Program` checks each response against it."""

from __future__ import annotations

import json
import re
from functools import partial
from types import NoneType
from typing import get_type_hints

from django.apps import apps
from pydantic import BaseModel

from partway.api.schemas import Input, Problem
from partway.billing.models.refunds import RefundReason
from partway.delivery.messages import TO_PROGRAMS
from scripts.openapi import document
from tests.api.calls import CALLS
from tests.api.program import DOCUMENT, Program
from tests.api.program import FILE as COMMITTED
from tests.delivery.test_messages_to_programs import OF_MEMBERS

REFERENCE = (COMMITTED.parent / "api.md").read_text()
# Of rows that no answer names.
INTERNAL = {"acc", "all", "cb", "cls", "gwc", "idc", "ivt", "kpt", "lin", "mail", "poi", "usr"}


def test_committed_document_is_that_of_the_code(reader: Program) -> None:
    assert document() == COMMITTED.read_text(), "run scripts/openapi.py"
    assert reader.client.get("/api/v1/openapi.json").json() == DOCUMENT


def test_every_reference_of_the_document_is_defined() -> None:
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', COMMITTED.read_text()))
    assert named <= DOCUMENT["components"]["schemas"].keys()


def test_every_call_has_summary_scope_and_errors() -> None:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], path
            assert re.search(r"scope (read|collect|admin)\.$", operation["description"]), path
            assert {"401", "403", "404", "422", "429", "500"} <= operation["responses"].keys()
            for status, said in operation["responses"].items():
                assert {"X-Request-Id", "RateLimit", "RateLimit-Policy"} <= said["headers"].keys(), status
            headers = [one["name"] for one in operation["parameters"] if one["in"] == "header"]
            assert headers == {"post": ["Idempotency-Key"], "get": ["If-None-Match"]}.get(method, [])


def test_every_body_with_fields_has_an_example_that_can_be_sent() -> None:
    for name, call in CALLS.items():
        body = get_type_hints(call.view).get("body", Input)
        if body.model_fields:
            examples = DOCUMENT["components"]["schemas"][body.__name__].get("examples")
            assert examples, name
            assert all(body.model_validate(example) for example in examples)


def test_every_answer_has_an_example_with_each_of_its_fields() -> None:
    operations = {
        one["operationId"]: one for methods in DOCUMENT["paths"].values() for one in methods.values()
    }
    for name, call in CALLS.items():
        answer = get_type_hints(call.view)["return"]
        success = next(said for status, said in operations[name]["responses"].items() if status[0] == "2")
        assert ("content" in success) == (answer is not NoneType), name
        if "content" in success:
            reference = {"$ref": f"#/components/schemas/{answer.__name__}"}
            assert success["content"]["application/json"]["schema"] == reference
            _assert_exact_example(answer)


def test_problem_has_an_example_without_what_problems_leave_out() -> None:
    _assert_exact_example(Problem, left_out=frozenset({"reason", "params", "payment_request"}))


def _assert_exact_example(schema: type[BaseModel], left_out: frozenset[str] = frozenset()) -> None:
    """Checks that what is read of the example is written as the example again, so that no field is missing."""
    examples = DOCUMENT["components"]["schemas"][schema.__name__].get("examples")
    assert examples, schema.__name__
    for example in examples:
        read = schema.model_validate_json(json.dumps(example), strict=True)
        assert json.loads(read.model_dump_json(by_alias=True, exclude=set(left_out))) == example


def test_codes_of_the_reference_are_those_of_the_document() -> None:
    table = REFERENCE.partition("## Errors")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if re.match(r"\| \d", line)]
    codes = {code for row in rows for code in re.findall(r"`([a-z_]+)`", row)}
    assert codes == set(DOCUMENT["components"]["schemas"]["Problem"]["properties"]["code"]["enum"])


def test_reasons_of_the_reference_are_those_of_the_code() -> None:
    table = REFERENCE.partition("### Reasons")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", table, re.MULTILINE)
    listed = {f"{code}.{reason}" for code, reasons in rows for reason in re.findall(r"`(\w+)`", reasons)}
    known = {code for code in TO_PROGRAMS if code.partition(".")[0] in dict(rows) and "." in code}
    assert listed == {code for code in known if not OF_MEMBERS.match(code)}
    assert all(f"`{reason}`" in REFERENCE for reason in RefundReason.values)


def test_prefixes_of_the_reference_are_those_of_the_code() -> None:
    line = next(line for line in REFERENCE.splitlines() if line.startswith("- Ids are texts"))
    listed = set(re.findall(r"`([a-z]+)_`", line))
    models = [*apps.get_app_config("billing").get_models(), *apps.get_app_config("accounts").get_models()]
    defaults = [model._meta.pk.default for model in models]
    made = {default.args[0] for default in defaults if isinstance(default, partial)}
    assert listed - made <= {"pty"}, "the id of parties follows from their content"
    assert made - listed == INTERNAL
