"""The audit of dependencies passes only when every pin was looked up, and says so when it could not ask."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts import audit_report

LOCK = "anyio==4.16.0 \\\n    --hash=sha256:00\nDjango==5.2.1 \\\n    --hash=sha256:00\n"
CLEAN = [
    {"name": "anyio", "version": "4.16.0", "vulns": []},
    {"name": "django", "version": "5.2.1", "vulns": []},
]
SKIPPED = {"name": "django", "skip_reason": "Dependency not found on PyPI and could not be audited"}
VULNERABLE = {"name": "django", "version": "5.2.1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["5.2.2"]}]}


def audit(folder: Path, report: str) -> int:
    (folder / "lock.txt").write_text(LOCK)
    (folder / "report.json").write_text(report)
    return audit_report.main(folder / "lock.txt", folder / "report.json")


@pytest.mark.parametrize(
    "report",
    [
        "",
        "Traceback",
        "{}",
        json.dumps({"dependencies": []}),
        json.dumps({"dependencies": CLEAN[:1]}),
        json.dumps({"dependencies": [CLEAN[0], SKIPPED]}),
    ],
)
def test_audit_without_every_pin_fails_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], report: str
) -> None:
    assert audit(tmp_path, report) == 2
    assert "could not reach its database of vulnerabilities" in capsys.readouterr().err


def test_audit_of_every_pin_passes(tmp_path: Path) -> None:
    assert audit(tmp_path, json.dumps({"dependencies": CLEAN})) == 0


def test_audit_names_vulnerable_package(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit(tmp_path, json.dumps({"dependencies": [CLEAN[0], VULNERABLE]})) == 1
    assert capsys.readouterr().out == "django: PYSEC-1, fixed in 5.2.2\n"
