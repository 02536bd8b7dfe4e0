"""A town for each module, on the database of the tests; it is left empty."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from pytest_django import DjangoDbBlocker

from partway.worker.tour.visitor import Visitor

from .scene import Scene
from .town import Town, settled_town


@pytest.fixture(scope="module")
def transactional_db(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """pytest-django's own, but for a whole module: a database cannot be emptied beneath the feet of a house."""
    with django_db_blocker.unblock():
        yield
        call_command("flush", verbosity=0, interactive=False)


@pytest.fixture(scope="module")
def town(transactional_db: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Starting one takes seconds, so the tests of a module share it."""
    with settled_town(tmp_path_factory.mktemp("town")) as town:
        yield town


@pytest.fixture
def scene(town: Town) -> Iterator[Scene]:
    """A scene of its own for each crash; whatever happened in it, the books are right at the end."""
    with Visitor() as alice, Visitor() as dana:
        scene = Scene(town, alice, dana)
        yield scene
        scene.ends()
