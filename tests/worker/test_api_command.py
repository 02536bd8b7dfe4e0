"""`partway api` makes a call of the API over HTTP, prints its answer, and says what it was refused for."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from partway.accounts.models import Organization
from partway.billing.models import Customer
from partway.worker import api_command
from tests.api.program import program
from tests.support import personas


@pytest.fixture
def organization(
    transactional_db: None, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> Organization:
    """Alder Joinery, served; the environment has a key that collects."""
    made = personas.alder().organization
    monkeypatch.setenv("PARTWAY_API_URL", live_server.url)
    monkeypatch.setenv("PARTWAY_API_KEY", program(made, "collect").secret)
    return made


def test_api_command_makes_a_call_with_fields_and_with_a_file(
    organization: Organization, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fields = ["name=Dana", "email=dana@reed.example", "--idempotency-key", "1"]
    assert [api_command.main(["post", "/customers", *fields]) for _ in range(2)] == [0, 0]
    made = Customer.objects.get()
    assert f'"id": "{made.pk}"' in capsys.readouterr().out
    body = tmp_path / "invoice.json"
    body.write_text(json.dumps({"customer": made.pk, "lines": [{"description": "A", "unit_amount": 5}]}))
    assert api_command.main(["POST", "invoices", "--input", str(body)]) == 0
    assert json.loads(capsys.readouterr().out)["total"] == 5


def test_api_command_takes_the_address_with_the_path_of_the_api(
    organization: Organization, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARTWAY_API_URL", f"{live_server.url}/api/v1/")
    assert api_command.main(["GET", "/customers"]) == 0


def test_api_command_ends_quietly_when_its_reader_has_read_enough(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert api_command.main(["GET", "/customers"]) == 0


def test_api_command_ends_with_1_when_it_is_refused(
    organization: Organization, capsys: pytest.CaptureFixture[str]
) -> None:
    assert api_command.main(["POST", "/customers", "name=Dana", "vip:=true"]) == 1
    assert '"code": "invalid"' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("key", "arguments", "said"),
    [
        ("", ["GET", "/customers"], "PARTWAY_API_KEY is not set"),
        ("ptw_0", ["POST", "/customers", "name"], "neither name=text nor name:=JSON"),
        ("ptw_0", ["POST", "/customers", "vip:=maybe"], "'vip:=maybe': "),
        ("ptw_0", ["POST", "/customers", "--input", "/nowhere"], "No such file"),
        ("ptw_0", ["GET", "/customers"], "No answer from http://127.0.0.1:9"),
    ],
)
def test_api_command_says_what_it_cannot_do(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    key: str,
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.setenv("PARTWAY_API_KEY", key)
    monkeypatch.setenv("PARTWAY_API_URL", "http://127.0.0.1:9")
    try:
        code: object = api_command.main(arguments)
    except SystemExit as ended:
        code = ended.code
    assert code == 2
    assert said in capsys.readouterr().err
