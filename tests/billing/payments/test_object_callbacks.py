"""Callbacks that name an intent, a refund, a dispute or an account, as Stripe's do, and what is found without any."""

from __future__ import annotations

import json
from contextlib import nullcontext
from datetime import timedelta

import pytest

from partway.billing.errors import GatewayUnavailable
from partway.billing.models import Alert, Callback, Dispute, Payment, PaymentRequest, Payout, Refund
from partway.billing.payments.callbacks import receive_callback
from partway.billing.reconciliation import gateway_list, payout_list
from partway.gateways.protocol import BadCallback
from partway.lib.clock import now as present
from tests.support import personas
from tests.support.gateway_driver import process_all_callbacks
from tests.support.sandbox_server import ReceivedCallback, wait_until
from tests.support.stripe_driver import StripeDriver

pytestmark = pytest.mark.parametrize("gateway_code", ["stripe"])


def event(driver: StripeDriver, kind: str, *, seen: int = 0) -> ReceivedCallback:
    """Waits for the next callback of this type to the account of the test."""
    assert driver.callback_receiver is not None
    received = driver.callback_receiver.received

    def found() -> list[ReceivedCallback]:
        mine = [one for one in list(received) if driver.account.pk in one.path]
        return [one for one in mine if one.event["type"] == kind][seen:]

    return wait_until(found)[0]


def receive(driver: StripeDriver, received: ReceivedCallback) -> Callback:
    callback = receive_callback(driver.account, body=received.body, headers=received.headers, now=present())
    callback.refresh_from_db()
    return callback


