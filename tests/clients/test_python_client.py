"""The Python client is that of the document, its README's example runs, and an act of it happens once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pytest_django.live_server_helper import LiveServer

from partway.accounts.models import Organization
from partway.billing.models import Customer, Invoice
from scripts import client
from tests.api.calls import CALLS
from tests.api.program import program
from tests.support import personas

HOME = Path(__file__).parents[2] / "clients" / "python"


@pytest.fixture
def organization(
    transactional_db: None, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> Organization:
    """Alder Joinery, served; the environment has a key that collects, and the client can be imported."""
    made = personas.alder().organization
    monkeypatch.syspath_prepend(HOME / "src")
    monkeypatch.setenv("PARTWAY_API_URL", live_server.url)
    monkeypatch.setenv("PARTWAY_API_KEY", program(made, "collect").secret)
    return made


@pytest.fixture
def partway(organization: Organization, live_server: LiveServer) -> Iterator[Any]:
    """The client of a program that collects."""
    from partway_client import Partway

    with Partway(f"{live_server.url}/api/v1/", program(organization, "collect").secret) as made:
        yield made


def test_python_client_is_that_of_the_document() -> None:
    assert client.client() == client.FILE.read_text(), "run scripts/client.py"


def test_python_client_has_every_call(partway: Any) -> None:
    for name in CALLS:
        group = next(each for each in vars(partway) if name.startswith(f"{each}_"))
        assert callable(getattr(getattr(partway, group), name.removeprefix(f"{group}_")))


def test_example_of_the_readme_raises_an_invoice_and_asks_for_a_stage(
    organization: Organization, capsys: pytest.CaptureFixture[str]
) -> None:
    [example] = re.findall(r"```python\n(.*?)```", (HOME / "README.md").read_text(), re.DOTALL)
    exec(compile(example, "README.md", "exec"), {})  # noqa: S102 - a text of ours
    url, code, due = capsys.readouterr().out.splitlines()
    assert "/p/" in url
    assert (code, due) == ("payment_request_open", "INV-0001 270625")


def test_client_is_not_sent_again_what_it_has(
    partway: Any, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    send, statuses = httpx.Client.request, []

    def note_the_status(*arguments: Any, **options: Any) -> httpx.Response:
        response = send(*arguments, **options)
        statuses.append(response.status_code)
        return response

    monkeypatch.setattr(httpx.Client, "request", note_the_status)
    found = personas.customer(organization)
    first, second = (partway.customers.show(found.pk) for _ in range(2))
    personas.change_customer(found)
    third = partway.customers.show(found.pk)
    assert (statuses, first == second, first == third) == ([200, 304, 200], True, False)


def test_call_of_the_client_that_was_not_answered_is_made_again_and_acts_once(
    partway: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = httpx.Client.request
    answers: list[str] = []

    def lose_the_first_answer(*arguments: Any, **options: Any) -> httpx.Response:
        response = send(*arguments, **options)
        answers.append(response.text)
        if len(answers) == 1:
            raise httpx.ReadTimeout("lost")
        return response

    monkeypatch.setattr(httpx.Client, "request", lose_the_first_answer)
    made = partway.customers.create(name="Dana Reed", email="dana@reed.example")
    assert len(answers) == 2
    assert Customer.objects.get().pk == made["id"]


def test_each_reads_all_pages_and_refusals_name_the_fields(partway: Any, organization: Organization) -> None:
    from partway_client import PartwayError

    customer = personas.customer(organization)
    made = [personas.sent_invoice(customer).pk for _ in range(3)]
    assert [row["id"] for row in partway.invoices.each(limit=2, status=None)] == made[::-1]
    with pytest.raises(PartwayError) as refused:
        partway.invoices.create(customer=customer.pk, lines=[], currency="usd")
    assert {each["field"] for each in refused.value.fields} == {"lines", "currency"}
    assert Invoice.objects.count() == 3
