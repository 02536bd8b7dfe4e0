"""The example of a job-management program, over real servers: it asks for each step, and hears that it was paid."""

from __future__ import annotations

import importlib.util
import json
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from partway.accounts.models import Organization
from partway.billing.models import Invoice
from partway.billing.people import return_urls, webhook_endpoints
from partway.billing.people.webhook_endpoints import EndpointDetails
from partway.delivery.webhooks.sending import Sender
from partway.gateways.sandbox.adapter import create_account
from partway.lib.clock import now
from tests.api.program import program
from tests.pay.customer_browser import GOOD_CARD, CustomerBrowser
from tests.support import personas
from tests.support.sandbox_server import SandboxServer, wait_until

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "job_management"
PORTAL = "https://jobs.example.com/4711"


@pytest.fixture
def organization(
    transactional_db: None, live_server: LiveServer, sandbox_server: SandboxServer, settings: Settings
) -> Organization:
    """Alder Joinery, whose server and payment company are real ones."""
    settings.PARTWAY_URL = live_server.url
    settings.PARTWAY_GATEWAY_URLS = {"sandbox": sandbox_server.url}
    settings.PARTWAY_WEBHOOK_ALLOW_NETWORKS = ["127.0.0.0/8"]
    made = personas.alder().organization
    account = made.gateway_accounts.get()
    callback_url = f"{live_server.url}/callbacks/{account.pk}/"
    account.credentials = create_account(sandbox_server.url, made.name, callback_url)
    account.save()
    return_urls.change(made, sites=["https://jobs.example.com"], by=personas.owner_actor(made), now=now())
    return made


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module of the example."""
    monkeypatch.syspath_prepend(ROOT / "clients" / "python" / "src")
    spec = importlib.util.spec_from_file_location("jobs_example", EXAMPLE / "jobs.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(__import__("sys").modules, "jobs_example", module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def jobs(example: Any, organization: Organization, live_server: LiveServer, tmp_path: Path) -> Iterator[Any]:
    """The program with the job of the example, whose customer has a portal to return to."""
    path = Path(shutil.copy(EXAMPLE / "jobs.json", tmp_path))
    stored = json.loads(path.read_text())
    stored["4711"]["portal"] = PORTAL
    path.write_text(json.dumps(stored))
    from partway_client import Partway

    with Partway(live_server.url, program(organization, "collect").secret) as partway:
        yield example.Jobs(path, partway)


def steps(jobs: Any) -> list[str]:
    return [step.get("status", "") for step in json.loads(jobs.path.read_text())["4711"]["steps"]]


@pytest.fixture
def receiver_url(example: Any, jobs: Any, organization: Organization) -> Iterator[str]:
    """The program listening, and an endpoint of the organization at its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url, by = f"http://127.0.0.1:{port}/", personas.owner_actor(organization)
    details = EndpointDetails(url, ("payment_request.paid",))
    _endpoint, secret = webhook_endpoints.create(organization, details=details, by=by, now=now())
    with example.receiver(jobs, secret, port) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield url
        server.shutdown()
        thread.join()


def test_job_is_paid_step_by_step_and_the_program_asks_and_hears_of_it(
    jobs: Any, organization: Organization, receiver_url: str, sandbox_server: SandboxServer
) -> None:
    jobs.begin("4711")
    jobs.begin("4711")  # as after a crash
    invoice = Invoice.objects.get()
    assert (invoice.status, invoice.total_minor) == ("sent", 250_000)
    with CustomerBrowser(sandbox_server, organization) as dana:
        receipt = dana.pay(jobs.finish_step("4711", "Treads"), GOOD_CARD)
        wait_until(lambda: f'href="{PORTAL}">Back to jobs.example.com</a>' in dana.open(receipt).text)
        assert steps(jobs) == ["requested", ""]
        jobs.ask()
        assert steps(jobs) == ["paid", ""]
        receipt = dana.pay(jobs.finish_step("4711", "Banister"), GOOD_CARD)
        wait_until(lambda: "The invoice is paid in full" in dana.open(receipt).text)
    forged = {"type": "payment_request.paid", "object": "payment_request", "data": {}}
    assert httpx.post(receiver_url, json=forged, trust_env=False).status_code == 401
    assert steps(jobs) == ["paid", "requested"]
    for _ in range(2):  # one after the other about one object
        Sender().send_due(now=now())
    assert steps(jobs) == ["paid", "paid"]
