"""An installation that others can reach does not start with unsafe settings; `partway check` names each."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

LIVE = {
    "PARTWAY_LIVE": "1",
    "PARTWAY_URL": "https://pay.alder.example",
    "PARTWAY_TRUSTED_PROXIES": "1",
    "EMAIL_URL": "smtp+tls://user:word@mail.example:587",
}


def partway(home: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a command in an empty home with this environment alone."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "partway", *command],
        env={**kept, "PARTWAY_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_check_passes_safe_live_installation(tmp_path: Path) -> None:
    done = partway(tmp_path, "check", **LIVE)
    assert done.returncode == 0, done.stderr


def test_check_names_each_unsafe_setting_of_live_installation(tmp_path: Path) -> None:
    unsafe = {
        "PARTWAY_FAST_PASSWORD_HASH": "1",
        "PARTWAY_ALLOWED_HOSTS": "*",
        "PARTWAY_SECRET_KEY": "a" * 32,
        "EMAIL_URL": "smtp://user:word@mail.example:25",
        "PARTWAY_URL": "http://pay.alder.example",
        "PARTWAY_SANDBOX_URL": "https://sandbox.example",
        "PARTWAY_METRICS_NETWORKS": "0.0.0.0/0",
        "PARTWAY_PROXY_NETWORKS": "everywhere",
        "PARTWAY_CHECKOUTS_PER_LINK": "0",
        "PARTWAY_TRUSTED_PROXIES": "99",
        "DATABASE_URL": "sqlite://:memory:",
        "PARTWAY_MAIL_FROM": "no address",
    }
    done = partway(tmp_path, "check", **{**LIVE, **unsafe})
    # E012 is of a PostgreSQL, which this installation has not.
    named = {f"partway.E{number:03}" for number in (*range(1, 12), 13, 14)}
    assert done.returncode == 1
    assert set(re.findall(r"partway\.E\d{3}", done.stderr)) == named


def test_check_refuses_database_of_another_machine_without_tls(tmp_path: Path) -> None:
    done = partway(
        tmp_path, "check", **LIVE, DATABASE_URL="postgres://user:word@db.example/partway?sslmode=disable"
    )
    assert (done.returncode, re.findall(r"partway\.E\d{3}", done.stderr)) == (1, ["partway.E012"])


def test_serve_refuses_to_listen_past_the_trusted_proxies(tmp_path: Path) -> None:
    done = partway(tmp_path, "serve", "--host", "0.0.0.0", **LIVE)  # noqa: S104 - refused
    assert (done.returncode, re.findall(r"partway\.E\d{3}", done.stderr)) == (1, ["partway.E013"])


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_processes_do_not_start_with_unsafe_settings(tmp_path: Path, command: str) -> None:
    done = partway(tmp_path, command, **LIVE, PARTWAY_FAST_PASSWORD_HASH="1")
    assert done.returncode == 1
    assert "partway.E005" in done.stderr
