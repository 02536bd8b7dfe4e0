"""The stop points stand where they say."""

from __future__ import annotations

import pytest

from tests import personas, stops


@pytest.mark.django_db(transaction=True)
def test_an_act_passes_its_event_then_its_commit() -> None:
    dana = personas.customer(personas.alder().organization)
    passed = stops.passed(lambda: personas.sent(dana))
    assert passed == [
        "event invoice.created",
        "before commit",
        "after commit",
        "event invoice.sent",
        "before commit",
        "after commit",
    ]


@pytest.mark.django_db(transaction=True)
def test_nobody_stops_where_nobody_visits() -> None:
    stops.install()
    assert personas.sent(personas.customer(personas.alder().organization)).status == "sent"
