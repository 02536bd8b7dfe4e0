"""Files of an installation are readable by its own user only, whatever the umask it was started with."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from partway.worker.supervisor import free_port
from tests.support.sandbox_server import wait_until

PERMISSIVE = 0o000


def open_to_others(folder: Path) -> list[str]:
    """Returns the files and folders that another user of the machine can read or change."""
    found = [folder, *folder.rglob("*")]
    return [
        f"{path.relative_to(folder.parent)} {stat.filemode(path.lstat().st_mode)}"
        for path in found
        if path.lstat().st_mode & 0o077
    ]


@contextmanager
def started(*command: str, home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a command of a new installation with the permissive umask, and ends it."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PARTWAY_") and name != "DATABASE_URL"
    }
    process = subprocess.Popen(
        [sys.executable, *command],
        env={**inherited, "PARTWAY_HOME": str(home), "DJANGO_SETTINGS_MODULE": "partway.config.settings"},
        stdout=subprocess.DEVNULL,
        umask=PERMISSIVE,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def responds(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


RUN_INSTALLATION = """
import sys
from pathlib import Path
from partway.worker.supervisor import Supervisor, SupervisorConfig, free_port

with Supervisor(SupervisorConfig(Path(sys.argv[1]), free_port(), free_port(), isolated=True)) as supervisor:
    supervisor.run("migrate", "--verbosity", "0")
    supervisor.run("sendtestemail", "dana@customer.example")
    supervisor.start_sandbox()
    supervisor.start_web()
    supervisor.start_worker()
    supervisor.config.home.joinpath("complete").touch(0o600)
    supervisor.stop_on_signals()
    supervisor.stopping.wait(600)
"""


@pytest.mark.long(15)
def test_home_of_running_installation_is_private(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with started("-c", RUN_INSTALLATION, str(home), home=home):
        wait_until((home / "complete").exists, within=240)
        assert open_to_others(home) == []
        names = {path.name for path in home.rglob("*")}
    assert [name for name in names if name.endswith(".eml")]
    assert names >= {
        *("secret.key", "partway.sqlite3", "partway.sqlite3-wal", "partway.sqlite3-shm", "mail", "logs"),
        *("web.log", "worker.log", "sandbox.log", "sandbox", "sandbox.sqlite3", "sandbox.sqlite3-wal"),
    }


def test_home_of_sandbox_is_private(tmp_path: Path) -> None:
    home, port = tmp_path / "sandbox", free_port()
    with started("-m", "partway.sandbox", "--home", str(home), "--port", str(port), home=home):
        wait_until(lambda: responds(port), within=120)
        assert (home / "sandbox.sqlite3-wal").exists()
        assert open_to_others(home) == []


def test_home_is_private_under_another_server(tmp_path: Path) -> None:
    """Without `partway serve`, the WSGI application alone has to see to it."""
    home = tmp_path / "home"
    touch_database = "import partway.config.wsgi; from django.db import connection; connection.cursor()"
    with started("-c", f"{touch_database}; import time; time.sleep(60)", home=home):
        wait_until(lambda: (home / "partway.sqlite3").exists(), within=120)
        assert open_to_others(home) == []
