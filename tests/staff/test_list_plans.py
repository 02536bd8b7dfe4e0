"""Every list reads indexes: no page reads or sorts all rows of an organization, and each index serves a page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.test import Client

from partway.billing.models import (
    Adjustment,
    Alert,
    Customer,
    Dispute,
    Event,
    Invoice,
    Mail,
    Payment,
    PaymentRequest,
    Payout,
    Quote,
    Refund,
)
from partway.staff import keyset_pages
from partway.staff.invoices import index as invoice_index
from partway.staff.invoices.index import SORT_CHOICES
from partway.staff.payments import pages as payment_pages
from partway.staff.quotes.detail import _SORTS as QUOTE_SORTS
from tests.support import personas
from tests.support.personas import Team
from tests.support.query_plans import Plans, condition_columns, indexes, large_tables

_MODELS = (
    *(Adjustment, Alert, Customer, Dispute, Event, Invoice, Mail, Payment, PaymentRequest, Payout, Quote),
    Refund,
)
_BILLING = list(apps.get_app_config("billing").get_models())
_PAGES = {
    "": [""],
    "invoices/": [
        "totals=x",
        *(f"sort={key}" for key, _label in SORT_CHOICES),
        *(f"status=sent&sort={key}" for key, _label in SORT_CHOICES if key[0] != "-"),
        *("status=draft", "status=overdue", "status=partially_paid", "requested=yes", "customer={dana}"),
        *("due_from=2026-01-01", "sent_until=2030-01-01"),
    ],
    "quotes/": ["sort=x", *(f"sort={key}" for key in QUOTE_SORTS), "status=sent", "status=sent&sort=number"],
    "customers/": ["q=", "q=d"],
    "payments/": [
        *(
            "totals=x",
            "method=check",
            "amount_from=100",
            "gateway=offline",
            "customer={dana}",
            "member={alice}",
        ),
        *(f"state={state}" for state in ("succeeded", "failed", "refunded", "disputed", "taken_back")),
    ],
    "payouts/": [""],
    "settings/audit/": ["", "kind=payment", "by={alice}", "by=clock"],
    "attention/": [""],
    "inbox/": [""],
}
# Each is dropped here, and a page of _PAGES must miss it.
_NEEDED = """
    adjustment_newest adjustment_taken_back alert_by_due_at alert_resolved alert_unresolved customer_by_name
    customer_by_search_key dispute_by_amount dispute_by_moment dispute_by_status event_by_actor event_newest
    event_of_type invoice_by_due_on invoice_by_number invoice_by_sent_at invoice_by_status invoice_newest
    invoice_of_status_customer invoice_of_status_due_on invoice_of_status_number
    invoice_of_status_receivable invoice_of_status_total invoice_partially_paid mail_newest
    payment_by_amount payment_by_captured payment_by_method payment_by_moment payment_by_paid_on
    payment_figures payment_gone payment_request_by_member payment_request_open_newest
    payment_without_gateway_day payout_newest quote_by_number quote_by_status quote_newest
    quote_of_status_customer quote_of_status_number quote_of_status_total quote_of_status_until
    refund_by_amount refund_by_status refund_newest
