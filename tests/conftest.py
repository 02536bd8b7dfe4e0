"""Settings that all tests share; tests/postgres_plugin.py gives each run its database and its home."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# A busy machine is not a defect, so examples have no deadline; CI tries the same examples every time, so that a
# failure can be repeated.
settings.register_profile("partway", deadline=None, derandomize=os.environ.get("CI") == "true")
settings.load_profile("partway")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Runs before the database is created; requests the fixture that names each worker's database."""
    from tests.support.databases import make_tests_quick

    make_tests_quick()
