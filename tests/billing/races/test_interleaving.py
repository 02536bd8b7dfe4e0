"""Two acts run in the given order, and a first act that never reaches its failpoint is a failure."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import transaction

from partway.billing.errors import TooLate
from partway.billing.models import Customer
from tests.billing.races.interleaving import Failpoint, FailpointNotReached, run_interleaved

pytestmark = pytest.mark.django_db(transaction=True)

COMMITTING = Failpoint("before commit")


def renaming(dana: Customer, name: str) -> Callable[[], str]:
    """Returns an act that locks a row, renames it and returns its earlier name."""

    @transaction.atomic
    def rename() -> str:
        row = Customer.objects.locked(dana.pk)
        was, row.name = row.name, name
        row.save(update_fields=["name"])
        return was

    return rename


def test_second_act_waits_for_lock_until_first_commits(dana: Customer) -> None:
    result = run_interleaved(renaming(dana, "first"), renaming(dana, "second"), at=COMMITTING)
    assert result == ("Dana Whitfield", "first", True)


def test_second_act_without_lock_ends_before_first_resumes(dana: Customer) -> None:
    result = run_interleaved(
        renaming(dana, "first"), lambda: Customer.objects.get(pk=dana.pk).name, at=COMMITTING
    )
    assert result == ("Dana Whitfield", "Dana Whitfield", False)


def test_first_act_held_after_commit_does_not_block_second(dana: Customer) -> None:
    result = run_interleaved(renaming(dana, "first"), renaming(dana, "second"), at=Failpoint("after commit"))
    assert result == ("Dana Whitfield", "first", False)


def test_first_act_resumes_only_after_second_ended(dana: Customer) -> None:
    def rename_twice() -> str:
        renaming(dana, "first")()
        return renaming(dana, "third")()

    result = run_interleaved(rename_twice, renaming(dana, "second"), at=COMMITTING)
    assert result == ("second", "first", True)


def test_first_act_is_held_at_second_pass_of_failpoint(dana: Customer) -> None:
    def rename_twice() -> None:
        renaming(dana, "first")()
        renaming(dana, "third")()

    assert (
        run_interleaved(rename_twice, renaming(dana, "last"), at=Failpoint("before commit", 2)).second
        == "third"
    )


def test_first_act_that_never_reaches_failpoint_raises(dana: Customer) -> None:
    with pytest.raises(FailpointNotReached, match=r"payment\.succeeded"):
        run_interleaved(renaming(dana, "first"), lambda: "second", at=Failpoint("event payment.succeeded"))


def test_billing_error_is_returned_and_other_exception_is_raised(dana: Customer) -> None:
    def refuse() -> None:
        raise TooLate

    def break_down() -> None:
        raise ZeroDivisionError

    assert isinstance(run_interleaved(renaming(dana, "first"), refuse, at=COMMITTING).second, TooLate)
    with pytest.raises(ZeroDivisionError):
        run_interleaved(renaming(dana, "first"), break_down, at=COMMITTING)
