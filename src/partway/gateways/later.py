"""Functions of modules that are imported when they are first called, so that a start pays for no gateway it lacks."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


def later(module: str, name: str) -> Callable[..., Any]:
    """Returns a function of a module that is imported when it is called."""

    def call(*args: Any) -> Any:
        return getattr(import_module(module), name)(*args)

    return call
