"""A process starts with what it needs: the libraries of documents, gateways and the API wait for their first use."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# Each takes 50 to 1000 ms and up to 30 MB.
LIBRARIES = {
    *("anymail", "httpx", "ninja", "PIL", "pydantic", "requests"),
    *("segno", "stripe", "typst", "uharfbuzz", "xlsxwriter"),
}
PAGES = {"partway.staff.urls", "partway.api.urls", "partway.pay.urls", "fido2"}


@pytest.mark.parametrize(
    ("program", "absent"),
    [
        ("django.core.management.call_command('check', tags=['partway'])", LIBRARIES | PAGES),
        ("import partway.worker.loop", LIBRARIES | PAGES),
        ("import partway.config.asgi", LIBRARIES),
    ],
    ids=["checks of a command", "worker", "web server"],
)
def test_start_imports_no_library_before_its_first_use(program: str, absent: set[str]) -> None:
    code = f"import django.core.management; django.setup(); {program}; import sys; print(*sys.modules)"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "partway.config.settings"}
    started = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert absent.intersection(started.stdout.split()) == set()
