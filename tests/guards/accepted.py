"""The accepted survivors, each with its reason: accepted.toml.

An entry names a mutant by its function and by the lines that the mutation changes, so it holds as long as these do,
wherever they stand in the file:

    [[survivor]]
    function = "lib.money.example"
    before = "the line as it is"
    after = "the line of the mutant"
    reason = "Why no test tells them apart."
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .mutants import Name

FILE = Path(__file__).with_name("accepted.toml")


@dataclass(frozen=True, slots=True)
class Accepted:
    """One entry."""

    function: str
    before: str
    after: str
    reason: str

    @property
    def name(self) -> Name:
        """The mutant that is accepted."""
        return Name(self.function, self.before, self.after)


def accepted() -> list[Accepted]:
    """Returns the entries of accepted.toml."""
    return [Accepted(**entry) for entry in tomllib.loads(FILE.read_text()).get("survivor", ())]


def report(survivors: Mapping[Name, str], entries: Sequence[Accepted], modules: Sequence[str]) -> int:
    """Prints each survivor that is not accepted and each entry without a survivor; returns the exit code."""
    known = {entry.name: entry for entry in entries}
    new = [name for name in survivors if name not in known]
    for name in new:
        print(f"SURVIVED: {name}\n    ({survivors[name]})")
    stale = [entry for entry in entries if is_of(entry, modules) and entry.name not in survivors]
    for entry in stale:
        print(f"NO LONGER A SURVIVOR: {entry.name}\n    Remove or rename this entry of {FILE.name}.")
    print(f"{len(survivors)} survivors: {len(new)} not accepted, {len(stale)} entries are stale")
    return 1 if new or stale else 0


def is_of(entry: Accepted, modules: Sequence[str]) -> bool:
    """Returns True if the entry is about one of these modules."""
    return any(f"{entry.function}.".startswith(f"{module}.") for module in modules)
