"""Regression tests of attacks that once worked, or that left rows unfinished."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from django.db import transaction

from partway.accounts.models import GatewayAccount, Organization
from partway.billing.documents import invoices
from partway.billing.documents.drafts import LineDraft
from partway.billing.errors import Conflict, Invalid, NotPayable
from partway.billing.events import Actor
from partway.billing.models import (
    Alert,
    Callback,
    Customer,
    Event,
    GatewayCall,
    Invoice,
    Payment,
    PaymentRequest,
)
from partway.billing.payments.callbacks import receive_callback
from partway.billing.payments.refresh import book_refused_start, record_checkout
from partway.billing.people import gateway_accounts, organizations
from partway.billing.people.organizations import Profile
from partway.billing.reconciliation import due_work
from partway.billing.requests import payment_requests
from partway.billing.requests.payment_requests import NewPaymentRequest
from partway.billing.verification import verify
from partway.gateways.protocol import Refused
from partway.lib.clock import now as present
from partway.lib.money import Money
from tests.support import failpoints, personas
from tests.support.concurrency import run_concurrently
from tests.support.gateway_driver import GatewayDriver

pytestmark = pytest.mark.django_db(transaction=True)


def test_gateway_that_refuses_state_requests_raises_alert(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start(open_request)
    ref = payment.checkout_ref
    Payment.objects.filter(pk=payment.pk).update(checkout_ref="co_lost")
    for hours in range(1, 4):
        due_work.refresh_unsettled_payments(now=present() + timedelta(hours=hours))
    assert Alert.objects.get().kind == "gateway_refused"
    Payment.objects.filter(pk=payment.pk).update(checkout_ref=ref)


def test_request_kept_open_by_bank_debit_does_not_delay_expiry_of_others(
    gateway_driver: GatewayDriver, dana: Customer
) -> None:
    soon = present() + timedelta(minutes=1)
    kept, other = (
        personas.request_payment(personas.sent_invoice(dana), expires_at=soon + timedelta(seconds=wait))
        for wait in (0, 1)
    )
    gateway_driver.start_and_pay(kept, "debit")
    assert due_work.expire_payment_requests(now=soon + timedelta(hours=1), limit=1) == 1
    other.refresh_from_db()
    assert other.status == "expired"


def test_full_discount_does_not_hide_subtotal_overflow(
    organization: Organization, dana: Customer, alice: Actor
) -> None:
    draft = invoices.InvoiceDraft(
        customer=dana,
        currency="USD",
        due_on=present().date(),
        lines=(LineDraft("Everything", Decimal(10**8), 10**13, Decimal(0)),),
        discount_kind="percent",
        discount_percent=Decimal(100),
    )
    with pytest.raises(Invalid):
        invoices.create(organization, draft=draft, by=alice, now=present())


def test_concurrent_gateway_connects_leave_one_current_account(
    gateway_driver: GatewayDriver, organization: Organization, alice: Actor
) -> None:
    def connect() -> GatewayAccount:
        return gateway_accounts.connect(
            organization, gateway="sandbox", credentials={}, by=alice, now=present()
        )

    run_concurrently(connect, connect)
    assert GatewayAccount.objects.current(organization).count() == 1


def test_refused_start_does_not_fail_payment_started_by_another_try(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    before = gateway_driver.start(open_request)
    late = Payment.objects.select_related("gateway_account", "organization", "invoice").get(pk=before.pk)
    book_refused_start(late, Refused("busy", "The same key is in use."), now=present())
    before.refresh_from_db()
    assert before.status == "pending"


def test_late_start_response_does_not_overwrite_checkout_ref(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start(open_request)
    late = Payment.objects.get(pk=payment.pk)
    record_checkout(late, ref="co_another", url=f"{gateway_driver.sandbox_server.url}/checkout/another")
    assert late.checkout_ref == payment.checkout_ref


def test_amount_changed_while_checkout_was_opened_is_not_payable(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    passed: list[str] = []

    def meanwhile(stop: str) -> None:
        passed.append(stop)
        if passed.count("after start") == 1 and stop == "after start":
            gateway_driver.start_and_pay(open_request)

    with failpoints.on_failpoint(meanwhile), pytest.raises(NotPayable) as refusal:
        gateway_driver.start(open_request.invoice)
    assert refusal.value.reason == "changed"


def test_database_dump_contains_no_checkout_url(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start(open_request)
    gateway_driver.pay(payment, "declined")
    received = gateway_driver.callback(payment, "declined")
    receive_callback(gateway_driver.account, body=received.body, headers=received.headers, now=present())
    dump: list[Any] = [list(model.objects.values()) for model in (Payment, GatewayCall, Callback)]
    assert payment.checkout_ref in str(dump)
    assert payment.checkout_url.rpartition("/")[2] not in str(dump)
    guess = httpx.get(f"{gateway_driver.sandbox_server.url}/checkout/{payment.checkout_ref}", trust_env=False)
    assert guess.status_code == 404


def test_verify_tolerates_clock_skew_between_machines(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    """The success is booked by a machine whose clock is behind, so its event has the smaller id."""
    late, earlier = (
        gateway_driver.start_and_pay(open_request).events.get(type="payment.succeeded"),
        f"evt_0{'0' * 25}",
    )
    with transaction.atomic():
        late.mails.update(event=earlier)
        Event.objects.filter(pk=late.pk).update(id=earlier)
    assert list(verify()) == []


def test_payment_request_idempotency_key_with_other_amount_conflicts(invoice: Invoice, alice: Actor) -> None:
    def ask(amount_minor: int) -> NewPaymentRequest:
        return NewPaymentRequest(
            Money(amount_minor, "USD"), to=("dana@customer.example",), idempotency_key="once"
        )

    payment_requests.create(invoice, new_request=ask(30_000), by=alice, now=present())
    with pytest.raises(Conflict, match="request_form_used"):
        payment_requests.create(invoice, new_request=ask(40_000), by=alice, now=present())


def test_invoice_prefix_ending_in_digit_is_refused(organization: Organization, alice: Actor) -> None:
    profile = Profile(name="Alder", email="a@alder.example", invoice_prefix="X1")
    with pytest.raises(Invalid) as refused:
        organizations.change(organization, profile=profile, by=alice, now=present())
    assert "invoice_prefix" in refused.value.fields
