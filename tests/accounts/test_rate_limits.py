"""Limits are rows: counted over sliding windows, exact when many come at once, and never evicted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from partway.accounts import rate_limits, two_factor
from partway.accounts.models import Attempt, UsedCode
from partway.accounts.rate_limits import Limit, LimitReached, Window
from tests.support import personas, totp_codes
from tests.support.concurrency import run_concurrently

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
THREE = Limit("test", Window(3, HOUR), Window(5, 24 * HOUR))


def use(after: timedelta = timedelta(), subject: str = "alice") -> bool:
    """Uses the action once; returns whether it was allowed."""
    try:
        rate_limits.consume({THREE: subject}, now=NOON + after)
    except LimitReached:
        return False
    return True


def test_limit_allows_its_count_within_window() -> None:
    assert [use() for _ in range(4)] == [True, True, True, False]


def test_limit_window_slides() -> None:
    minutes = (0, 50, 55, 59, 60, 61, 110)
    assert [use(timedelta(minutes=at)) for at in minutes] == [True, True, True, False, True, False, True]


def test_longer_window_of_limit_holds_too() -> None:
    allowed = [use(timedelta(hours=at)) for at in range(24)]
    assert allowed.count(True) == 5


def test_refused_uses_are_not_counted() -> None:
    for _ in range(9):
        use()
    assert Attempt.objects.count() == 3


def test_limit_is_counted_per_subject_and_action() -> None:
    for _ in range(3):
        use()
    assert use(subject="bob")
    rate_limits.consume({Limit("other", Window(1, HOUR)): "alice"}, now=NOON)


def test_use_of_several_limits_counts_for_all_or_none() -> None:
    one = Limit("one", Window(1, HOUR))
    rate_limits.consume({one: "alice"}, now=NOON)
    with pytest.raises(LimitReached):
        rate_limits.consume({THREE: "alice", one: "alice"}, now=NOON)
    assert Attempt.objects.filter(action="test").count() == 0


def test_limit_tells_the_longest_wait() -> None:
    for minutes in (0, 10, 20):
        use(timedelta(minutes=minutes))
    short = Limit("short", Window(0, timedelta(minutes=5)))
    with pytest.raises(LimitReached) as reached:
        rate_limits.consume({THREE: "alice", short: "alice"}, now=NOON + timedelta(minutes=30))
    assert (reached.value.limit.action, reached.value.retry_after) == ("test", timedelta(minutes=30))


def test_check_of_limit_counts_nothing() -> None:
    for _ in range(5):
        rate_limits.check({THREE: "alice"}, now=NOON)
    assert use()


def test_released_use_is_not_counted() -> None:
    for _ in range(5):
        rate_limits.release(rate_limits.consume({THREE: "alice"}, now=NOON))
    assert not Attempt.objects.exists()


def test_cleared_subject_has_its_count_back() -> None:
    for _ in range(3):
        use()
    rate_limits.clear("test", "alice")
    assert use()


@pytest.mark.django_db(transaction=True)
@pytest.mark.locks
def test_limit_holds_for_concurrent_uses() -> None:
    results = run_concurrently(*[use] * 9)
    assert results.count(True) == 3
    assert Attempt.objects.count() == 3


def test_many_other_subjects_evict_nobody() -> None:
    for _ in range(3):
        use(subject="victim")
    for number in range(400):
        rate_limits.consume({THREE: f"attacker {number}"}, now=NOON)
    assert not use(subject="victim")


def test_expired_attempts_are_deleted_and_no_others() -> None:
    use()
    use(timedelta(hours=2), "bob")
    assert rate_limits.delete_expired(now=NOON + timedelta(hours=24)) == 1
    assert rate_limits.delete_expired(now=NOON + timedelta(hours=24)) == 0


@pytest.mark.parametrize(
    ("address", "networks"),
    [
        (None, []),
        ("203.0.113.9", ["203.0.113.9"]),
        ("2001:db8:7:1::", ["2001:db8:7:1::/64", "2001:db8:7::/48"]),
    ],
)
def test_address_is_counted_by_its_networks(address: str | None, networks: list[str]) -> None:
    assert rate_limits.networks(address) == networks


@pytest.mark.django_db(transaction=True)
def test_code_sent_twice_at_once_is_accepted_once() -> None:
    user = personas.alder().alice.user
    secret = totp_codes.enable_two_factor(user)
    code = totp_codes.code_for(secret)
    results = run_concurrently(*[lambda: two_factor.use_code(user, code, secret, now=NOON)] * 4)
    assert sorted(results) == [False, False, False, True]


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_used_code_is_refused_in_every_step_of_its_window(steps: int) -> None:
    user = personas.alder().alice.user
    secret = totp_codes.enable_two_factor(user)
    code = totp_codes.code_for(secret, steps=steps)
    assert [two_factor.use_code(user, code, secret, now=NOON) for _ in range(3)] == [True, False, False]


def test_used_codes_are_deleted_after_an_hour() -> None:
    user = personas.alder().alice.user
    for minutes in (0, 30):
        UsedCode.objects.create(user=user, time_step=minutes, used_at=NOON + timedelta(minutes=minutes))
    assert two_factor.delete_used_codes(now=NOON + timedelta(minutes=61)) == 1
