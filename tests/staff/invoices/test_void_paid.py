"""Voiding a paid invoice: what becomes of each payment is asked, said once more, and then done in one act."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from partway.accounts import permissions
from partway.accounts.permissions import ALLOWED_ROLES, Permission
from partway.billing.models import Customer, Invoice, Payment, Refund
from partway.lib.clock import now, today
from tests.staff.confirmation_pages import hidden_fields
from tests.support import personas
from tests.support.html_text import text_of


@pytest.fixture
def check(invoice: Invoice) -> Payment:
    """$200.00 of the invoice of $1,000.00, paid by check."""
    return personas.record_check(invoice, 20_000, reference="No. 118")


def url(invoice: Invoice) -> str:
    return f"/o/alder/invoices/{invoice.pk}/void/"


def choose(client: Client, invoice: Invoice, page: Any = None, **ways: Any) -> Any:
    """Sends the choices of the page: a way, or the fields of one, for each payment."""
    page = page or client.get(url(invoice))
    typed = {
        f"payments.{pk}.{name}": value
        for pk, way in ways.items()
        for name, value in (way if isinstance(way, dict) else {"way": way}).items()
    }
    return client.post(url(invoice), {"reason": "canceled", **hidden_fields(page), **typed})


def confirm(client: Client, invoice: Invoice, page: Any) -> Any:
    return client.post(url(invoice), {**hidden_fields(page), "is_confirmed": "yes"}, follow=True)


def by_hand(invoice: Invoice, **changes: str) -> dict[str, str]:
    day = today(now(), invoice.organization.time_zone).isoformat()
    return {"way": "outside", "method": "Cash", "refunded_on": day, "reference": "T 7", **changes}


def test_voiding_paid_invoice_says_what_happens_to_each_payment_before_it_does(
    alice: Client, invoice: Invoice, check: Payment
) -> None:
    kept = personas.record_check(invoice, 10_000)
    asked = text_of(alice.get(url(invoice)))
    assert "$300.00 of Dana Whitfield is on this invoice." in asked
    assert "Send it back through the payment service" not in asked
    page = choose(alice, invoice, **{check.pk: by_hand(invoice), kept.pk: "credit"})
    told = text_of(page)
    assert "It is recorded that Dana Whitfield got $200.00 back by Cash on" in told
    assert "$100.00 is credit of Dana Whitfield then" in told
    assert not Refund.objects.exists()
    done = text_of(confirm(alice, invoice, page))
    assert "The invoice is void. It can no longer be paid." in done
    row = Refund.objects.get()
    assert (row.payment, row.method, row.reference, row.amount_minor) == (check, "Cash", "T 7", 20_000)


@pytest.mark.parametrize(("minor", "is_offered"), [(37_655, False), (37_650, True)])
def test_void_offers_the_payment_service_only_for_what_it_can_send_back(
    alice: Client, dana: Customer, minor: int, is_offered: bool
) -> None:
    paid = personas.captured_payment(personas.sent_invoice(dana, 50_000, currency="KWD"), minor)
    assert paid.invoice is not None
    way = "Send it back through the payment service"
    assert (way in text_of(alice.get(url(paid.invoice)))) == is_offered
    # A page from before the payment's other part was given back may still name that way.
    sent = choose(alice, paid.invoice, **{paid.pk: "gateway"})
    assert ("Choose what becomes of this payment." in text_of(sent)) != is_offered


def test_second_click_on_void_of_paid_invoice_changes_nothing(
    alice: Client, invoice: Invoice, check: Payment
) -> None:
    page = choose(alice, invoice, **{check.pk: by_hand(invoice)})
    for _click in range(2):
        response = confirm(alice, invoice, page)
        assert (response.status_code, response.redirect_chain[0][1]) == (200, 302)
    assert Refund.objects.count() == 1


def test_choices_of_void_can_be_changed_before_they_are_confirmed(
    alice: Client, invoice: Invoice, check: Payment
) -> None:
    page = choose(alice, invoice, **{check.pk: by_hand(invoice)})
    again = alice.post(url(invoice), {**hidden_fields(page), "change": "yes"})
    assert 'value="T 7"' in again.content.decode()
    told = text_of(choose(alice, invoice, again, **{check.pk: "credit"}))
    assert "$200.00 is credit of Dana Whitfield then" in told


def test_stale_void_page_says_what_changed_and_keeps_choices(
    alice: Client, invoice: Invoice, check: Payment
) -> None:
    page = choose(alice, invoice, **{check.pk: by_hand(invoice)})
    personas.record_check(invoice, 10_000)
    response = confirm(alice, invoice, page)
    assert response.status_code == 409
    assert "$300.00 is paid on this invoice now, instead of $200.00." in text_of(response)
    assert 'value="T 7"' in response.content.decode()
    invoice.refresh_from_db()
    assert invoice.status == "sent"


def test_void_page_opened_before_payment_came_voids_nothing(alice: Client, invoice: Invoice) -> None:
    page = alice.get(url(invoice))
    personas.record_check(invoice, 10_000)
    response = alice.post(url(invoice), hidden_fields(page))
    assert "$100.00 is paid on this invoice now, instead of $0.00." in text_of(response)
    assert "What becomes of it" in text_of(response)


def test_void_page_whose_payments_are_gone_voids_nothing(
    alice: Client, invoice: Invoice, check: Payment
) -> None:
    page = choose(alice, invoice, **{check.pk: by_hand(invoice)})
    personas.reverse_check(check)
    response = confirm(alice, invoice, page)
    assert (response.status_code, Refund.objects.count()) == (409, 0)
    told = choose(alice, invoice, response)
    assert "INV-0001 is void. It can no longer be paid" in text_of(told)


def test_void_page_asks_for_missing_choice_and_details(
    alice: Client, invoice: Invoice, check: Payment
) -> None:
    assert "Choose what becomes of this payment." in text_of(choose(alice, invoice))
    wrong = by_hand(invoice, method="", refunded_on="2026-02-31")
    response = choose(alice, invoice, **{check.pk: wrong})
    assert response.status_code == 422
    assert "Enter a date" in text_of(response)


@pytest.mark.parametrize(
    ("missing", "offered", "hidden"),
    [
        ({Permission.REFUND_PAYMENTS}, "Keep it as the customer’s credit", "It was given back already"),
        ({Permission.RELEASE_CREDIT}, "It was given back already", "Keep it as the customer’s credit"),
    ],
)
def test_void_page_offers_only_ways_that_member_may_choose(
    alice: Client,
    invoice: Invoice,
    check: Payment,
    monkeypatch: pytest.MonkeyPatch,
    missing: set[Permission],
    offered: str,
    hidden: str,
) -> None:
    kept = {permission: roles for permission, roles in ALLOWED_ROLES.items() if permission not in missing}
    monkeypatch.setattr(permissions, "ALLOWED_ROLES", kept)
    permissions.permissions_of.cache_clear()
    try:
        page = alice.get(url(invoice))
        assert (offered in text_of(page), hidden in text_of(page)) == (True, False)
        refused = choose(alice, invoice, page, **{check.pk: "credit"})
        assert ("Choose what becomes" in text_of(refused)) == (Permission.RELEASE_CREDIT in missing)
    finally:
        permissions.permissions_of.cache_clear()


def test_void_page_names_what_is_in_dispute(alice: Client, invoice: Invoice) -> None:
    personas.captured_payment(invoice, 30_000)
    Payment.objects.update(frozen_minor=10_000)
    assert "$100.00 in a dispute" in text_of(alice.get(url(invoice)))


def test_void_page_refuses_ended_invoice(alice: Client, invoice: Invoice, check: Payment) -> None:
    confirm(alice, invoice, choose(alice, invoice, **{check.pk: "credit"}))
    assert "is void and cannot be voided" in text_of(alice.get(url(invoice)))
