"""Each staff page asks for the permission of the acts of billing that its view calls."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import partway.staff
from partway.accounts.permissions import Permission, permission_of
from partway.staff import urls
from tests.api.calls import CALLS
from tests.staff.test_access import routes

PAGES = {str(route.name): route.callback for route in routes(urls._organization)}


@cache
def references(function: Callable[..., Any]) -> set[Callable[..., Any]]:
    """Returns the functions that the source of a function names, as `name` or `module.name`."""
    return {found for found in named_objects(function) if inspect.isfunction(found)}


def named_objects(function: Callable[..., Any]) -> Iterator[object]:
    scope = inspect.unwrap(function).__globals__
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))):
        if isinstance(node, ast.Name):
            found = scope.get(node.id)
            yield from found.values() if isinstance(found, dict) else [found]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield getattr(scope.get(node.value.id), node.attr, None)


def acts_of(page: Callable[..., Any]) -> set[Callable[..., Any]]:
    """Returns the marked acts that a page or call makes, directly or through other functions of its door."""
    acts, waiting, visited = set(), [page], set()
    while waiting:
        function = waiting.pop()
        visited.add(function)
        for found in references(function):
            if found in visited or found.__name__ == "<lambda>":
                continue
            if found.__module__.startswith("partway.billing."):
                acts |= {found} if permission_of(found) else set()
            elif found.__module__.startswith(("partway.staff.", "partway.api.")):
                waiting.append(found)
    return acts


@cache
def acts(name: str) -> set[Callable[..., Any]]:
    """Returns the acts of a page, read when a test asks, because each process of a run imports this file."""
    return acts_of(inspect.unwrap(PAGES[name]))


@pytest.mark.parametrize("name", PAGES)
def test_page_asks_for_permission_of_its_acts(name: str) -> None:
    for act in acts(name):
        assert permission_of(act) == permission_of(PAGES[name]), act


def test_page_without_acts_only_views_or_copies_a_link() -> None:
    viewing = {name for name in Permission if name.startswith(("view_", "export_"))} | {"copy_links"}
    others = {name for name in PAGES if not acts(name) and permission_of(PAGES[name]) not in viewing}
    # Lists of what only they see who can change it, and a sample for the settings.
    lists = {"members", "keys", "imports", "import", "webhooks", "webhook", "webhook_delivery"}
    assert others == {*lists, "settings_locale"}


def test_every_marked_act_is_called_by_a_page_or_by_programs() -> None:
    billing = [module for name, module in sys.modules.items() if name.startswith("partway.billing.")]
    marked = {act for module in billing for act in vars(module).values() if permission_of(act)}
    of_programs = {act for call in CALLS.values() for act in acts_of(call.view)}
    assert marked == {act for name in PAGES for act in acts(name)} | of_programs


def test_templates_name_only_permissions_that_exist() -> None:
    templates = Path(partway.staff.__file__).parent / "templates"
    named = {
        permission
        for template in templates.rglob("*.html")
        for permission in re.findall(r'"(\w+)" in ctx\.permissions', template.read_text())
    }
    assert named
    assert named <= set(Permission)
