"""Claims of due rows: one worker wins, a killed worker loses nothing, and the interval doubles."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections

from partway.billing import claims
from partway.billing.claims import ClaimableRows, back_off
from partway.billing.models import Customer, Mail
from partway.billing.reconciliation import due_work
from partway.lib.clock import now as present
from tests.support import failpoints, personas
from tests.support.gateway_driver import GatewayDriver

LEASE = timedelta(minutes=2)
QUEUED = ClaimableRows(Mail.objects.filter(status="queued"), due_at="next_attempt_at", count="attempt_count")


@pytest.fixture
def mail(dana: Customer) -> Mail:
    """A queued mail, due now."""
    personas.sent_invoice(dana)
    return Mail.objects.get()


def test_claim_of_two_workers_is_won_by_first(mail: Mail) -> None:
    other = Mail.objects.get()
    assert [QUEUED.claim(row, until=present() + LEASE) for row in (mail, other)] == [True, False]


def test_claim_sets_count_and_lease_on_row_and_in_database(mail: Mail) -> None:
    until = present() + LEASE
    QUEUED.claim(mail, until=until)
    stored = Mail.objects.get()
    assert (mail.attempt_count, mail.next_attempt_at) == (1, until)
    assert (stored.attempt_count, stored.next_attempt_at) == (1, until)


def test_claimed_row_is_due_again_when_its_lease_ends(mail: Mail) -> None:
    at = present()
    QUEUED.claim(mail, until=at + LEASE)
    assert not QUEUED.due(at)
    assert list(QUEUED.due(at + LEASE)) == [mail]


def test_unchanged_is_empty_after_claim_by_another_worker(mail: Mail) -> None:
    QUEUED.claim(mail, until=present())
    assert QUEUED.unchanged(mail).exists()
    QUEUED.claim(Mail.objects.get(), until=present() + LEASE)
    assert not QUEUED.unchanged(mail).exists()


def test_row_outside_claimable_rows_cannot_be_claimed(mail: Mail) -> None:
    Mail.objects.update(status="dropped")
    assert not QUEUED.claim(mail, until=present() + LEASE)


def test_back_off_doubles_up_to_longest_interval() -> None:
    waits = [back_off(n, first=timedelta(minutes=2), longest=timedelta(minutes=15)) for n in range(5)]
    assert waits == [timedelta(minutes=minutes) for minutes in (2, 4, 8, 15, 15)]


def test_payment_claimed_by_another_worker_meanwhile_is_not_refreshed(
    gateway_driver: GatewayDriver, dana: Customer
) -> None:
    first, second = (gateway_driver.start(personas.sent_invoice(dana)) for _ in range(2))
    at = present() + timedelta(minutes=3)

    def claim_second(failpoint: str) -> None:
        second.refresh_from_db()
        due_work.UNSETTLED_PAYMENTS.claim(second, until=at + LEASE)

    with failpoints.on_failpoint(claim_second):
        assert due_work.refresh_unsettled_payments(now=at) == 1
    first.refresh_from_db()
    assert first.refresh_count == 1


def test_take_claims_due_rows_and_leaves_out_those_of_another_worker(mail: Mail, dana: Customer) -> None:
    personas.sent_invoice(dana)
    at = present()
    taken = QUEUED.take(at, limit=2, wait=lambda _mail: LEASE)
    first, claimed_at = next(taken)
    other = Mail.objects.exclude(pk=first.pk).get()
    QUEUED.claim(other, until=at + LEASE)
    assert (list(taken), claimed_at) == ([], at)
    assert not QUEUED.due(at)


def test_take_ends_when_budget_is_spent(mail: Mail, dana: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    personas.sent_invoice(dana)
    monkeypatch.setattr(claims, "BUDGET", timedelta())
    assert list(QUEUED.take(present(), limit=2, wait=lambda _mail: LEASE)) == []
    assert QUEUED.due(present()).count() == 2


def test_rows_of_two_workers_are_claimed_once(mail: Mail, dana: Customer) -> None:
    for _ in range(3):
        personas.sent_invoice(dana)
    at = present()
    first, second = (QUEUED.take(at, limit=2, wait=lambda _mail: LEASE) for _ in range(2))
    taken = [next(first)[0], next(second)[0], *(row for row, _ in (*first, *second))]
    assert len({row.pk for row in taken}) == len(taken)
    # Where rows are reserved, the second begins behind those of the first and none of its claims is in vain.
    assert len(taken) == (4 if connection.vendor == "postgresql" else 3)


def test_row_that_an_act_puts_off_meanwhile_is_not_taken(mail: Mail, dana: Customer) -> None:
    personas.sent_invoice(dana)
    at, later = present(), present() + timedelta(hours=1)

    def put_off(execute: Any, sql: str, *args: Any) -> Any:
        result = execute(sql, *args)
        if "SKIP LOCKED" in sql or sql.startswith("SELECT"):
            with connection.cursor() as cursor:
                cursor.execute("UPDATE billing_mail SET next_attempt_at = %s WHERE id = %s", [later, mail.pk])
        return result

    with connection.execute_wrapper(put_off):
        taken = [row.pk for row, _ in QUEUED.take(at, limit=2, wait=lambda _mail: LEASE)]
    assert (len(taken), mail.pk in taken) == (1, False)
    assert Mail.objects.get(pk=mail.pk).next_attempt_at == later


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite lets one write at a time")
@pytest.mark.django_db(transaction=True)
def test_row_to_which_a_transaction_adds_others_is_not_left_out(mail: Mail) -> None:
    other = connections.create_connection("default")
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:  # as the check of a foreign key does, until the end of the transaction
            cursor.execute("SELECT id FROM billing_mail FOR KEY SHARE")
        assert [row.pk for row, _ in QUEUED.take(present(), limit=2, wait=lambda _mail: LEASE)] == [mail.pk]
    finally:
        other.rollback()
        other.close()


def test_reserved_rows_are_due_again_once_worker_ends_or_was_killed(mail: Mail, dana: Customer) -> None:
    personas.sent_invoice(dana)
    at = present()
    taken = QUEUED.take(at, limit=2, wait=lambda _mail: LEASE)
    first, _ = next(taken)
    assert QUEUED.due(at).count() == (0 if connection.vendor == "postgresql" else 1)
    assert QUEUED.due(at + claims.RESERVATION).count() == 1
    taken.close()
    [other] = QUEUED.due(at)
    assert (other.attempt_count, other.pk != first.pk) == (0, True)