"""
# Why an index is there that no page of _PAGES misses.
_OTHERS = {
    "rows that are due, of all organizations at once, for the worker": """
        callback_pending dispute_to_remind import_due mail_failed mail_to_send payment_request_to_expire
        payment_to_check quote_to_expire refund_to_refresh webhook_delivery_due webhook_delivery_ended
        webhook_delivery_order
    """,
    "the page of one row": """
        allocation_by_dispute allocation_by_refund event_of_payout event_quote_timeline event_timeline
        invoice_by_customer payment_with_credit webhook_delivery_newest
    """,
    "rows that are found by the id of a payment service, or by the address of a payer": """
        dispute_by_gateway_ref payment_by_address payment_by_checkout_ref refund_by_gateway_ref
    """,
    "search by the names of a document": "invoice_by_party party_by_search_key quote_by_party",
    "lists of the API, and of imports": """
        customer_newest import_newest payment_newest payment_request_newest
    """,
    "which trial balances are kept": "closing_by_time",
    "another index finds the same rows, and more slowly: that of the key, or one with fewer columns": """
        adjustment_by_amount adjustment_by_dispute invoice_figures payment_request_open
    """,
}
_FOR_ALL_ORGANIZATIONS = {*next(iter(_OTHERS.values())).split(), "payment_by_address"}
# On tables of one page PostgreSQL takes another index as well.
_AS_CHEAP = {"adjustment_taken_back", "invoice_by_sent_at", "invoice_partially_paid", "payment_by_method"}


@pytest.fixture
def plans(
    alice: Client, team: Team, dana: Customer, settings: object, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Plans]:
    """The statements of all pages, where no filter selects few rows."""
    invoice = personas.sent_invoice(dana)
    personas.sent_quote(dana)
    personas.request_payment(invoice, 5_000)
    personas.give_back(personas.record_check(invoice, 20_000), 1_000)
    personas.dispute(personas.captured_payment(invoice, 10_000), 1_000, "open")
    personas.settle_rest(personas.sent_invoice(dana))
    for module in (keyset_pages, invoice_index, payment_pages):
        monkeypatch.setattr(module, "MAX_COUNTED", 0)
    monkeypatch.setattr(keyset_pages, "MAX_FOUND", 0)
    settings.PARTWAY_MAIL_TO_FILES = True  # type: ignore[attr-defined]
    collected = Plans(frozenset(model._meta.db_table for model in _MODELS))
    with connection.execute_wrapper(collected):
        for page, queries in _PAGES.items():
            for query in queries:
                url = f"/o/alder/{page}?{query}".format(dana=dana.pk, alice=team.alice.pk)
                assert alice.get(url.rstrip("?")).status_code == 200, url
    with large_tables(*_MODELS):
        yield collected


def looked_up(plans: Plans, statement: tuple[str, tuple[object, ...]]) -> int:
    """Returns how many columns a plan looks up in its indexes; -1 where it sorts or reads all rows."""
    steps, sorts = plans.steps(*statement)
    if sorts or any(step.reads_all for step in steps):
        return -1
    return sum(len(step.columns | condition_columns(step.index)) for step in steps)


def test_each_index_of_a_list_is_missed_when_it_is_dropped(plans: Plans) -> None:
    used: dict[str, list[tuple[str, tuple[object, ...]]]] = {}
    wrong = []
    for sql, params in plans.statements:
        steps, sorts = plans.steps(sql, params)
        wrong += [f"sorts: {sql}"] if sorts else []
        for step in steps:
            wrong += [f"{step}: {sql}"] if step.reads_all else []
            used.setdefault(step.index, []).append((sql, params))
    assert not wrong, "\n".join(wrong)
    dropped = []
    untold = _AS_CHEAP if connection.vendor == "postgresql" else set()
    for name in sorted({*_NEEDED.split()} - untold):
        before = [looked_up(plans, statement) for statement in used.get(name, ())]
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f'DROP INDEX "{name}"')
            after = [looked_up(plans, statement) for statement in used.get(name, ())]
            transaction.set_rollback(True)
        if not any(less < more for less, more in zip(after, before, strict=True)):
            dropped.append(name if name in used else f"{name} (of no page)")
    assert not dropped, "\n".join(dropped)


def test_every_index_is_needed_by_a_list_or_has_a_reason() -> None:
    others = [name for names in _OTHERS.values() for name in names.split()]
    assert sorted(indexes(*_BILLING)) == sorted([*_NEEDED.split(), *others])


def test_every_index_finds_rows_of_one_organization() -> None:
    wrong = []
    for model in _BILLING:
        rows = {
            "organization",
            *(field.name for field in model._meta.fields if field.related_model in _BILLING),
        }
        for name, index in indexes(model).items():
            first = index.fields[0] if index.fields else index.expressions[0].name
            wrong += [] if first in rows or name in _FOR_ALL_ORGANIZATIONS else [f"{name}: {first}"]
    assert not wrong
