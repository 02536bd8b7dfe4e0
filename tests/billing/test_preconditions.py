"""An act on an outdated page changes nothing and raises Stale (DESIGN D8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from partway.billing.documents import invoices, quotes
from partway.billing.errors import Stale
from partway.billing.events import Actor
from partway.billing.models import Customer, Event, Invoice
from partway.billing.receivables import write_offs
from partway.lib.clock import now as present
from partway.lib.money import Money
from tests.support import personas

Make = Callable[[Customer], Any]


def written_off(dana: Customer) -> Invoice:
    """An invoice that is written off."""
    return write_offs.write_off(
        personas.sent_invoice(dana), by=personas.owner_actor(dana.organization), now=present()
    )


def accepted(dana: Customer) -> Any:
    """An accepted quote without an invoice."""
    return personas.accept_quote(personas.sent_quote(dana))


ACTS: dict[str, tuple[Callable[..., Any], Make]] = {
    "send": (invoices.send, personas.draft_invoice),
    "void": (invoices.void, personas.sent_invoice),
    "write off": (write_offs.write_off, personas.sent_invoice),
    "reopen": (write_offs.reopen, written_off),
    "send a quote": (quotes.send, personas.draft_quote),
    "make its invoice": (quotes.create_invoice, accepted),
}


@pytest.mark.parametrize("name", ACTS)
def test_act_on_outdated_version_raises_stale_and_changes_nothing(
    dana: Customer, alice: Actor, name: str
) -> None:
    act, make = ACTS[name]
    document = make(dana)
    before = document.status, Event.objects.count()
    for version in (0, document.version + 1):
        with pytest.raises(Stale):
            act(document, by=alice, now=present(), expected_version=version)
    document.refresh_from_db()
    assert (document.status, Event.objects.count()) == before


@pytest.mark.parametrize("name", ACTS)
def test_act_on_current_version_is_performed(dana: Customer, alice: Actor, name: str) -> None:
    act, make = ACTS[name]
    document = make(dana)
    act(document, by=alice, now=present(), expected_version=document.version)
    before = document.status
    document.refresh_from_db()
    assert document.status != before


def test_reopen_with_payment_meanwhile_is_not_stale(dana: Customer, alice: Actor) -> None:
    invoice = written_off(dana)
    personas.record_check(invoice, 40_000)
    assert (
        write_offs.reopen(invoice, by=alice, now=present(), expected_version=invoice.version).status == "sent"
    )


def test_write_off_of_outdated_amount_due_raises_stale(invoice: Invoice, alice: Actor) -> None:
    shown, version = invoice.amount_due, invoice.version
    personas.record_check(invoice, 40_000)
    left = Money(60_000, "USD")
    with pytest.raises(Stale) as refusal:
        write_offs.write_off(
            invoice, by=alice, now=present(), expected_version=version, expected_amount_due=shown
        )
    assert (refusal.value.reason, refusal.value.params) == (
        "amount_due_changed",
        {"due": left, "expected": shown},
    )
    given_up = write_offs.write_off(
        invoice, by=alice, now=present(), expected_version=version, expected_amount_due=left
    )
    assert given_up.status == "written_off"
