"""The lock files pin each dependency of pyproject.toml, in a version that it allows and with hashes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = ROOT / "scripts" / "requirements"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DECLARED = {
    "run": PROJECT["dependencies"],
    "test": [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]],
}


def pins(name: str) -> dict[str, str]:
    """Returns the version of each package of a lock file."""
    lock = (LOCKS / f"{name}.txt").read_text()
    return {
        canonicalize_name(package): version for package, version in re.findall(r"(?m)^(\S+)==(\S+)", lock)
    }


@pytest.mark.parametrize("name", DECLARED)
def test_lock_file_pins_every_declared_dependency(name: str) -> None:
    locked = pins(name)
    declared = [Requirement(line) for line in DECLARED[name]]
    refused = [
        str(each)
        for each in declared
        if not each.specifier.contains(locked.get(canonicalize_name(each.name), "0"))
    ]
    assert not refused


def test_tests_run_with_the_versions_that_are_installed_to_run() -> None:
    assert pins("run").items() <= pins("test").items()


@pytest.mark.parametrize("path", sorted(LOCKS.glob("*.txt")), ids=lambda path: path.stem)
def test_every_pin_has_a_hash_and_every_line_a_pin(path: Path) -> None:
    entries = re.split(r"(?m)^(?=[^\s#])", path.read_text())[1:]
    assert entries
    assert not [entry.split()[0] for entry in entries if "==" not in entry or "--hash=sha256:" not in entry]
