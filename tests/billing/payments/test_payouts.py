"""Payouts: read from the gateway's list, booked once, and made of entries that are linked to our rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from partway.accounts.models import GatewayAccount, Organization
from partway.billing.models import Alert, Callback, Event, PaymentRequest, Payout, PayoutItem
from partway.billing.payments import payout_booking
from partway.billing.payments.callbacks import receive_callback
from partway.billing.payments.refresh import refresh_payment
from partway.billing.reconciliation import due_work, gateway_list, payout_list
from partway.gateways import protocol
from partway.gateways.protocol import PayoutItemKind, PayoutStatus
from partway.lib.clock import now as present
from partway.lib.money import Money
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver


def read(minutes: float = 0) -> int:
    """Runs the job some minutes from now; returns how many payouts brought something new."""
    return payout_list.read_payouts(now=present() + timedelta(minutes=minutes))


def item(ref: str = "be_1", amount: int = 30_000, fee: int = 445, **changes: Any) -> protocol.PayoutItem:
    amounts = (Money(minor, "USD") for minor in (amount, fee, amount - fee))
    return replace(protocol.PayoutItem(ref, PayoutItemKind.PAYMENT, *amounts), **changes)


def report(
    status: PayoutStatus = PayoutStatus.PAID,
    *items: protocol.PayoutItem,
    amount: int = 29_555,
    arrives_on: date = date(2026, 12, 1),
) -> protocol.Payout:
    """Returns a report of a payout of $295.55."""
    return protocol.Payout("po_at_gateway", status, Money(amount, "USD"), arrives_on, items or (item(),))


def book(organization: Organization, *reports: protocol.Payout) -> Payout:
    """Books the reports one after the other."""
    account = GatewayAccount.objects.current(organization).get()
    for each in reports:
        payout_booking.apply(account, each, now=present())
    return Payout.objects.get()


def history() -> list[str]:
    found = Event.objects.filter(payout__isnull=False).order_by("created_at", "pk")
    return list(found.values_list("type", flat=True))


# Read from the gateway


def test_payout_is_booked_with_its_payments_and_refunds(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start_and_pay(open_request)
    gateway_driver.refund_at_gateway(payment, 10_000)
    refresh_payment(payment, now=present())
    [ref] = gateway_driver.pay_out()
    assert (read(), read(90)) == (1, 0)
    payout = Payout.objects.get()
    assert (payout.gateway_ref, payout.status, payout.amount) == (ref, "pending", Money(19_555, "USD"))
    assert list(payout.items.order_by("position").values_list("kind", "net_minor", "payment", "refund")) == [
        ("payment", 29_555, payment.pk, None),
        ("refund", -10_000, payment.pk, payment.refunds.get().pk),
    ]
    gateway_driver.settle_payout(ref, "paid")
    read(180)
    payout.refresh_from_db()
    assert (payout.status, history()) == ("paid", ["payout.reported", "payout.paid"])


def test_payout_books_refund_and_fee_that_were_not_heard_of(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    gateway_driver.inject_fault("no_fee", act="capture")
    payment = gateway_driver.start_and_pay(open_request)
    gateway_driver.refund_at_gateway(payment, 10_000)
    gateway_driver.pay_out()
    read()
    payment.refresh_from_db()
    assert (payment.fee, payment.refunded_minor) == (Money(445, "USD"), 10_000)
    assert PayoutItem.objects.get(kind="refund").refund == payment.refunds.get()


def test_payout_has_disputes_and_what_comes_back_of_them(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start_and_pay(open_request)
    dispute_ref = gateway_driver.dispute(payment, 10_000)
    gateway_driver.decide_dispute(dispute_ref, "won")
    gateway_driver.pay_out()
    read()
    payout, dispute = Payout.objects.get(), payment.disputes.get()
    assert payout.amount == Money(29_555, "USD")
    entries = payout.items.filter(kind="dispute").order_by("position")
    assert list(entries.values_list("amount_minor", "fee_minor", "dispute")) == [
        (-10_000, 1_500, dispute.pk),
        (10_000, -1_500, dispute.pk),
    ]


def test_payout_is_booked_although_its_payment_cannot_be_fetched(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start_and_pay(open_request)
    gateway_driver.refund_at_gateway(payment, 10_000)
    gateway_driver.pay_out()
    gateway_driver.inject_fault("error_before", act="fetch")
    assert read() == 1
    assert PayoutItem.objects.get(kind="refund").refund is None
    refresh_payment(payment, now=present())
    read(90)
    assert PayoutItem.objects.get(kind="refund").refund == payment.refunds.get()


def test_reading_of_payouts_ends_where_the_gateway_is_silent(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without patience each error comes after the time of a silent gateway, and the test need not wait for it."""
    payment = gateway_driver.start_and_pay(open_request)
    gateway_driver.refund_at_gateway(payment, 10_000)
    gateway_driver.pay_out()
    gateway_driver.inject_fault("error_before", act="fetch")
    monkeypatch.setattr(gateway_list, "SILENCE_SECONDS", 0)
    assert (read(), Payout.objects.count()) == (0, 0)
    assert read(90) == 1


