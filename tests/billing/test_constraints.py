"""The database is the last guard: each of its constraints refuses what no code of ours should write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction

from partway.accounts.models import GatewayAccount, Invitation, Member
from partway.billing.models import (
    Alert,
    Allocation,
    Callback,
    Event,
    GatewayCall,
    Invoice,
    InvoiceLine,
    Mail,
    MailAttempt,
    Payment,
    PaymentRequest,
    Quote,
    QuoteLine,
)
from partway.billing.people import members
from partway.lib.clock import now as present
from tests.support import personas

Row = Any


@pytest.fixture
def _verify_books(db: None) -> None:
    """Rows are written past all our code here, so the books need not be right after it."""


def payment(invoice: Invoice) -> Payment:
    at = present()
    account = GatewayAccount.objects.get(organization=invoice.organization)
    owner = {"organization": invoice.organization, "invoice": invoice, "gateway_account": account}
    return Payment.objects.create(
        **owner, amount_minor=100, currency="USD", created_at=at, next_refresh_at=at
    )


def quote(invoice: Invoice) -> Quote:
    return personas.sent_quote(invoice.customer)


def quote_line(invoice: Invoice) -> QuoteLine:
    return quote(invoice).lines.get()


def deposit(invoice: Invoice) -> Payment:
    row, of = payment(invoice), personas.accept_quote(quote(invoice))
    Payment.objects.filter(pk=row.pk).update(invoice=None, quote=of)
    row.refresh_from_db()
    return row


def paid_deposit(invoice: Invoice) -> Payment:
    row, taken = deposit(invoice), {"captured_minor": 100, "captured_currency": "USD"}
    Payment.objects.filter(pk=row.pk).update(status="succeeded", accepted=True, settled_at=present(), **taken)
    row.refresh_from_db()
    return row


def invitation(invoice: Invoice) -> Invitation:
    organization = invoice.organization
    by, now = personas.owner_actor(organization), present()
    return members.invite(organization, email="ivy@post.example", role="reader", by=by, now=now)


def call(invoice: Invoice) -> GatewayCall:
    return GatewayCall.objects.create(
        payment=payment(invoice), operation="start", attempt=1, started_at=present()
    )


def callback(invoice: Invoice) -> Callback:
    account, at = GatewayAccount.objects.get(organization=invoice.organization), present()
    return Callback.objects.create(
        gateway_account=account, event_id="evt_1", received_at=at, next_attempt_at=at
    )


def alert(invoice: Invoice) -> Alert:
    return Alert.objects.create(organization=invoice.organization, subject="pay_1", created_at=present())


def allocation(invoice: Invoice) -> Allocation:
    owner = {"organization": invoice.organization, "invoice": invoice, "payment": payment(invoice)}
    return Allocation.objects.create(**owner, amount_minor=100, currency="USD", created_at=present())


def event(invoice: Invoice) -> Event:
    row = Event.objects.filter(invoice=invoice).latest("created_at")
    Event.objects.filter(pk=row.pk).update(idempotency_key="form-1")
    row.refresh_from_db()
    return row


def attempt(invoice: Invoice) -> MailAttempt:
    return MailAttempt.objects.create(mail=Mail.objects.get(), number=1, attempted_at=present())


def changed(make: Callable[[Invoice], Row], **columns: object) -> Callable[[Invoice], None]:
    """Write `columns` over a row, past all our code."""

    def violate(invoice: Invoice) -> None:
        row = make(invoice)
        with transaction.atomic():
            type(row)._base_manager.filter(pk=row.pk).update(**columns)

    return violate


def twice(make: Callable[[Invoice], Row]) -> Callable[[Invoice], None]:
    """Write a row again under another id."""

    def violate(invoice: Invoice) -> None:
        row = make(invoice)
        row.pk = None if isinstance(row, MailAttempt) else f"{row.pk}2"
        with transaction.atomic():
            row.save(force_insert=True)

    return violate


def itself(invoice: Invoice) -> Invoice:
    return invoice


def line(invoice: Invoice) -> InvoiceLine:
    return invoice.lines.get()


def asked(invoice: Invoice) -> PaymentRequest:
    return personas.request_payment(invoice)


def member(invoice: Invoice) -> Member:
    made = invoice.organization.members.first()
    assert made is not None
    return made


@transaction.atomic
def member_again(invoice: Invoice) -> None:
    one = member(invoice)
    Member.objects.create(organization=one.organization, user=one.user, role="reader")


@transaction.atomic
def second_current_account(invoice: Invoice) -> None:
    personas.gateway_account(invoice.organization)


@transaction.atomic
def same_checkout(invoice: Invoice) -> None:
    one, other = payment(invoice), payment(personas.sent_invoice(invoice.customer))
    Payment.objects.filter(pk__in=[one.pk, other.pk]).update(checkout_ref="co_1")


def same_form(make: Callable[[Invoice], Row]) -> Callable[[Invoice], None]:
    """Two of a kind, on two invoices, by one form."""

    def violate(invoice: Invoice) -> None:
        one, other = make(invoice), make(personas.sent_invoice(invoice.customer))
        with transaction.atomic():
            type(one)._base_manager.filter(pk__in=[one.pk, other.pk]).update(idempotency_key="form-1")

    return violate


VIOLATIONS: dict[str, Callable[[Invoice], None]] = {
    "one_open_payment_request_per_invoice": twice(asked),
    "payment_request_amount_positive": changed(asked, amount_requested_minor=0),
    "payment_request_status_known": changed(asked, status="dead", ended_at=present()),
    "payment_request_cancel_has_reason": changed(asked, status="canceled", ended_at=present()),
    "payment_request_end_has_time": changed(asked, status="paid"),
    "one_unsettled_payment_per_invoice": twice(payment),
    "one_payment_per_checkout": same_checkout,
    "payment_amount_positive": changed(payment, amount_minor=0),
    "payment_status_known": changed(payment, status="lost"),
    "payment_captured_when_succeeded": changed(payment, status="succeeded", settled_at=present()),
    "gateway_call_attempt_unique": twice(call),
    "allocation_sign_fits_cause": changed(allocation, cause="reversed"),
    "payment_allocated_within_captured": changed(paid_deposit, allocated_minor=101),
    "payment_reversed_only_offline": changed(paid_deposit, status="reversed"),
    "event_once_per_idempotency_key": twice(event),
    "payment_once_per_idempotency_key": same_form(payment),
    "payment_request_once_per_idempotency_key": same_form(asked),
    "invoice_number_unique": twice(itself),
    "invoice_status_known": changed(itself, status="lost"),
    "invoice_amount_due_not_negative": changed(itself, amount_paid_minor=100_001),
    "invoice_total_adds_up": changed(itself, total_minor=99_999),
    "invoice_numbered_when_sent": changed(itself, number=None),
    "invoice_line_position_unique": twice(line),
    "invoice_line_not_negative": changed(line, unit_amount_minor=-1),
    "one_unsettled_payment_per_quote": twice(deposit),
    "one_deposit_per_quote": twice(paid_deposit),
    "payment_of_one_document": changed(payment, invoice=None),
    "quote_number_unique": twice(quote),
    "quote_status_known": changed(quote, status="lost"),
    "quote_total_adds_up": changed(quote, total_minor=99_999),
    "quote_deposit_within_total": changed(quote, deposit_minor=10**9),
    "quote_numbered_when_sent": changed(quote, number=None),
    "quote_accepted_by_somebody": changed(quote, status="accepted"),
    "quote_line_position_unique": twice(quote_line),
    "quote_line_not_negative": changed(quote_line, unit_amount_minor=-1),
    "mail_status_known": changed(lambda _: Mail.objects.get(), status="lost"),
    "mail_attempt_number_unique": twice(attempt),
    "callback_stored_once": twice(callback),
    "gateway_call_outcome_known": changed(call, outcome="maybe"),
    "callback_status_known": changed(callback, status="lost"),
    "alert_raised_once": twice(alert),
    "one_current_gateway_account": second_current_account,
    "one_open_invitation_per_address": twice(invitation),
    "invitation_role_known": changed(invitation, role="king"),
    "invitation_status_known": changed(invitation, status="lost"),
    "one_membership_per_user": member_again,
    "member_role_known": changed(member, role="king"),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.guards_constraint(name)) for name in VIOLATIONS]
)
def test_the_database_refuses(invoice: Invoice, name: str) -> None:
    with pytest.raises(IntegrityError) as error:
        VIOLATIONS[name](invoice)
    assert name in str(error.value) or "UNIQUE constraint failed" in str(error.value)


def test_every_database_constraint_has_a_violation_case() -> None:
    ours = [model for app in ("billing", "accounts") for model in apps.get_app_config(app).get_models()]
    assert {constraint.name for model in ours for constraint in model._meta.constraints} == set(VIOLATIONS)
