"""A mutant keeps its name when the file around it changes, and a survivor is accepted by that name alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from .accepted import Accepted, accepted, report
from .mutants import DATA, MUTATED, NOT_MUTATED, SOURCE, Module, Name, modules, name_of

CODE = """
def first(a):
    return a


@atomic(durable=True)
def change(row, status: str | None = None):
    if not rows.filter(pk=row.pk, status=status).update(name=f"{1 + 1}"):
        raise Conflict
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Module:
    monkeypatch.setattr("tests.guards.mutants.SOURCE", tmp_path)
    path = tmp_path / "acts.py"
    path.write_text(CODE)
    return Module(path)


def names(module: Module) -> list[Name]:
    """Returns the names of all mutants of a file."""
    specs = [item.mutations[0] for item in module.work_items()]
    return [name_of(module, spec, module.mutated(spec)) for spec in specs]


def test_a_mutant_is_named_by_its_function_and_its_lines(module: Module) -> None:
    before = 'if not rows.filter(pk=row.pk, status=status).update(name=f"{1 + 1}"):'
    assert Name("acts.change", before, before.replace(", status=status", "")) in names(module)
    assert Name("acts.change", "@atomic(durable=True)", "@atomic(durable=False)") in names(module)


def test_code_elsewhere_in_the_file_changes_no_mutant_name(module: Module) -> None:
    before = [name for name in names(module) if name.function == "acts.change"]
    module.path.write_text("import os\n" + CODE.replace("return a", "return a + 1"))
    assert [name for name in names(Module(module.path)) if name.function == "acts.change"] == before


def test_signatures_and_messages_have_no_mutants(module: Module) -> None:
    assert not [name for name in names(module) if name.before.startswith("def ") or "1 - 1" in name.after]


def test_a_survivor_is_reported_until_it_is_accepted(capsys: pytest.CaptureFixture[str]) -> None:
    name = Name("acts.change", "a < b", "a <= b")
    assert report({name: "passed"}, [], ["acts"]) == 1
    assert "SURVIVED: acts.change" in capsys.readouterr().out
    assert (
        report({name: "passed"}, [Accepted("acts.change", "a < b", "a <= b", "never equal")], ["acts"]) == 0
    )


def test_an_entry_without_a_survivor_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    entry = Accepted("acts.change", "a < b", "a <= b", "never equal")
    assert report({}, [entry], ["acts"]) == 1
    assert "NO LONGER A SURVIVOR: acts.change" in capsys.readouterr().out
    assert report({}, [entry], ["other"]) == 0


def test_each_accepted_survivor_is_in_a_module_that_is_mutated_and_has_a_reason() -> None:
    known = [module.name for module in modules()]
    for entry in accepted():
        assert entry.reason.endswith(".")
        assert any(f"{entry.function}.".startswith(f"{name}.") for name in known), entry.function


def test_mutated_modules_have_mutants() -> None:
    assert {module.path.relative_to(SOURCE).parts[0] for module in modules()} >= {
        "billing",
        "lib",
        "gateways",
    }


@pytest.mark.parametrize("pattern", [*MUTATED, *NOT_MUTATED, *DATA])
def test_each_pattern_of_mutated_modules_matches_a_file(pattern: str) -> None:
    assert any(path.match(pattern) or path in SOURCE.glob(pattern) for path in SOURCE.rglob("*.py"))
