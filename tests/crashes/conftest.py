"""A town for each module, on the database of the tests; it is left empty."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from partway.worker.tour.visitor import HttpBrowser
from tests.support.databases import empty_database

from .installation import Installation, running_installation
from .scenario import CrashScenario


@pytest.fixture(scope="module")
def transactional_db(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """pytest-django's own, but for a whole module: a database cannot be emptied beneath the feet of a house."""
    with django_db_blocker.unblock():
        yield
        empty_database()


@pytest.fixture(scope="module")
def installation(transactional_db: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Starting one takes seconds, so the tests of a module share it."""
    with running_installation(tmp_path_factory.mktemp("installation")) as installation:
        yield installation


@pytest.fixture
def scenario(installation: Installation) -> Iterator[CrashScenario]:
    """A scene of its own for each crash; whatever happened in it, the books are right at the end."""
    with HttpBrowser() as alice, HttpBrowser() as dana:
        scenario = CrashScenario(installation, alice, dana)
        yield scenario
        scenario.assert_consistent()
