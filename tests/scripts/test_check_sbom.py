"""The list of what is installed has every pin of the lock file, with its hashes, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scripts import check_sbom

LOCK = "anyio==4.16.0 \\\n    --hash=sha256:00\nDjango==5.2.1 \\\n    --hash=sha256:00\n"


def component(name: str, version: str, *, hashed: bool = True) -> dict[str, Any]:
    hashes = [{"alg": "SHA-256", "content": "00"}] if hashed else []
    return {"name": name, "version": version, "externalReferences": [{"hashes": hashes}]}


ANYIO, DJANGO = component("anyio", "4.16.0"), component("django", "5.2.1")


def check(folder: Path, lock: str, components: list[dict[str, Any]]) -> int:
    (folder / "lock.txt").write_text(lock)
    (folder / "sbom.json").write_text(json.dumps({"components": components}))
    return check_sbom.main(folder / "lock.txt", folder / "sbom.json")


def test_list_of_every_pin_passes(tmp_path: Path) -> None:
    assert check(tmp_path, LOCK, [ANYIO, DJANGO]) == 0


@pytest.mark.parametrize(
    "components",
    [
        [],
        [ANYIO],
        [ANYIO, component("django", "5.2.0")],
        [ANYIO, component("django", "5.2.1", hashed=False)],
        [ANYIO, DJANGO, component("idna", "3.7")],
    ],
)
def test_list_that_differs_from_pins_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], components: list[dict[str, Any]]
) -> None:
    assert check(tmp_path, LOCK, components) == 1
    assert "is not what" in capsys.readouterr().err


def test_list_of_empty_lock_file_fails(tmp_path: Path) -> None:
    assert check(tmp_path, "", []) == 1