def test_payout_of_a_checkout_that_is_not_ours_is_booked(
    gateway_driver: GatewayDriver, organization: Organization
) -> None:
    ref = gateway_driver.create_foreign_checkout()
    gateway_driver.pay_out()
    read()
    entry = PayoutItem.objects.get()
    assert (entry.payment, entry.amount) == (None, Money(4_500, "USD"))
    # Stripe's payouts name no session.
    assert entry.checkout_ref == (ref if gateway_driver.account.gateway == "sandbox" else "")


@pytest.mark.parametrize("fault", ["error_before", "garbage"])
def test_unread_list_of_payouts_is_read_again_from_where_it_began(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, fault: str
) -> None:
    gateway_driver.start_and_pay(open_request)
    gateway_driver.pay_out()
    gateway_driver.inject_fault(fault, act="list_payouts")
    account = gateway_driver.account
    assert read() == 0
    account.refresh_from_db()
    assert account.payouts_read_until is None
    assert read(90) == 1
    account.refresh_from_db()
    assert account.payouts_read_until is not None


def test_payouts_are_read_every_hour(gateway_driver: GatewayDriver, open_request: PaymentRequest) -> None:
    read()
    gateway_driver.start_and_pay(open_request)
    gateway_driver.pay_out()
    assert (read(50), read(70)) == (0, 1)


def test_list_of_payouts_that_stays_unread_is_an_alert_until_it_is_read(
    gateway_driver: GatewayDriver,
) -> None:
    for days in (1, 4):
        gateway_driver.inject_fault("error_before", act="list_payouts")
        read(days * 24 * 60)
        assert Alert.objects.count() == (days == 4)
    assert Alert.objects.get().params == {"reason": "no_answer", "gateway_message": ""}
    read(5 * 24 * 60)
    assert Alert.objects.get().auto_resolution == "list_available"


def test_refused_list_of_payouts_is_tried_again_after_hours(
    gateway_driver: GatewayDriver,
) -> None:
    account = gateway_driver.account
    account.credentials = {**account.credentials, "api_key": "sk_sandbox_wrong"}
    account.payouts_due_at = present()
    account.save()
    read(4 * 24 * 60)
    account.refresh_from_db()
    assert Alert.objects.get().params["reason"] == "refused"
    assert account.payouts_due_at - present() > timedelta(days=4, hours=5)


# Callbacks


def deliver(gateway_driver: GatewayDriver, kind: str, ref: str) -> Callback:
    """Waits for the callback of this kind about a payout, and delivers it."""
    callback = gateway_driver.callback(ref, kind)
    stored = receive_callback(
        gateway_driver.account, body=callback.body, headers=callback.headers, now=present()
    )
    return Callback.objects.get(pk=stored.pk)


