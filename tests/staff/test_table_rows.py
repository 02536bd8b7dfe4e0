"""Rows that are written without templates escape the texts of customers and members."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.support import personas
from tests.support.personas import Team


@pytest.mark.parametrize("page", ["invoices", "quotes", "customers", "payments"])
def test_row_escapes_name_and_note(alice: Client, team: Team, page: str) -> None:
    mal = personas.customer(team.organization, "<i>Mal</i>", "mal@example.com")
    personas.sent_quote(mal)
    personas.record_check(personas.sent_invoice(mal), 10_000, reference="<i>118</i>")
    content = alice.get(f"/o/alder/{page}/").content.decode()
    assert "&lt;i&gt;Mal" in content
    assert "<i>" not in content
