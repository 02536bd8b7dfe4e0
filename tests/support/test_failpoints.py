"""Failpoints are passed at the places that they name."""

from __future__ import annotations

import pytest

from tests.support import failpoints, personas


@pytest.mark.django_db(transaction=True)
def test_act_passes_failpoints_of_event_and_commit_in_order() -> None:
    dana = personas.customer(personas.alder().organization)
    passed = failpoints.failpoints_passed(lambda: personas.sent_invoice(dana))
    assert passed == [
        "event invoice.created",
        "before commit",
        "after commit",
        "event invoice.sent",
        "before commit",
        "after commit",
    ]


@pytest.mark.django_db(transaction=True)
def test_installed_failpoints_without_callback_do_nothing() -> None:
    failpoints.install()
    assert personas.sent_invoice(personas.customer(personas.alder().organization)).status == "sent"
