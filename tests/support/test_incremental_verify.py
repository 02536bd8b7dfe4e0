"""Verifying by statements that are kept finds what `partway verify` finds, also after it has found nothing before."""

from __future__ import annotations

import pytest

from partway.billing.models import Invoice
from partway.billing.verification import verify
from tests.support import personas

pytestmark = pytest.mark.django_db


def all_differences() -> list[str]:
    return [str(difference) for difference in verify()]


def test_damage_is_found_by_statements_that_found_nothing_before() -> None:
    verifier = IncrementalVerifier()
    invoice = personas.sent_invoice(personas.customer(personas.alder().organization))
    assert verifier.differences() == verifier.differences() == []
    Invoice.objects.filter(pk=invoice.pk).update(amount_paid_minor=1)
    assert verifier.differences() == all_differences() != []


def test_a_check_that_found_something_is_made_again() -> None:
    verifier = IncrementalVerifier()
    invoice = personas.sent_invoice(personas.customer(personas.alder().organization))
    Invoice.objects.filter(pk=invoice.pk).update(amount_paid_minor=1)
    assert verifier.differences() == verifier.differences() == all_differences()
    Invoice.objects.filter(pk=invoice.pk).update(amount_paid_minor=0)
    assert verifier.differences() == []
