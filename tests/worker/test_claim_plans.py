"""A long queue does not slow the worker: rows that are due come from an index of the time at which they are."""

from __future__ import annotations

import pytest
from django.apps import apps

from partway.billing.claims import ClaimableRows
from partway.billing.imports import runs
from partway.billing.reconciliation import due_work, gateway_list, payout_list
from partway.delivery.mail import sending
from partway.lib.clock import now
from tests.support.query_plans import Plans, large_tables

_QUEUES = {
    name: queue
    for module in (due_work, gateway_list, payout_list, runs, sending)
    for name, queue in vars(module).items()
    if isinstance(queue, ClaimableRows)
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", _QUEUES)
def test_due_rows_are_claimed_by_their_index(name: str) -> None:
    queue = _QUEUES[name]
    model = queue.rows.model
    plans = Plans(frozenset(each._meta.db_table for each in apps.get_models()))
    with large_tables(model):
        sql, params = queue.due(now())[:1].query.sql_with_params()
        steps, sorts = plans.steps(sql, params)
    due, *others = [step for step in steps if step.table == model._meta.db_table]
    assert queue.due_at in due.columns
    # Of each file that is due, the few unfinished imports of its organization say whether it is the next.
    assert ["organization_id" in step.columns for step in others] == [True] * (name == "RUNNING")
    assert not sorts or name == "RUNNING"  # as where a hundred thousand are due at one moment
