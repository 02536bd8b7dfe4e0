"""The order of two acts is the one that was asked for, and a race that is none is a failure."""

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
    """An act that locks a row, changes it and tells what it was called before."""

    @transaction.atomic
    def rename() -> str:
        was = Customer.objects.locked(dana.pk).name
        Customer.objects.filter(pk=dana.pk).update(name=name)
        return was

    return rename


def test_who_needs_a_lock_waits_until_its_holder_has_committed(dana: Customer) -> None:
    answers = run_interleaved(renaming(dana, "first"), renaming(dana, "second"), at=COMMITTING)
    assert answers == ("Dana Whitfield", "first", True)


def test_who_needs_none_ends_before_the_holder_goes_on(dana: Customer) -> None:
    answers = run_interleaved(
        renaming(dana, "first"), lambda: Customer.objects.get(pk=dana.pk).name, at=COMMITTING
    )
    assert answers == ("Dana Whitfield", "Dana Whitfield", False)


def test_who_is_held_after_the_commit_holds_nobody_up(dana: Customer) -> None:
    answers = run_interleaved(renaming(dana, "first"), renaming(dana, "second"), at=Failpoint("after commit"))
    assert answers == ("Dana Whitfield", "first", False)


def test_the_first_goes_on_only_when_the_second_has_ended(dana: Customer) -> None:
    def rename_twice() -> str:
        renaming(dana, "first")()
        return renaming(dana, "third")()

    answers = run_interleaved(rename_twice, renaming(dana, "second"), at=COMMITTING)
    assert answers == ("second", "first", True)


def test_it_is_held_the_second_time_when_told_so(dana: Customer) -> None:
    def rename_twice() -> None:
        renaming(dana, "first")()
        renaming(dana, "third")()

    assert (
        run_interleaved(rename_twice, renaming(dana, "last"), at=Failpoint("before commit", 2)).second
        == "third"
    )


def test_a_first_act_that_never_comes_to_its_stop_point_is_a_failure(dana: Customer) -> None:
    with pytest.raises(FailpointNotReached, match=r"payment\.succeeded"):
        run_interleaved(renaming(dana, "first"), lambda: "second", at=Failpoint("event payment.succeeded"))


def test_a_refusal_is_an_answer_and_anything_else_a_defect(dana: Customer) -> None:
    def refuse() -> None:
        raise TooLate

    def break_down() -> None:
        raise ZeroDivisionError

    assert isinstance(run_interleaved(renaming(dana, "first"), refuse, at=COMMITTING).second, TooLate)
    with pytest.raises(ZeroDivisionError):
        run_interleaved(renaming(dana, "first"), break_down, at=COMMITTING)
