"""The overview: amounts due and collected; test_first_steps.py covers a new organization."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.test import Client

from partway.accounts.models import Organization
from partway.billing.models import Customer, Invoice, Payment, Refund
from partway.billing.receivables import credit, refunds
from partway.billing.receivables.refunds import OutsideRefund
from partway.lib.clock import now, today
from partway.lib.money import Money
from partway.staff.overview import overview
from partway.staff.overview.overview import Figure
from tests.support import personas
from tests.support.html_text import text_of

URL = "/o/alder/"


def test_overview_figures_count_due_requested_overdue_and_collected(charlie: Client, dana: Customer) -> None:
    part_paid = personas.sent_invoice(dana, 100_000)
    personas.captured_payment(part_paid, 30_000)
    personas.request_payment(part_paid, 20_000)
    personas.sent_invoice(dana, 50_000, due_in=-1)
    personas.draft_invoice(dana, 999_999)
    figures = charlie.get(URL).context["figures"]
    assert figures.due == Figure(2, [Money(120_000, "USD")])
    assert figures.overdue == Figure(1, [Money(50_000, "USD")])
    assert figures.requested == Figure(1, [Money(20_000, "USD")])
    assert figures.collected == Figure(1, [Money(30_000, "USD")])


def test_overview_figures_are_kept_per_currency(charlie: Client, dana: Customer) -> None:
    personas.sent_invoice(dana, 480_000, currency="JPY")
    personas.sent_invoice(dana, 100_000)
    assert charlie.get(URL).context["figures"].due.amounts == [Money(100_000, "USD"), Money(480_000, "JPY")]


def test_overview_collected_counts_only_current_month(charlie: Client, invoice: Invoice) -> None:
    personas.captured_payment(invoice, 30_000)
    Payment.objects.update(settled_at="2020-01-01T00:00:00Z")
    assert charlie.get(URL).context["figures"].collected == Figure(0, [Money(0, "USD")])


def test_overview_counts_offline_payment_on_paid_on_date(charlie: Client, invoice: Invoice) -> None:
    this_month = today(now(), "America/New_York").replace(day=1)
    personas.record_check(invoice, 20_000, paid_on=this_month)
    personas.record_check(invoice, 30_000, paid_on=this_month - timedelta(days=1))
    assert charlie.get(URL).context["figures"].collected == Figure(1, [Money(20_000, "USD")])


def test_overview_excludes_reversed_check_from_collected(charlie: Client, invoice: Invoice) -> None:
    personas.reverse_check(personas.record_check(invoice, 20_000))
    figures = charlie.get(URL).context["figures"]
    assert figures.collected == Figure(0, [Money(0, "USD")])
    assert figures.due == Figure(1, [Money(100_000, "USD")])


def test_overview_collected_is_less_what_was_given_back(charlie: Client, invoice: Invoice) -> None:
    payment = personas.record_check(invoice, 120_000)
    give_back(payment, 20_000)
    reverse(give_back(payment, 5_000))
    page = charlie.get(URL)
    assert page.context["figures"].collected == Figure(1, [Money(100_000, "USD")])
    assert "less $200.00 given back" in text_of(page)


def test_overview_counts_refund_in_the_month_it_was_given_back(charlie: Client, invoice: Invoice) -> None:
    first = today(now(), "America/New_York").replace(day=1)
    payment = personas.record_check(invoice, 120_000, paid_on=first - timedelta(days=1))
    give_back(payment, 15_000)
    give_back(payment, 5_000, on=first - timedelta(days=1))
    assert charlie.get(URL).context["figures"].collected == Figure(0, [Money(-15_000, "USD")])


def give_back(payment: Payment, amount_minor: int, *, on: date | None = None) -> Refund:
    """Records that so much was given back in cash, today if no day is named."""
    refund = OutsideRefund(Money(amount_minor, "USD"), "Cash", on or today(now(), "America/New_York"))
    customer = payment.document.customer
    by = personas.owner_actor(customer.organization)
    return refunds.record(customer, refund=refund, payment=payment, by=by, now=now())[0]


def reverse(refund: Refund) -> None:
    refunds.reverse(refund, reason="Typed twice.", by=personas.owner_actor(refund.organization), now=now())


def test_overview_counts_credit_once_as_collected(charlie: Client, dana: Customer) -> None:
    personas.record_check(personas.sent_invoice(dana, 10_000), 30_000)
    later = personas.sent_invoice(dana, 50_000)
    credit.apply(later, amount=Money(20_000, "USD"), by=personas.owner_actor(dana.organization), now=now())
    figures = charlie.get(URL).context["figures"]
    assert figures.collected == Figure(1, [Money(30_000, "USD")])
    assert figures.due == Figure(1, [Money(30_000, "USD")])


def test_overview_counts_capture_in_captured_currency(charlie: Client, invoice: Invoice) -> None:
    personas.captured_payment(invoice, 30_000)
    Payment.objects.update(captured_currency="EUR")
    assert charlie.get(URL).context["figures"].collected == Figure(1, [Money(30_000, "EUR")])


def test_overview_links_to_open_requests_and_overdue_invoices(charlie: Client, dana: Customer) -> None:
    late = personas.sent_invoice(dana, due_in=-5)
    personas.request_payment(late)
    page = charlie.get(URL).content.decode()
    assert page.count(f"/o/alder/invoices/{late.pk}/") == 2


def test_overview_is_scoped_to_organization(charlie: Client, invoice: Invoice, mallory: Client) -> None:
    birch = Organization.objects.get(slug="birch")
    personas.sent_invoice(personas.customer(birch, "Their Customer"), 777_777)
    assert charlie.get(URL).context["figures"].due == Figure(1, [Money(100_000, "USD")])


def test_overview_figures_link_to_filtered_invoice_list(charlie: Client, invoice: Invoice) -> None:
    personas.request_payment(invoice)
    page = charlie.get(URL).content.decode()
    for query in ("?status=sent", "?status=overdue", "?requested=yes"):
        assert f'href="/o/alder/invoices/{query}"' in page


def test_overview_figures_of_many_rows_are_kept_for_a_minute(
    charlie: Client, dana: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "MAX_COUNTED", 0)
    personas.sent_invoice(dana)
    assert charlie.get("/o/alder/").context["figures"].due.count == 1
    personas.sent_invoice(dana)
    later = charlie.get("/o/alder/")
    assert later.context["figures"].due.count == 1
    assert "The figures are of" in later.content.decode()
    monkeypatch.setattr(overview, "_KEPT_FOR", timedelta(0))
    assert charlie.get("/o/alder/").context["figures"].due.count == 2
