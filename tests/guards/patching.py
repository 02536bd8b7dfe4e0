"""Replaces the code of functions in a running process by mutated source, without importing modules again."""

from __future__ import annotations

import functools
import gc
import importlib.machinery
import importlib.util
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType


class RunsAtImport(Exception):
    """The mutation is in code that runs at import, as a constant or a decorator."""


def _kept(code: CodeType) -> tuple[object, ...]:
    constants = tuple(one for one in code.co_consts if not isinstance(one, CodeType))
    return code.co_code, code.co_names, tuple(map(repr, constants))


def _children(code: CodeType) -> list[CodeType]:
    return [one for one in code.co_consts if isinstance(one, CodeType)]


def changed_functions(before: CodeType, after: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """Returns the outermost functions that differ, in both versions; raises RunsAtImport.

    The code of a module and of a class body runs at import; what it contains was made by then.
    """
    if _kept(before) != _kept(after) or len(_children(before)) != len(_children(after)):
        raise RunsAtImport
    for old, new in zip(_children(before), _children(after), strict=True):
        # Only the code of a function has fast locals and a namespace that is made anew at each call.
        if not old.co_flags & 0x02:
            yield from changed_functions(old, new)
        elif old != new:
            yield old, new


def patch_functions(path: Path, source: str, mutated: str) -> None:
    """Makes the functions of the file at `path` run the mutated source from now on; raises RunsAtImport."""
    before, after = (compile(text, str(path), "exec", dont_inherit=True) for text in (source, mutated))
    pairs = dict(changed_functions(before, after))
    if not pairs:
        raise RunsAtImport
    found = False
    for function in gc.get_objects():
        # By type(): isinstance() asks the object, and a lazy one of Django that a test left behind would be evaluated.
        if type(function) is FunctionType and function.__code__ in pairs:
            function.__code__ = pairs[function.__code__]
            found = True
        elif type(function) is functools._lru_cache_wrapper and is_of_file(function, path):
            function.cache_clear()
    if not found:
        raise RunsAtImport


def is_of_file(cached: object, path: Path) -> bool:
    """Returns True if the function behind a cache was defined in this file."""
    function = inspect.unwrap(cached)  # type: ignore[arg-type]
    return isinstance(function, FunctionType) and function.__code__.co_filename == str(path)


def patch_constants(name: str, source: str, mutated: str) -> None:
    """Gives the constants of a module their mutated values, in every module that has imported them.

    Raises RunsAtImport when something else differs, as a decorator, or a table that holds functions of the module.
    """
    module = sys.modules[name]
    before, after = _executed(module, source), _executed(module, mutated)
    constants = {
        key: (vars(module)[key], after[key])
        for key, value in before.items()
        if not isinstance(value, type | FunctionType)
        and value == vars(module).get(key)
        and value != after.get(key)
    }
    if not constants or before.keys() != after.keys():
        raise RunsAtImport
    package = name.partition(".")[0]
    for other in [one for key, one in sys.modules.items() if key.partition(".")[0] == package]:
        for key, (old, new) in constants.items():
            if vars(other).get(key) is old:
                setattr(other, key, new)


def _executed(module: ModuleType, source: str) -> dict[str, object]:
    names = {
        key: value for key, value in vars(module).items() if key.startswith("__") and key != "__builtins__"
    }
    exec(compile(source, str(module.__file__), "exec", dont_inherit=True), names)  # noqa: S102 -- our own source
    return {key: value for key, value in names.items() if not key.startswith("__")}


class _MutatedSource(importlib.machinery.SourceFileLoader):
    """Loads a module from given source text."""

    mutated: str

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.mutated, self.path, "exec", dont_inherit=True)


class MutatedModule:
    """An import hook that loads one module from mutated source."""

    def __init__(self, path: Path, mutated: str) -> None:
        self.path, self.mutated = path, mutated

    def find_spec(
        self, name: str, path: object = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Called by Python for each import."""
        spec = importlib.machinery.PathFinder.find_spec(name, path, target) if path else None  # type: ignore[arg-type]
        if spec is None or spec.origin != str(self.path):
            return None
        loader = _MutatedSource(name, str(self.path))
        loader.mutated = self.mutated
        locations = spec.submodule_search_locations
        return importlib.util.spec_from_file_location(
            name, self.path, loader=loader, submodule_search_locations=locations
        )

    def install(self) -> None:
        """Puts the hook before Python's own finders."""
        sys.meta_path.insert(0, self)
