"""The commands of the guide for integrating work in their order, with the ids that it says to keep."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from tests.api.program import program
from tests.support import personas

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "integrating.md"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_commands_of_the_guide_ask_for_a_stage_and_cancel_it(
    transactional_db: None, live_server: LiveServer
) -> None:
    key = program(personas.alder().organization, "collect").secret
    environment = {"PARTWAY": f"{live_server.url}/api/v1", "KEY": key, "PATH": "/usr/bin:/bin"}
    answers = []
    blocks = re.findall(r"```sh\n(curl.*?)```(.*?)(?=```|\Z)", GUIDE.read_text(), re.DOTALL)
    for command, text in blocks:
        run = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, check=True)
        answers.append(json.loads(run.stdout))
        if kept := re.search(r"`([A-Z]+)=\w+_…`", text):
            environment[kept[1]] = answers[-1]["id"]
    customer, draft, sent, asked, read, events, canceled = answers
    assert customer["name"] == "Dana Whitfield"
    assert [draft["status"], sent["status"]] == ["draft", "sent"]
    assert (asked["status"], asked["amount_requested"], read) == ("open", 100_000, asked)
    assert [event["type"] for event in events["data"]][:2] == ["payment_request.sent", "invoice.sent"]
    assert canceled["status"] == "canceled"
