"""Every list reads indexes: no page reads or sorts all rows of an organization, and each index serves a page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
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
# Of other pages, of searches, of the API and of the worker.
_OTHERS = {
    *(
        "customer_newest",
        "dispute_by_gateway_ref",
        "dispute_to_remind",
        "event_of_payout",
        "event_quote_timeline",
    ),
    *("event_timeline", "invoice_by_party", "mail_failed", "mail_to_send", "payment_by_address"),
    *("payment_by_checkout_ref", "payment_newest", "payment_request_newest", "payment_request_to_expire"),
    *(
        "payment_to_check",
        "payment_with_credit",
        "quote_by_party",
        "quote_to_expire",
        "refund_by_gateway_ref",
    ),
    "refund_to_refresh",
    # Another index finds the same rows, and more slowly: that of the key, or one with fewer columns.
    *("adjustment_by_amount", "adjustment_by_dispute", "invoice_by_customer", "invoice_figures"),
    "payment_request_open",
}
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
    for name in sorted(indexes(*_MODELS).keys() - _OTHERS - untold):
        before = [looked_up(plans, statement) for statement in used.get(name, ())]
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f'DROP INDEX "{name}"')
            after = [looked_up(plans, statement) for statement in used.get(name, ())]
            transaction.set_rollback(True)
        if not any(less < more for less, more in zip(after, before, strict=True)):
            dropped.append(name if name in used else f"{name} (of no page)")
    assert not dropped, "\n".join(dropped)
