"""Each lock of the source is run by a test marked `locks`; `make guards` shows that it fails without the lock."""

from __future__ import annotations

import pytest
from django.db import connection

from .coverage_map import TESTS, CoverageMap, source_modules
from .locks import locks


@pytest.mark.skipif(connection.vendor == "sqlite", reason="only PostgreSQL locks rows one by one")
def test_each_lock_is_covered_by_a_test_marked_for_locks() -> None:
    covered = CoverageMap("postgresql")
    covered.measure(source_modules(), TESTS)
    missing = [str(lock) for lock in locks() if not covered.tests_at(lock.module, [lock.line])]
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("call", [".locked(", ".lock(", ".select_for_update(", "pg_advisory_xact_lock"])
def test_each_kind_of_lock_is_found(call: str) -> None:
    assert any(call in str(lock) for lock in locks())
