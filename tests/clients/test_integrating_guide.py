"""The commands of the guide for integrating work in their order, with the ids that it says to keep."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from partway.delivery.webhooks.sending import Sender
from partway.lib.clock import now
from partway.worker.supervisor import free_port
from tests.api.program import program
from tests.support import personas
from tests.support.sandbox_server import wait_until

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "integrating.md"


@contextmanager
def running_receiver(secret: str, port: int, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Runs the receiver of the guide as a program of its own."""
    [code] = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    (folder / "receiver.py").write_text(code)
    command, environment = (
        [sys.executable, "receiver.py"],
        {**os.environ, "SECRET": secret, "PORT": str(port)},
    )
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    ) as receiver:
        wait_until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
        yield receiver
        receiver.kill()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_commands_of_the_guide_ask_for_a_stage_hear_of_it_and_cancel_it(
    transactional_db: None, live_server: LiveServer, settings: Settings, tmp_path: Path
) -> None:
    organization = personas.alder().organization
    port = free_port()
    settings.PARTWAY_WEBHOOK_ALLOW_NETWORKS = ["127.0.0.1"]
    environment = {
        "PARTWAY": f"{live_server.url}/api/v1",
        "KEY": program(organization, "collect").secret,
        "ADMIN_KEY": program(organization, "admin").secret,
        "HOOK": f"http://127.0.0.1:{port}/",
        "PATH": "/usr/bin:/bin",
    }
    answers = []
    blocks = re.findall(r"```sh\n(curl.*?)```(.*?)(?=```|\Z)", GUIDE.read_text(), re.DOTALL)
    for command, text in blocks:
        run = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, check=True)
        answers.append(json.loads(run.stdout))
        if kept := re.search(r"`([A-Z]+)=\w+_…`", text):
            environment[kept[1]] = answers[-1]["id"]
    customer, draft, sent, asked, read, events, endpoint, test, canceled = answers
    assert customer["name"] == "Dana Whitfield"
    assert [draft["status"], sent["status"]] == ["draft", "sent"]
    assert (asked["status"], asked["amount_requested"], read) == ("open", 100_000, asked)
    assert [event["type"] for event in events["data"]][:2] == ["payment_request.sent", "invoice.sent"]
    assert canceled["status"] == "canceled"
    with running_receiver(endpoint["secret"], port, tmp_path) as receiver:
        Sender().send_due(now=now() + timedelta(seconds=1))
        assert receiver.stdout is not None
        heard = [receiver.stdout.readline().split() for _ in range(2)]
    assert heard[0] == [test["id"], "webhook_endpoint.tested", endpoint["id"], "enabled"]
    assert heard[1][1:] == ["payment_request.canceled", asked["id"], "canceled"]
