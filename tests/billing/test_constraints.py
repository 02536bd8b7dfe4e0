"""Each database constraint refuses a row that no code of ours should write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction

from partway.accounts import idempotent_calls
from partway.accounts.models import ApiKey, GatewayAccount, IdempotentCall, Invitation, Member, UsedCode
from partway.billing import parties
from partway.billing.documents import quotes
from partway.billing.models import (
    Adjustment,
    Alert,
    Allocation,
    Callback,
    Closing,
    Customer,
    Dispute,
    Event,
    GatewayCall,
    Import,
    Invoice,
    InvoiceLine,
    LedgerAccount,
    Mail,
    MailAttempt,
    Payment,
    PaymentRequest,
    Payout,
    PayoutItem,
    Quote,
    QuoteLine,
    Refund,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from partway.billing.people import members
from partway.lib.clock import now as present
from partway.lib.natural_sort import UNNUMBERED, sort_key
from tests.support import personas

Row = Any


@pytest.fixture
def _verify_books(db: None) -> None:
    """Replaces the check of the books, because these tests write rows without billing."""


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
    taken |= parties.freeze(invoice.organization, invoice.customer)
    Payment.objects.filter(pk=row.pk).update(status="succeeded", accepted=True, settled_at=present(), **taken)
    row.refresh_from_db()
    return row


def invitation(invoice: Invoice) -> Invitation:
    organization = invoice.organization
    by, now = personas.owner_actor(organization), present()
    return members.invite(organization, email="ivy@post.example", role="reader", by=by, now=now)


def api_key(invoice: Invoice) -> ApiKey:
    return ApiKey.objects.create(
        organization=invoice.organization, name="x", scope="read", digest="x", created_at=present()
    )


def webhook_endpoint(invoice: Invoice) -> WebhookEndpoint:
    return personas.webhook_endpoint(invoice.organization, "https://jobs.alder.example/hooks")


def webhook_delivery(invoice: Invoice) -> WebhookDelivery:
    return personas.webhook_delivery(webhook_endpoint(invoice))


def webhook_attempt(invoice: Invoice) -> WebhookAttempt:
    return WebhookAttempt.objects.create(
        delivery=webhook_delivery(invoice), number=1, attempted_at=present(), duration_ms=1
    )


def idempotent_call(invoice: Invoice) -> IdempotentCall:
    return idempotent_calls.begin(invoice.organization, key="x", fingerprint="x", now=present())


def used_code(invoice: Invoice) -> UsedCode:
    return UsedCode.objects.create(user=member(invoice).user, time_step=1, used_at=present())


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


def adjustment(invoice: Invoice) -> Adjustment:
    owner = {"organization": invoice.organization, "invoice": invoice, "reason": "fee"}
    return Adjustment.objects.create(**owner, amount_minor=100, currency="USD", created_at=present())


def ledger_account(invoice: Invoice, key: str = "credit", code: str = "1") -> LedgerAccount:
    owner = invoice.organization
    return LedgerAccount.objects.create(organization=owner, key=key, code=code, name="Ours")


def same_account(invoice: Invoice) -> None:
    ledger_account(invoice)
    ledger_account(invoice, code="2")


def same_code(invoice: Invoice) -> None:
    ledger_account(invoice)
    ledger_account(invoice, key="deposits")


def journal_closing(invoice: Invoice) -> Closing:
    owner, at = invoice.organization, present()
    return Closing.objects.create(organization=owner, through=at.date(), time_zone="UTC", created_at=at)


def refund(invoice: Invoice) -> Refund:
    owner = {"organization": invoice.organization, "payment": payment(invoice), "method": "Cash"}
    on = invoice.due_on
    return Refund.objects.create(
        **owner,
        status="succeeded",
        mode="offline",
        amount_minor=100,
        currency="USD",
        refunded_on=on,
        created_at=present(),
    )


def dispute(invoice: Invoice) -> Dispute:
    of = {"organization": invoice.organization, "payment": payment(invoice)}
    said = {"reason": "fraudulent", "gateway_ref": "dp_1", "opened_at": present()}
    return Dispute.objects.create(**of, **said, amount_minor=100, currency="USD")


def refund_at_gateway(invoice: Invoice) -> Refund:
    row = refund(invoice)
    Refund.objects.filter(pk=row.pk).update(mode="gateway", method="", gateway_ref="re_1")
    row.refresh_from_db()
    return row


def payout(invoice: Invoice) -> Payout:
    return Payout.objects.create(
        organization=invoice.organization,
        gateway_account=GatewayAccount.objects.get(organization=invoice.organization),
        gateway_ref="po_1",
        amount_minor=100,
        currency="USD",
        arrives_on=invoice.due_on,
        created_at=present(),
    )


def payout_item(invoice: Invoice, **columns: Any) -> PayoutItem:
    amounts = {"amount_minor": 100, "fee_minor": 0, "net_minor": 100, "currency": "USD"}
    row = {"position": 0, "gateway_ref": "be_1", "kind": "other", **amounts, **columns}
    return PayoutItem.objects.create(payout=payout(invoice), **row)


def second_payout_item(**columns: Any) -> Callable[[Invoice], None]:
    """Returns an act that inserts an entry of a payout again, with these columns changed."""

    def violate(invoice: Invoice) -> None:
        row = payout_item(invoice)
        for column, value in {"pk": f"{row.pk}2", **columns}.items():
            setattr(row, column, value)
        with transaction.atomic():
            row.save(force_insert=True)

    return violate


def refunded_item(invoice: Invoice) -> PayoutItem:
    row = refund_at_gateway(invoice)
    return payout_item(invoice, kind="refund", payment=row.payment, refund=row)


def automatic_refund(invoice: Invoice) -> Refund:
    row = refund(invoice)
    Refund.objects.filter(pk=row.pk).update(mode="gateway", method="", is_automatic=True)
    row.refresh_from_db()
    return row


def refund_call(invoice: Invoice) -> GatewayCall:
    row = refund_at_gateway(invoice)
    owner = {"payment": row.payment, "refund": row, "operation": "refund"}
    return GatewayCall.objects.create(**owner, attempt=1, started_at=present())


@transaction.atomic
def same_refund_form(invoice: Invoice) -> None:
    one = refund(invoice)
    one.idempotency_key = "form-1"
    one.save()
    one.pk = f"{one.pk}2"
    one.save(force_insert=True)


def event(invoice: Invoice) -> Event:
    row = Event.objects.filter(invoice=invoice).latest("created_at")
    Event.objects.filter(pk=row.pk).update(idempotency_key="form-1")
    row.refresh_from_db()
    return row


def attempt(invoice: Invoice) -> MailAttempt:
    return MailAttempt.objects.create(mail=Mail.objects.get(), number=1, attempted_at=present())


def overwritten(make: Callable[[Invoice], Row], **columns: object) -> Callable[[Invoice], None]:
    """Returns an act that overwrites columns of a row without billing."""

    def violate(invoice: Invoice) -> None:
        row = make(invoice)
        with transaction.atomic():
            type(row)._base_manager.filter(pk=row.pk).update(**columns)

    return violate


def duplicated(make: Callable[[Invoice], Row]) -> Callable[[Invoice], None]:
    """Returns an act that inserts a row a second time under another id."""

    def violate(invoice: Invoice) -> None:
        row = make(invoice)
        row.pk = None if isinstance(row, MailAttempt | UsedCode) else f"{row.pk}2"
        with transaction.atomic():
            row.save(force_insert=True)

    return violate


def the_customer(invoice: Invoice) -> Customer:
    return invoice.customer


def the_invoice(invoice: Invoice) -> Invoice:
    return invoice


def invoice_of_quote(invoice: Invoice) -> Invoice:
    accepted = personas.accept_quote(quote(invoice))
    return quotes.create_invoice(accepted, by=personas.owner_actor(invoice.organization), now=present())


def line(invoice: Invoice) -> InvoiceLine:
    return invoice.lines.get()


def open_request(invoice: Invoice) -> PaymentRequest:
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
def account_of_two_organizations(invoice: Invoice) -> None:
    personas.organization("birch", "Birch & Co")
    GatewayAccount.objects.update(is_of_platform=True, account_ref="acct_1")


@transaction.atomic
def same_checkout(invoice: Invoice) -> None:
    one, other = payment(invoice), payment(personas.sent_invoice(invoice.customer))
    Payment.objects.filter(pk__in=[one.pk, other.pk]).update(checkout_ref="co_1")


def same_idempotency_key(make: Callable[[Invoice], Row]) -> Callable[[Invoice], None]:
    """Returns an act that gives two rows of two invoices the same idempotency key."""

    def violate(invoice: Invoice) -> None:
        one, other = make(invoice), make(personas.sent_invoice(invoice.customer))
        with transaction.atomic():
            type(one)._base_manager.filter(pk__in=[one.pk, other.pk]).update(idempotency_key="form-1")

    return violate


def an_import(invoice: Invoice) -> Import:
    return personas.checked_import(invoice.organization)


def same_external_reference(make: Callable[[Invoice], Row]) -> Callable[[Invoice], None]:
    """Returns an act that gives two rows of one kind the same reference of a program."""

    def violate(invoice: Invoice) -> None:
        one, other = make(invoice), make(personas.sent_invoice(personas.customer(invoice.organization)))
        with transaction.atomic():
            type(one)._base_manager.filter(pk__in=[one.pk, other.pk]).update(external_reference="job-1")

    return violate


VIOLATIONS: dict[str, Callable[[Invoice], None]] = {
    "import_status_known": overwritten(an_import, status="lost"),
    "import_kind_known": overwritten(an_import, kind="pets"),
    "import_due_while_it_runs": overwritten(an_import, status="importing"),
    "customer_external_reference_unique": same_external_reference(the_customer),
    "invoice_external_reference_unique": same_external_reference(the_invoice),
    "quote_external_reference_unique": same_external_reference(quote),
    "payment_request_external_reference_unique": same_external_reference(open_request),
    "one_open_payment_request_per_invoice": duplicated(open_request),
    "payment_request_amount_positive": overwritten(open_request, amount_requested_minor=0),
    "payment_request_status_known": overwritten(open_request, status="dead", ended_at=present()),
    "payment_request_cancel_has_reason": overwritten(open_request, status="canceled", ended_at=present()),
    "payment_request_end_has_time": overwritten(open_request, status="paid"),
    "one_unsettled_payment_per_invoice": duplicated(payment),
    "one_payment_per_checkout": same_checkout,
    "payment_amount_positive": overwritten(payment, amount_minor=0),
    "payment_status_known": overwritten(payment, status="lost"),
    "payment_processing_is_decided": overwritten(payment, status="processing"),
    "payment_captured_when_succeeded": overwritten(payment, status="succeeded", settled_at=present()),
    "gateway_call_attempt_unique": duplicated(call),
    "allocation_sign_fits_cause": overwritten(allocation, cause="reversed"),
    "one_automatic_refund_per_payment": duplicated(automatic_refund),
    "refund_automatic_through_gateway": overwritten(refund, is_automatic=True),
    "refund_amount_positive": overwritten(refund, amount_minor=0),
    "refund_mode_fits_method": overwritten(refund, mode="gateway"),
    "refund_status_fits_mode": overwritten(refund, status="failed"),
    "refund_lost_only_in_dashboard": overwritten(refund, lost_minor=1),
    "refund_pending_is_refreshed": overwritten(refund_at_gateway, status="pending"),
    "refund_once_per_gateway_ref": duplicated(refund_at_gateway),
    "gateway_call_refund_attempt_unique": duplicated(refund_call),
    "gateway_call_of_refund": overwritten(refund_call, operation="close"),
    "allocation_of_refund": overwritten(allocation, cause="restored"),
    "refund_once_per_idempotency_key": same_refund_form,
    "allocation_of_dispute": overwritten(allocation, cause="reinstated"),
    "dispute_amount_positive": overwritten(dispute, amount_minor=0),
    "dispute_closed_when_decided": overwritten(dispute, status="won"),
    "dispute_lost_within_amount": overwritten(dispute, lost_minor=101),
    "dispute_reason_known": overwritten(dispute, reason="whim"),
    "dispute_fee_has_currency": overwritten(dispute, fee_minor=1),
    "dispute_once_per_gateway_ref": duplicated(dispute),
    "adjustment_of_dispute": overwritten(adjustment, reason="dispute"),
    "payment_frozen_within_captured": overwritten(paid_deposit, frozen_minor=60, refunded_minor=41),
    "adjustment_sign_fits_cause": overwritten(adjustment, cause="by_member"),
    "adjustment_reason_known": overwritten(adjustment, reason="whim"),
    "payment_allocated_within_captured": overwritten(paid_deposit, allocated_minor=60, refunded_minor=41),
    "payout_once_per_gateway_ref": duplicated(payout),
    "payout_status_known": overwritten(payout, status="lost"),
    "payout_item_position_unique": second_payout_item(gateway_ref="be_2"),
    "payout_item_once_per_ref": second_payout_item(position=1),
    "payout_item_kind_known": overwritten(payout_item, kind="tip"),
    "payout_item_of_one": overwritten(refunded_item, kind="payment"),
    "payment_fee_of_gateway": overwritten(payment, fee_minor=100),
    "refund_fee_of_gateway": overwritten(refund, fee_minor=100, fee_currency="USD"),
    "payment_reversed_only_offline": overwritten(paid_deposit, status="reversed"),
    "event_once_per_idempotency_key": duplicated(event),
    "payment_once_per_idempotency_key": same_idempotency_key(payment),
    "payment_request_once_per_idempotency_key": same_idempotency_key(open_request),
    "invoice_number_unique": duplicated(the_invoice),
    "invoice_status_known": overwritten(the_invoice, status="lost"),
    "invoice_amount_due_not_negative": overwritten(
        the_invoice, amount_paid_minor=60_000, adjusted_minor=40_001
    ),
    "invoice_total_adds_up": overwritten(the_invoice, total_minor=99_999),
    "invoice_numbered_when_sent": overwritten(the_invoice, number=None, number_key=UNNUMBERED),
    "invoice_number_has_key": overwritten(the_invoice, number_key=sort_key("INV-1")),
    "invoice_of_quote_unique": duplicated(invoice_of_quote),
    "invoice_due_days_of_draft": overwritten(the_invoice, due_days=14),
    "invoice_line_position_unique": duplicated(line),
    "invoice_line_not_negative": overwritten(line, unit_amount_minor=-1),
    "one_unsettled_payment_per_quote": duplicated(deposit),
    "one_deposit_per_quote": duplicated(paid_deposit),
    "payment_given_back_was_deposit": overwritten(payment, deposit_given_back=True),
    "payment_of_one_document": overwritten(payment, invoice=None),
    "quote_number_unique": duplicated(quote),
    "quote_status_known": overwritten(quote, status="lost"),
    "quote_total_adds_up": overwritten(quote, total_minor=99_999),
    "quote_deposit_within_total": overwritten(quote, deposit_minor=10**9),
    "quote_numbered_when_sent": overwritten(quote, number=None, number_key=UNNUMBERED),
    "quote_number_has_key": overwritten(quote, number_key=UNNUMBERED),
    "customer_name_has_key": overwritten(the_customer, sort_key=sort_key("Dana")),
    "invoice_parties_when_issued": overwritten(the_invoice, issued_to=None),
    "quote_parties_when_issued": overwritten(quote, issued_by=None),
    "payment_parties_when_issued": overwritten(paid_deposit, issued_by=None, issued_to=None),
    "quote_accepted_by_set": overwritten(quote, status="accepted"),
    "quote_acceptance_recorded_by_set": overwritten(quote, acceptance_recorded_by="Alice"),
    "quote_line_position_unique": duplicated(quote_line),
    "quote_line_not_negative": overwritten(quote_line, unit_amount_minor=-1),
    "mail_status_known": overwritten(lambda _: Mail.objects.get(), status="lost"),
    "mail_attempt_number_unique": duplicated(attempt),
    "callback_stored_once": duplicated(callback),
    "gateway_call_outcome_known": overwritten(call, outcome="maybe"),
    "callback_status_known": overwritten(callback, status="lost"),
    "alert_raised_once": duplicated(alert),
    "one_current_gateway_account": second_current_account,
    "one_organization_per_platform_account": account_of_two_organizations,
    "one_open_invitation_per_address": duplicated(invitation),
    "invitation_role_known": overwritten(invitation, role="king"),
    "invitation_status_known": overwritten(invitation, status="lost"),
    "one_membership_per_user": member_again,
    "code_used_once": duplicated(used_code),
    "ledger_account_key_unique": same_account,
    "ledger_account_code_unique": same_code,
    "reopening_has_reason": overwritten(journal_closing, is_reopening=True),
    "member_role_known": overwritten(member, role="king"),
    "key_scope_known": overwritten(api_key, scope="owner"),
    "webhook_endpoint_disabled_for_a_reason": overwritten(webhook_endpoint, status="disabled"),
    "webhook_delivery_once_per_endpoint": duplicated(webhook_delivery),
    "webhook_delivery_ended_with_its_time": overwritten(webhook_delivery, status="failed"),
    "webhook_attempt_number_unique": duplicated(webhook_attempt),
    "one_call_per_idempotency_key": duplicated(idempotent_call),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.guards_constraint(name)) for name in VIOLATIONS]
)
def test_database_constraint_refuses_violation(invoice: Invoice, name: str) -> None:
    with pytest.raises(IntegrityError) as error:
        VIOLATIONS[name](invoice)
    assert name in str(error.value) or "UNIQUE constraint failed" in str(error.value)


def test_every_database_constraint_has_a_violation_case() -> None:
    ours = [model for app in ("billing", "accounts") for model in apps.get_app_config(app).get_models()]
    assert {constraint.name for model in ours for constraint in model._meta.constraints} == set(VIOLATIONS)
