"""Incremental verify finds what `partway verify` finds, also with cached statements."""

from __future__ import annotations

import pytest
from django.db import transaction

from partway.billing.models import Invoice
from partway.billing.verification import CHECKS, Difference, verify
from tests.support import personas
from tests.support.incremental_verify import IncrementalVerifier

pytestmark = pytest.mark.django_db


def all_differences() -> list[Difference]:
    return list(verify())


def test_cached_statements_find_later_damage() -> None:
    verifier = IncrementalVerifier()
    invoice = personas.sent_invoice(personas.customer(personas.alder().organization))
    assert verifier.differences() == verifier.differences() == []
    Invoice.objects.filter(pk=invoice.pk).update(amount_paid_minor=1)
    assert verifier.differences() == all_differences() != []


def test_check_with_findings_runs_again() -> None:
    verifier = IncrementalVerifier()
    invoice = personas.sent_invoice(personas.customer(personas.alder().organization))
    Invoice.objects.filter(pk=invoice.pk).update(amount_paid_minor=1)
    assert verifier.differences() == verifier.differences() == all_differences()
    Invoice.objects.filter(pk=invoice.pk).update(amount_paid_minor=0)
    assert verifier.differences() == []


def test_part_whose_statements_return_rows_finds_later_damage() -> None:
    verifier = IncrementalVerifier()
    invoice = personas.sent_invoice(personas.customer(personas.alder().organization))
    assert (
        verifier.differences() == verifier.differences() == []
    )  # the lines of each invoice are read and summed
    invoice.lines.update(unit_amount_minor=1)
    assert verifier.differences() == all_differences() != []


def test_rows_that_differ_by_nothing_but_ids_are_judged_once() -> None:
    verifier = IncrementalVerifier()
    for _ in range(2):
        sid = transaction.savepoint()
        invoice = personas.sent_invoice(personas.customer(personas.alder().organization))
        personas.captured_payment(invoice, 30_000)
        again = {check.message for check, _ in verifier._in_doubt(list(CHECKS))}
        assert verifier.differences() == []
        transaction.savepoint_rollback(sid)
    assert not [message for message in again if "is their credit" in message or "status" in message]
