"""Freezes the seller and the customer of what is issued, and compares them with what they are now (DESIGN D9)."""

from __future__ import annotations

from partway.accounts.models import Organization

from .models import Customer, Invoice, Party
from .models.parties import IssuedModel

# What a document says of its parties. The logo and the color are its look, and the locale how it is written: another
# one makes no document wrong.
_STATEMENTS = {
    "issued_by": ("name", "address", "email", "phone", "tax_number", "payment_instructions"),
    "issued_to": ("name", "address", "email"),
}


def freeze(
    organization: Organization, customer: Customer, *, like: IssuedModel | None = None
) -> dict[str, Party]:
    """Stores both as they are now; returns the columns `issued_by` and `issued_to`, which the caller writes.

    One statement, which writes nothing when both rows exist, as for most documents; none where `like`, which was
    issued before, has both. Call it before numbering: on PostgreSQL a row that another transaction is writing makes it
    wait, better not under the lock of the numbers.
    """
    columns = {"issued_by": Party.of_seller(organization), "issued_to": Party.of_customer(customer)}
    if like is not None and all(getattr(like, f"{name}_id") == party.pk for name, party in columns.items()):
        return columns
    # In one order everywhere, so that two transactions that write the same two rows do not wait for each other.
    rows = sorted(columns.values(), key=lambda party: party.pk)
    Party.objects.bulk_create(rows, ignore_conflicts=True)
    return columns


def event_data(columns: dict[str, Party]) -> dict[str, str]:
    """Returns the ids of frozen parties for the event of the act, with which `verify` compares the columns."""
    return {name: party.pk for name, party in columns.items()}


def changes(invoice: Invoice) -> dict[str, dict[str, tuple[str, str]]]:
    """Returns, by column and field of a party, what a sent invoice says and what it would say if it were sent now."""
    if invoice.issued_by is None or invoice.issued_to is None:
        return {}
    then = {"issued_by": invoice.issued_by, "issued_to": invoice.issued_to}
    now = {
        "issued_by": Party.of_seller(invoice.organization),
        "issued_to": Party.of_customer(invoice.customer),
    }
    found = {}
    for column, names in _STATEMENTS.items():
        pairs = {name: (getattr(then[column], name), getattr(now[column], name)) for name in names}
        if changed := {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}:
            found[column] = changed
    return found