def test_callback_of_payout_makes_the_worker_read_at_once(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    read()
    gateway_driver.start_and_pay(open_request)
    [ref] = gateway_driver.pay_out()
    gateway_driver.settle_payout(ref, "paid")
    callback = deliver(gateway_driver, "payout.paid", ref)
    assert (callback.status, read()) == ("pending", 1)
    due_work.process_pending_callbacks(now=callback.next_attempt_at)
    callback.refresh_from_db()
    assert callback.status == "processed"


@pytest.mark.every_gateway
def test_callback_of_payout_waits_for_a_reading_after_it(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    gateway_driver.start_and_pay(open_request)
    [ref] = gateway_driver.pay_out()
    read()
    gateway_driver.settle_payout(ref, "paid")
    assert deliver(gateway_driver, "payout.paid", ref).status == "pending"
    read()
    assert Payout.objects.get().status == "paid"
    assert deliver(gateway_driver, "payout.paid", ref).status == "processed"


def test_callback_of_unknown_payout_becomes_an_alert(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    gateway_driver.start_and_pay(open_request)
    [ref] = gateway_driver.pay_out()
    gateway_driver.settle_payout(ref, "paid")
    callback = deliver(gateway_driver, "payout.paid", ref)
    Callback.objects.update(payout_ref="po_elsewhere")
    personas.pending_payment(open_request.invoice, 100)  # names no checkout either
    for _ in range(12):
        read(60 * 24)
        due_work.process_pending_callbacks(now=Callback.objects.get().next_attempt_at)
    callback.refresh_from_db()
    assert (callback.status, Alert.objects.get().kind) == ("unmatched", "unmatched_callback")
    assert Alert.objects.get().subject.endswith(":po_elsewhere")


# Booking


@pytest.mark.parametrize("order", list(permutations(PayoutStatus)))
def test_payout_ends_the_same_in_any_order_of_reports(
    organization: Organization, order: tuple[PayoutStatus, ...]
) -> None:
    payout = book(organization, *[report(status) for status in (*order, *order)])
    assert (payout.status, payout.items.count()) == ("failed", 1)
    ends = [event for event in history() if event != "payout.reported"]
    assert ends in (["payout.paid", "payout.failed"], ["payout.failed"])
    assert [alert.kind for alert in Alert.objects.all()] == ["payout_failed"]


def test_payout_on_its_way_follows_its_reports(organization: Organization) -> None:
    more = report(
        PayoutStatus.PENDING, item(), item("be_2", -100, 0), amount=29_455, arrives_on=date(2026, 12, 2)
    )
    payout = book(organization, report(PayoutStatus.PENDING), more)
    assert (payout.amount_minor, payout.arrives_on, payout.items.count()) == (29_455, date(2026, 12, 2), 2)
    assert history() == ["payout.reported", "payout.changed"]
    book(organization, more)
    assert len(history()) == 2


def test_payout_that_was_paid_stays_as_it_was(organization: Organization) -> None:
    payout = book(
        organization,
        report(PayoutStatus.PENDING),
        report(),
        report(PayoutStatus.PAID, item(fee=445), amount=1),
    )
    assert (payout.amount_minor, payout.items.count()) == (29_555, 1)
    assert Alert.objects.get().kind == "payout_changed"


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        ([item(amount=30_001)], "sum"),
        ([item(net=Money(29_554, "USD"))], "sum"),
        ([item(net=Money(29_554, "USD")), item("be_2", 1, 0)], "item"),
    ],
)
def test_payout_that_does_not_add_up_is_booked_and_an_alert(
    organization: Organization, items: list[protocol.PayoutItem], reason: str
) -> None:
    payout = book(organization, report(PayoutStatus.PAID, *items))
    assert (payout.amount_minor, payout.items.count()) == (29_555, len(items))
    alert = Alert.objects.get()
    assert (alert.kind, alert.params["reason"]) == ("payout_does_not_add_up", reason)


def test_payout_with_another_fee_than_its_payment_is_an_alert(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    paid = gateway_driver.start_and_pay(open_request)
    other = item(amount=29_999, fee=444, checkout_ref=paid.checkout_ref)
    book(paid.organization, report(PayoutStatus.PAID, other))
    assert (Alert.objects.get().kind, Alert.objects.get().payment) == ("fee_mismatch", paid)


def test_payouts_of_two_accounts_may_have_one_ref(organization: Organization) -> None:
    book(organization, report())
    other = GatewayAccount.objects.create(organization=organization, gateway="sandbox", is_current=False)
    payout_booking.apply(other, report(), now=datetime.now(UTC))
    assert Payout.objects.count() == 2
