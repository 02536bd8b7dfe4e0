"""Incremental verify finds what `partway verify` finds, also where it has judged rows before."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import F

from partway.billing.models import Allocation, Invoice, Party
from partway.billing.verification import CHECKS, Difference
from tests.support import personas
from tests.support.incremental_verify import IncrementalVerifier

pytestmark = pytest.mark.django_db


def all_differences(rule: str) -> list[Difference]:
    return [found for check in CHECKS if check.rule == rule for found in check.differences()]


def test_known_statements_find_later_damage() -> None:
    verifier = IncrementalVerifier()
    invoice = personas.sent_invoice(personas.customer(personas.alder().organization))
    assert verifier.differences("M2") == verifier.differences("M2") == []
    Invoice.objects.filter(pk=invoice.pk).update(amount_paid_minor=1)
    assert verifier.differences("M2") == all_differences("M2") != []


def test_part_with_findings_runs_again() -> None:
    verifier = IncrementalVerifier()
    invoice = personas.sent_invoice(personas.customer(personas.alder().organization))
    Invoice.objects.filter(pk=invoice.pk).update(amount_paid_minor=1)
    assert verifier.differences("M2") == verifier.differences("M2") == all_differences("M2")
    Invoice.objects.filter(pk=invoice.pk).update(amount_paid_minor=0)
    assert verifier.differences("M2") == []


def test_part_whose_statements_return_rows_finds_later_damage() -> None:
    verifier = IncrementalVerifier()
    invoice = personas.sent_invoice(personas.customer(personas.alder().organization))
    # The lines of each invoice are read and summed.
    assert verifier.differences("M1") == verifier.differences("M1") == []
    invoice.lines.update(unit_amount_minor=1)
    assert verifier.differences("M1") == all_differences("M1") != []


def test_rows_that_differ_by_nothing_but_ids_and_times_are_judged_once() -> None:
    verifier, in_doubt = IncrementalVerifier(), []
    for _ in range(5):  # ids of one millisecond come in any order, which is judged by itself
        sid = transaction.savepoint()
        invoice = personas.sent_invoice(personas.customer(personas.alder().organization))
        personas.captured_payment(invoice, 30_000)
        again = verifier.in_doubt(part for check in CHECKS for part in check.parts)
        in_doubt.append({part.model for part in again})
        assert verifier.differences() == []
        transaction.savepoint_rollback(sid)
    # The ids of parties follow from their content, which names the organization.
    assert {Party} in in_doubt[1:]


def test_rows_of_another_day_are_judged_again() -> None:
    verifier = IncrementalVerifier()
    invoice = personas.sent_invoice(personas.customer(personas.alder().organization))
    personas.record_check(invoice, 30_000)
    [replay] = [part for check in CHECKS for part in check.parts if part.find.__name__ == "_wrong_invoices"]
    assert verifier.differences("M6") == []
    assert verifier.in_doubt([replay]) == set()
    Allocation.objects.update(created_at=F("created_at") - timedelta(days=1))
    assert verifier.in_doubt([replay]) == {replay}