def test_callback_of_intent_books_the_payment_of_its_session(
    gateway_driver: StripeDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start(open_request)
    gateway_driver.pay(payment)
    callback = receive(gateway_driver, event(gateway_driver, "payment_intent.amount_capturable_updated"))
    payment.refresh_from_db()
    assert (callback.status, callback.checkout_ref) == ("processed", payment.checkout_ref)
    assert (payment.status, gateway_driver.captures_of(payment)) == ("succeeded", [30_000])
    assert payment.authorized_until is not None


def test_callback_of_refund_and_dispute_made_at_stripe_are_booked(
    gateway_driver: StripeDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start_and_pay(open_request)
    ref = gateway_driver.refund_at_gateway(payment, 5_000)
    assert receive(gateway_driver, event(gateway_driver, "refund.created")).status == "processed"
    assert Refund.objects.get().gateway_ref == ref
    dispute = gateway_driver.dispute(payment, 2_500)
    assert receive(gateway_driver, event(gateway_driver, "charge.dispute.created")).status == "processed"
    gateway_driver.decide_dispute(dispute, "lost")
    assert receive(gateway_driver, event(gateway_driver, "charge.dispute.closed")).status == "processed"
    assert Dispute.objects.get().status == "lost"


def test_inquiry_that_was_refunded_may_become_a_dispute(
    gateway_driver: StripeDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start_and_pay(open_request)
    inquiry = gateway_driver.dispute(payment, 30_000, is_inquiry=True)
    assert receive(gateway_driver, event(gateway_driver, "charge.dispute.created")).status == "processed"
    assert not Dispute.objects.exists()
    # The inquiry froze nothing, so that the payment can be given back; and the bank takes the money all the same.
    personas.give_back(payment, 30_000)
    gateway_driver.company.control("escalate_inquiry", id=inquiry)
    receive(gateway_driver, event(gateway_driver, "charge.dispute.funds_withdrawn"))
    dispute = Dispute.objects.get()
    assert (dispute.status, dispute.lost_minor, dispute.counted_minor) == ("open", 30_000, 0)
    assert Alert.objects.filter(kind="disputed_beyond_payment").exists()
    gateway_driver.decide_dispute(inquiry, "won")
    receive(gateway_driver, event(gateway_driver, "charge.dispute.closed"))
    dispute.refresh_from_db()
    assert (dispute.status, dispute.lost_minor) == ("won", 0)


def test_dispute_that_is_lost_in_part_takes_that_part(
    gateway_driver: StripeDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start_and_pay(open_request)
    ref = gateway_driver.dispute(payment, 30_000)
    receive(gateway_driver, event(gateway_driver, "charge.dispute.created"))
    gateway_driver.company.control("decide_dispute", id=ref, outcome="lost", returned=10_000)
    receive(gateway_driver, event(gateway_driver, "charge.dispute.closed"))
    payment.refresh_from_db()
    assert (Dispute.objects.get().status, payment.lost_minor, payment.frozen_minor) == ("lost", 20_000, 0)


def test_callback_of_another_application_is_kept_and_ignored(
    gateway_driver: StripeDriver, open_request: PaymentRequest
) -> None:
    gateway_driver.create_foreign_checkout()
    for kind in ("checkout.session.completed", "payment_intent.succeeded"):
        assert receive(gateway_driver, event(gateway_driver, kind)).status == "ignored"
    gateway_list.reconcile_gateway_lists(now=present() + timedelta(minutes=10))
    assert not Alert.objects.exists()


@pytest.mark.parametrize(("is_ours", "status", "alerts"), [(False, "ignored", 0), (True, "pending", 1)])
def test_checkout_of_another_installation_on_the_same_account_is_ignored(
    gateway_driver: StripeDriver, is_ours: bool, status: str, alerts: int
) -> None:
    organization = gateway_driver.account.organization_id if is_ours else "org_of_another_installation"
    gateway_driver.create_foreign_checkout(partway_payment="pay_not_here", partway_organization=organization)
    for kind in ("checkout.session.completed", "payment_intent.succeeded"):
        assert receive(gateway_driver, event(gateway_driver, kind)).status == status
    gateway_list.reconcile_gateway_lists(now=present() + timedelta(minutes=10))
    # Ours that no row has is money that was lost from the books, as after a restored backup.
    assert Alert.objects.count() == alerts


def test_callback_of_another_account_is_refused(
    gateway_driver: StripeDriver, open_request: PaymentRequest
) -> None:
    gateway_driver.pay(gateway_driver.start(open_request))
    received = event(gateway_driver, "checkout.session.completed")
    for account, is_refused in ((gateway_driver.company.id, False), ("acct_another", True)):
        body = json.dumps({**received.event, "id": f"evt_{account}", "account": account}).encode()
        signed = gateway_driver.sign_callback(body)
        with pytest.raises(BadCallback) if is_refused else nullcontext():
            receive(gateway_driver, signed)


def test_callback_about_the_account_is_kept_and_ignored(gateway_driver: StripeDriver) -> None:
    gateway_driver.company.control("change_account", charges_enabled=False)
    callback = receive(gateway_driver, event(gateway_driver, "account.updated"))
    assert (callback.status, callback.checkout_ref, callback.object_ref) == ("ignored", "", "")


def test_callback_of_unknown_object_waits_and_is_flagged(
    gateway_driver: StripeDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start(open_request)
    gateway_driver.pay(payment)
    received = event(gateway_driver, "payment_intent.amount_capturable_updated")
    # As after a restored backup: Stripe knows a session of ours, and no row here does.
    Payment.objects.update(checkout_ref="cs_another")
    assert receive(gateway_driver, received).status == "pending"
    process_all_callbacks()
    assert Callback.objects.get().status == "unmatched"
    assert Alert.objects.get().kind == "unmatched_callback"


def test_callback_is_retried_while_stripe_does_not_say_whose_object_it_is(
    gateway_driver: StripeDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start(open_request)
    gateway_driver.pay(payment)
    gateway_driver.company.inject("dropped", on="checkout.sessions.list")
    received = event(gateway_driver, "payment_intent.amount_capturable_updated")
    assert receive(gateway_driver, received).status == "pending"
    process_all_callbacks()
    payment.refresh_from_db()
    assert (Callback.objects.get().status, payment.status) == ("processed", "succeeded")


def test_start_without_response_is_found_by_a_callback_of_its_intent(
    gateway_driver: StripeDriver, open_request: PaymentRequest
) -> None:
    gateway_driver.inject_fault("timeout_after_success", act="start")
    with pytest.raises(GatewayUnavailable):
        gateway_driver.start(open_request)
    payment = Payment.objects.get()
    [line] = gateway_driver.ledger().values()
    gateway_driver.company.pay(gateway_driver.page(line["id"]))
    assert receive(gateway_driver, event(gateway_driver, "checkout.session.completed")).status == "processed"
    payment.refresh_from_db()
    assert (payment.checkout_ref, payment.status) == (line["id"], "succeeded")


def test_refund_made_at_stripe_long_after_the_payment_is_found_in_its_list(
    gateway_driver: StripeDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start_and_pay(open_request)
    at = present() + timedelta(minutes=10)
    gateway_list.reconcile_gateway_lists(now=at)
    ref = gateway_driver.refund_at_gateway(payment, 5_000)
    assert gateway_list.reconcile_gateway_lists(now=at + timedelta(minutes=10)) == 1
    assert Refund.objects.get().gateway_ref == ref


def test_items_of_payout_are_linked_by_our_id_of_the_payment(
    gateway_driver: StripeDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start_and_pay(open_request)
    gateway_driver.refund_at_gateway(payment, 5_000)
    gateway_driver.pay_out()
    assert payout_list.read_payouts(now=present() + timedelta(hours=2)) == 1
    kinds = {item.kind: item for item in Payout.objects.get().items.all()}
    assert set(kinds) == {"payment", "refund"}
    assert all(item.payment_id == payment.pk for item in kinds.values())
    assert kinds["refund"].refund is not None
