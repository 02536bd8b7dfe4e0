"""One installation for each module, on the database of the tests, which is emptied afterwards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from partway.worker.tour.browser import HttpBrowser
from tests.support.databases import empty_database

from .installation import Installation, running_installation
from .scenario import CrashScenario


@pytest.fixture(scope="module")
def transactional_db(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Like pytest-django's fixture, but for a module: the database must not be emptied while processes use it."""
    with django_db_blocker.unblock():
        yield
        empty_database()


@pytest.fixture(scope="module")
def installation(
    transactional_db: None,
    gateway_code: str,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installation]:
    """The installation that the tests of a module share, since starting it takes seconds."""
    stand_in = request.getfixturevalue("stand_in") if gateway_code == "stripe" else None
    with running_installation(tmp_path_factory.mktemp("installation"), stand_in) as installation:
        yield installation


@pytest.fixture
def scenario(installation: Installation) -> Iterator[CrashScenario]:
    """A scenario for each test; asserts at the end that the books are right."""
    with HttpBrowser() as alice, HttpBrowser() as dana:
        scenario = CrashScenario(installation, alice, dana)
        yield scenario
        scenario.assert_consistent()
