"""A running company, a merchant with an account there, and a checkout to be paid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.gateways.company import Company, Ear, running
from tests.sandbox.merchant import Merchant


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    with running(tmp_path_factory.mktemp("company")) as company:
        yield company


@pytest.fixture
def ear() -> Iterator[Ear]:
    with Ear() as ear:
        yield ear


@pytest.fixture
def merchant(company: Company, ear: Ear) -> Merchant:
    return Merchant(company, ear)


@pytest.fixture
def checkout(merchant: Merchant) -> dict[str, Any]:
    return merchant.start()


@pytest.fixture
def page(checkout: dict[str, Any]) -> str:
    return str(checkout["url"])
