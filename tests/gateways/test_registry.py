"""The registry: gateways by code, rules for live use, and nothing outside gateways/ that names one."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from pathlib import Path

import pytest

import partway
from partway.gateways.protocol import Refused
from partway.gateways.registry import GATEWAYS, available_gateways, open_gateway
from partway.lib.money import EXPONENTS
from tests.gateways.toy import TOY

SOURCE = Path(partway.__file__).parent
# The sandbox, which is an application of its own, and the two modules that start its process.
SANDBOX = ("sandbox/", "worker/supervisor.py", "__main__.py")


def test_unknown_gateway_code_raises_key_error() -> None:
    with pytest.raises(KeyError):
        open_gateway("nobody", {}, urls={})


def test_live_installation_refuses_to_open_test_gateway() -> None:
    credentials = GATEWAYS["sandbox"].sample_credentials
    open_gateway("sandbox", credentials, urls={}, live=False)
    with pytest.raises(Refused, match="test_gateway_when_live: The account at sandbox moves no money"):
        open_gateway("sandbox", credentials, urls={}, live=True)


def test_live_installation_offers_only_gateways_that_move_money(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(GATEWAYS, "toy", TOY)
    assert set(available_gateways(live=False)) == {"sandbox", "stripe", "toy"}
    assert set(available_gateways(live=True)) == {"stripe", "toy"}


@pytest.mark.parametrize(
    ("key", "live", "refusal"),
    [
        ("toy_key_live", True, ""),
        ("toy_key_test", False, ""),
        ("toy_key_test", True, "test_gateway_when_live"),
        ("toy_key_live", False, "live_account_when_not_live"),
    ],
)
def test_account_is_opened_where_its_key_fits_the_installation(
    monkeypatch: pytest.MonkeyPatch, key: str, live: bool, refusal: str
) -> None:
    by_key = replace(TOY, is_test_account=lambda credentials: credentials["api_key"].endswith("_test"))
    monkeypatch.setitem(GATEWAYS, "toy", by_key)
    if not refusal:
        open_gateway("toy", {"api_key": key}, urls={}, live=live)
        return
    with pytest.raises(Refused, match=refusal):
        open_gateway("toy", {"api_key": key}, urls={}, live=live)


@pytest.mark.parametrize("code", GATEWAYS)
def test_gateway_has_minimum_and_step_for_each_currency(code: str) -> None:
    gateway = open_gateway(code, GATEWAYS[code].sample_credentials, urls={})
    assert gateway.currencies <= set(EXPONENTS)
    for currency in gateway.currencies:
        assert gateway.minimum(currency) % gateway.step(currency) == 0


def names(path: Path) -> set[str]:
    """Returns the identifiers and whole string literals of a module, or the quoted words of a template."""
    if path.suffix == ".html":
        return set(re.findall(r'"([^"]*)"(?!=)', path.read_text()))
    nodes = list(ast.walk(ast.parse(path.read_text())))
    literals = {str(node.value) for node in nodes if isinstance(node, ast.Constant)}
    modules = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    identifiers = {getattr(node, "id", "") or getattr(node, "attr", "") for node in nodes}
    return literals | {part for name in modules | identifiers for part in name.lower().split(".")}


@pytest.mark.parametrize("code", GATEWAYS)
def test_only_gateways_package_names_a_gateway(code: str) -> None:
    files = [path for path in SOURCE.rglob("*") if path.suffix in (".py", ".html")]
    others = [path for path in files if not str(path.relative_to(SOURCE)).startswith(("gateways/", *SANDBOX))]
    assert len(others) > 200
    assert [str(path) for path in others if code in names(path)] == []
