"""The code of a function is replaced in place, and a change of code that ran at import is detected."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from django.utils.functional import SimpleLazyObject

from .patching import RunsAtImport, patch_constants, patch_functions

CODE = """
from functools import cache, wraps

def loud(function):
    @wraps(function)
    def call(*args):
        return function(*args) + 100
    return call

LIMIT = 10
STEPS = {LIMIT: LIMIT + 1}

@loud
def decorated(a):
    return a + 1

@cache
def cached(a):
    return a + 2

class Row:
    @property
    def shown(self):
        return [one + 3 for one in (1,)]
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    path = tmp_path / "acts.py"
    path.write_text(CODE)
    spec = importlib.util.spec_from_file_location("acts", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, "acts", module)
    return module


def patched(module: ModuleType, before: str, after: str) -> None:
    assert before in CODE
    patch_functions(Path(str(module.__file__)), CODE, CODE.replace(before, after))


def test_a_decorated_function_runs_the_new_code_inside_its_decorator(module: ModuleType) -> None:
    patched(module, "a + 1", "a - 1")
    assert module.decorated(1) == 100


def test_lazy_objects_of_earlier_tests_are_left_alone(module: ModuleType) -> None:
    left_behind = SimpleLazyObject(lambda: 1 / 0)
    patched(module, "a + 1", "a - 1")
    assert type(left_behind) is SimpleLazyObject


def test_a_cached_function_forgets_what_it_returned(module: ModuleType) -> None:
    assert module.cached(1) == 3
    patched(module, "a + 2", "a - 2")
    assert module.cached(1) == -1


def test_a_method_runs_the_new_code(module: ModuleType) -> None:
    patched(module, "one + 3", "one - 3")
    assert module.Row().shown == [-2]


@pytest.mark.parametrize(("before", "after"), [("LIMIT = 10", "LIMIT = 11"), ("@loud\n", "\n")])
def test_mutation_of_code_that_ran_at_import_is_detected(module: ModuleType, before: str, after: str) -> None:
    with pytest.raises(RunsAtImport):
        patched(module, before, after)


def test_a_constant_is_replaced_with_what_follows_from_it(module: ModuleType) -> None:
    patch_constants("acts", CODE, CODE.replace("LIMIT = 10", "LIMIT = 20"))
    assert (module.LIMIT, module.STEPS) == (20, {20: 21})


def test_a_decorator_is_no_constant(module: ModuleType) -> None:
    with pytest.raises(RunsAtImport):
        patch_constants("acts", CODE, CODE.replace("@loud\n", "\n"))
