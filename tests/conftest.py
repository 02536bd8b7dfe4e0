"""What every test shares; the database and the home of a run come from tests/postgres_plugin.py."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# A busy machine is no defect, so examples have no deadline; CI tries the same ones every time, so that what
# it finds can be found again.
settings.register_profile("partway", deadline=None, derandomize=os.environ.get("CI") == "true")
settings.load_profile("partway")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Before the database is made; the name of each worker's comes from the fixture that this one asks for."""
    from tests.support.databases import make_tests_quick

    make_tests_quick()
