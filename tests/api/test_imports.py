"""A program sends a file, reads what is wrong with it, and has it imported once it is right."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from partway.billing.imports import runs
from partway.billing.models import Customer, Import
from partway.lib.clock import now
from tests.api.program import Program, problem

COLUMNS = {"external_reference": "id", "name": "name", "email": "email"}


def body(text: str, **changes: Any) -> dict[str, Any]:
    return {"kind": "customers", "content": b64encode(text.encode()).decode(), "columns": COLUMNS, **changes}


def test_file_is_checked_and_confirmed(admin: Program) -> None:
    sent = admin.post("/imports", body("id,name,email\n7,Ann,ann@reed.example\n", file_name="c.csv")).json()
    assert (sent["status"], sent["rows"], sent["file_name"]) == ("checking", 1, "c.csv")
    path = f"/imports/{sent['id']}"
    assert problem(admin.post(f"{path}/confirm")) == (409, "conflict")
    runs.run_due(now=now())
    assert admin.get(path).json()["status"] == "ready"
    assert admin.post(f"{path}/confirm").json()["status"] == "importing"
    runs.run_due(now=now())
    done = admin.get(path).json()
    assert (done["status"], done["made"]) == ("done", 1)
    assert done["first_made"] == [Customer.objects.get(external_reference="7").pk]
    assert [row["id"] for row in admin.get("/imports").json()["data"]] == [sent["id"]]


def test_wrong_row_says_what_to_do(admin: Program) -> None:
    sent = admin.post("/imports", body("id,name,email\n7,Ann,nowhere\n")).json()
    runs.run_due(now=now())
    refused = admin.get(f"/imports/{sent['id']}").json()
    assert (refused["status"], refused["made"]) == ("refused", 0)
    [wrong] = refused["problems"]
    assert {name: wrong[name] for name in ("row", "column", "value", "code")} == {
        "row": 2,
        "column": "email",
        "value": "nowhere",
        "code": "bad_address.form",
    }
    assert "name@example.com" in wrong["message"]


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"content": "not base64"}, "content", "import_file.base64"),
        ({"content": ""}, "content", "import_file.empty"),
        ({"columns": {**COLUMNS, "name": "nom"}}, "columns.name", "import_column_missing"),
        ({"kind": "quotes"}, "columns.amount", "import_column_required"),
    ],
)
def test_file_or_columns_that_are_wrong_are_refused(
    admin: Program, changes: dict[str, Any], field: str, code: str
) -> None:
    refused = admin.post("/imports", body("id,name,email\n7,Ann,ann@reed.example\n", **changes))
    assert problem(refused) == (422, "invalid")
    assert (field, code) in {(wrong["field"], wrong["code"]) for wrong in refused.json()["fields"]}
    assert not Import.objects.exists()


def test_repeated_upload_is_one_import(admin: Program) -> None:
    text = "id,name,email\n7,Ann,ann@reed.example\n"
    for _ in range(2):
        admin.post("/imports", body(text), Idempotency_Key="file-1")
    assert Import.objects.count() == 1
