"""References and metadata of programs: unique by kind, found by a filter, changed in every state of a row."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from partway.accounts.models import Organization
from partway.billing.errors import ExternalReferenceTaken
from partway.billing.external_fields import ExternalFields
from partway.billing.models import Customer, Event, Invoice
from partway.billing.people import customers
from partway.billing.people.customers import CustomerDetails
from partway.lib.clock import now
from tests.api.calls import LINES
from tests.api.program import Program, problem
from tests.support import personas
from tests.support.concurrency import run_concurrently

LABELS = {"external_reference": "job-4711", "metadata": {"site": "Elm Street", "crew": "2"}}


@pytest.fixture(params=["customers", "invoices", "quotes", "payment_requests"])
def rows(request: pytest.FixtureRequest, invoice: Invoice) -> tuple[str, str, dict[str, Any]]:
    """The path of each kind's list, that of its creation, and a body that creates one."""
    asked = {"amount_requested": 30_000}
    document = {"customer": invoice.customer_id, "lines": LINES}
    return {
        "customers": ("/customers", "/customers", {"name": "Ann", "email": "ann@example.com"}),
        "invoices": ("/invoices", "/invoices", document),
        "quotes": ("/quotes", "/quotes", document),
        "payment_requests": ("/payment_requests", f"/invoices/{invoice.pk}/payment_requests", asked),
    }[request.param]


def test_labels_are_stored_filtered_by_and_changed(
    rows: tuple[str, str, dict[str, Any]], collector: Program
) -> None:
    path, creation, body = rows
    made = collector.post(creation, {**body, **LABELS}).json()
    assert {name: made[name] for name in LABELS} == LABELS
    assert [row["id"] for row in collector.get(f"{path}?external_reference=job-4711").json()["data"]] == [
        made["id"]
    ]
    assert collector.get(f"{path}?external_reference=job-47").json()["data"] == []
    version = {"version": made["version"]} if "version" in made else {}
    changes = {"external_reference": "job-4712", "metadata": {"crew": None, "van": "7"}}
    changed = collector.patch(f"{path}/{made['id']}", {**version, **changes}).json()
    assert changed["external_reference"] == "job-4712"
    assert changed["metadata"] == {"site": "Elm Street", "van": "7"}
    assert changed.get("version") == made.get("version")
    event = Event.objects.get(type__endswith=".external_fields_changed")
    assert event.data["before"] == LABELS
    removed = collector.patch(f"{path}/{made['id']}", {**version, "external_reference": None}).json()
    assert (removed["external_reference"], removed["metadata"]) == (None, changed["metadata"])


def test_reference_of_another_row_is_refused_and_names_it(
    rows: tuple[str, str, dict[str, Any]], collector: Program, outsider: Program
) -> None:
    _path, creation, body = rows
    made = collector.post(creation, {**body, **LABELS}).json()
    if "payment_requests" in creation:
        collector.post(f"/payment_requests/{made['id']}/cancel")
    again = collector.post(creation, {**body, **LABELS})
    assert problem(again) == (409, "external_reference_taken")
    assert again.json()["params"] == {"external_reference": "job-4711", "id": made["id"]}
    named = {"name": "Bo", "email": "bo@example.com", **LABELS}
    assert outsider.post("/customers", named).status_code == 201


def test_change_of_lines_and_labels_is_one(collector: Program, dana: Customer) -> None:
    taken, draft = (collector.post("/invoices", {"customer": dana.pk, "lines": LINES}).json() for _ in "ab")
    collector.patch(f"/invoices/{taken['id']}", {"version": 1, **LABELS})
    changes = {"version": 1, "notes": "New", **LABELS}
    assert problem(collector.patch(f"/invoices/{draft['id']}", changes))[1] == "external_reference_taken"
    assert collector.get(f"/invoices/{draft['id']}").json()["notes"] == ""
    done = collector.patch(f"/invoices/{draft['id']}", {**changes, "external_reference": "job-2"}).json()
    assert (done["notes"], done["external_reference"], done["version"]) == ("New", "job-2", 2)


def test_labels_of_a_void_invoice_are_changed_and_stale_ones_refused(
    collector: Program, admin: Program, invoice: Invoice
) -> None:
    void = admin.post(f"/invoices/{invoice.pk}/void").json()
    assert problem(collector.patch(f"/invoices/{invoice.pk}", {"version": 1, **LABELS})) == (409, "stale")
    changed = collector.patch(f"/invoices/{invoice.pk}", {"version": void["version"], **LABELS}).json()
    assert changed["external_reference"] == "job-4711"


@pytest.mark.parametrize(
    ("labels", "field", "code"),
    [
        ({"external_reference": "x" * 101}, "external_reference", "too_many_characters"),
        ({"external_reference": " job"}, "external_reference", "external_reference_form"),
        ({"external_reference": "job\n1"}, "external_reference", "external_reference_form"),
        ({"metadata": {f"key{number}": "" for number in range(51)}}, "metadata", "too_many_keys.metadata"),
        ({"metadata": {"k" * 41: ""}}, "metadata", "metadata_key"),
        ({"metadata": {"": ""}}, "metadata", "metadata_key"),
        ({"metadata": {"k": "v" * 501}}, "metadata", "metadata_value"),
        ({"metadata": {"k": 1}}, "metadata.k", "wrong_form"),
    ],
)
def test_labels_beyond_their_limits_are_refused(
    collector: Program, labels: dict[str, Any], field: str, code: str
) -> None:
    refused = collector.post("/customers", {"name": "Ann", "email": "ann@example.com", **labels})
    assert problem(refused) == (422, "invalid")
    assert [(wrong["field"], wrong["code"]) for wrong in refused.json()["fields"]] == [(field, code)]


@pytest.mark.django_db(transaction=True)
def test_one_of_two_customers_with_one_reference_at_once_is_refused(organization: Organization) -> None:
    def add() -> Customer:
        return customers.create(
            organization,
            details=CustomerDetails("Ann", "ann@example.com"),
            external=ExternalFields("job-4711"),
            by=personas.owner_actor(organization),
            now=now(),
        )

    done = run_concurrently(add, add)
    assert {type(result) for result in done} == {Customer, ExternalReferenceTaken}
    assert Event.objects.filter(type="customer.created").count() == 1


def test_reference_is_shown_on_pages(
    organization: Organization, collector: Program, invoice: Invoice
) -> None:
    client = Client()
    client.force_login(organization.members.filter(role="owner").get().user)
    for path, row in (("customers", invoice.customer), ("invoices", invoice)):
        version = {"version": 2} if path == "invoices" else {}
        collector.patch(f"/{path}/{row.pk}", {**version, "external_reference": "<FIELD-77>"})
        page = client.get(f"/o/alder/{path}/{row.pk}/")
        assert "Reference &lt;FIELD-77&gt;" in page.content.decode()
