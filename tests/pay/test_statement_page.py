"""The page of a statement of account, behind the link that was mailed with it."""

from __future__ import annotations

from partway.accounts.models import Organization
from partway.billing.models import Customer
from partway.billing.receivables import statements
from tests.pay import all_states
from tests.support.accounts import check_statements


def test_statement_fits_the_books_in_every_state(organization: Organization) -> None:
    all_states.tokens(organization)
    [dana] = Customer.objects.for_organization(organization)
    assert statements.currencies(dana) == ["CAD", "USD"]
    check_statements(dana, days=2)
