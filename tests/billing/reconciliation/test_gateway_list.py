"""The gateway's list is read: payments that only the gateway knows are booked, or an alert is raised."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from partway.accounts.models import GatewayAccount
from partway.billing import alerts
from partway.billing.checkouts import gateway_calls
from partway.billing.errors import GatewayUnavailable
from partway.billing.events import Actor
from partway.billing.models import Alert, Customer, Payment, PaymentRequest
from partway.billing.reconciliation import due_work, gateway_list
from partway.billing.requests import payment_requests
from partway.gateways.protocol import Checkout, CheckoutRequest
from partway.lib.clock import now as present
from partway.lib.money import Money
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver


def reconcile(minutes: float = 10) -> int:
    """Runs the reconciliation some minutes from now."""
    return gateway_list.reconcile_gateway_lists(now=present() + timedelta(minutes=minutes))


def the_payment() -> Payment:
    return Payment.objects.get()


def overwrite(payment: Payment, **columns: Any) -> None:
    """Overwrites columns of a payment's row, as a defect might."""
    Payment.objects.filter(pk=payment.pk).update(**columns)


def test_gateway_list_recovers_missing_checkout_ref(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    gateway_driver.inject_fault("timeout_after_success", act="start")
    with pytest.raises(GatewayUnavailable):
        gateway_driver.start(open_request)
    assert the_payment().checkout_ref == ""
    assert reconcile() == 1
    assert the_payment().checkout_ref != ""


def test_gateway_list_books_unreported_payment(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    gateway_driver.pay(gateway_driver.start(open_request))
    assert reconcile() == 1
    assert the_payment().status == "succeeded"
    assert reconcile(30) == 0


def test_gateway_list_leaves_open_checkout_pending(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    gateway_driver.start(open_request)
    assert (reconcile(), the_payment().status) == (0, "pending")


def test_gateway_list_books_capture_of_failed_payment(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    payment = gateway_driver.start(open_request)
    gateway_driver.pay(payment, "debit")
    overwrite(payment, status="failed", settled_at=present())  # as after a wrong report
    gateway_driver.settle_bank_debit(payment)
    assert reconcile() == 1
    assert (the_payment().status, the_payment().accepted) == ("succeeded", False)
    assert Alert.objects.get().kind == "unwanted_payment"


@pytest.fixture
def _verify_books(db: None) -> None:
    """Replaces the check of the books, because these tests damage rows."""


def test_gateway_list_closes_orphan_checkout(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start(open_request)
    overwrite(payment, status="failed", checkout_ref="", settled_at=present())
    assert reconcile() == 1
    assert gateway_driver.pay(payment).status_code == 410
    assert gateway_driver.captures_of(payment) == []


def pay_at_foreign_checkout(gateway_driver: GatewayDriver, reference: str) -> Checkout:
    """Pays by bank debit on a checkout of this reference that the books do not contain."""
    assert gateway_driver.callback_receiver is not None
    order = CheckoutRequest(
        key=f"beside {reference}",
        amount=Money(30_000, "USD"),
        description="An invoice that a restored backup does not have",
        reference=reference,
        return_url=gateway_driver.callback_receiver.url,
        callback_url=gateway_driver.callback_receiver.url,
        expires_at=present() + timedelta(minutes=30),
    )
    checkout = gateway_calls.gateway_for_account(gateway_driver.account).start(order)
    gateway_driver.sandbox_server.submit_form(f"{checkout.url}/pay", **gateway_driver.PAYMENT_FORMS["debit"])
    return checkout


def test_gateway_list_alerts_capture_with_unknown_reference(
    gateway_driver: GatewayDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_driver, "assert_ledger_matches_books", lambda: None)  # they differ on purpose
    pay_at_foreign_checkout(gateway_driver, "pay_gone")
    assert reconcile() == 1
    assert Alert.objects.get().kind == "unmatched_checkout"
    assert Alert.objects.get().params["reference"] == "pay_gone"
    reconcile(30)
    assert Alert.objects.count() == 1


def test_gateway_list_alerts_capture_on_second_checkout_of_payment(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_driver, "assert_ledger_matches_books", lambda: None)
    payment = gateway_driver.start_and_pay(open_request)
    second = pay_at_foreign_checkout(gateway_driver, payment.pk)
    assert reconcile() == 1
    assert Alert.objects.get(kind="unmatched_checkout").params["checkout_ref"] == second.ref


def test_gateway_list_books_one_of_two_checkouts_and_alerts_the_other(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_driver, "assert_ledger_matches_books", lambda: None)
    payment = gateway_driver.start(open_request)
    gateway_driver.pay(payment, "debit")
    gateway_driver.settle_bank_debit(payment)
    overwrite(payment, checkout_ref="")
    second = pay_at_foreign_checkout(gateway_driver, payment.pk)
    reconcile()
    assert (the_payment().status, the_payment().checkout_ref) == ("succeeded", payment.checkout_ref)
    assert Alert.objects.get(kind="unmatched_checkout").params["checkout_ref"] == second.ref


def test_gateway_list_uses_checkout_ref_learned_from_previous_line(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_driver, "assert_ledger_matches_books", lambda: None)
    payment = gateway_driver.start(open_request)
    overwrite(payment, checkout_ref="")
    second = pay_at_foreign_checkout(gateway_driver, payment.pk)
    reconcile()
    assert (the_payment().status, the_payment().checkout_ref) == ("pending", payment.checkout_ref)
    assert Alert.objects.get().params["checkout_ref"] == second.ref


def test_gateway_list_books_refund_made_at_gateway(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start_and_pay(open_request)
    gateway_driver.refund_at_gateway(payment, 10_000)
    assert [reconcile(), reconcile(20)] == [1, 0]
    assert the_payment().refunded_minor == 10_000
    assert Alert.objects.get().kind == "refunded_at_gateway"
    assert refund_of(Alert.objects.get()) == (10_000, 30_000)


def test_gateway_list_ignores_failed_refund(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start_and_pay(open_request)
    gateway_driver.settle_refund(gateway_driver.refund_at_gateway(payment, 10_000), "failed")
    assert reconcile() == 0
    assert not Alert.objects.exists()


def test_gateway_list_books_failure_of_refund(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start_and_pay(open_request)
    refunds = [gateway_driver.refund_at_gateway(payment, amount) for amount in (10_000, 5_000)]
    reconcile()
    gateway_driver.settle_refund(refunds[0], "failed")
    reconcile(20)
    assert the_payment().refunded_minor == 5_000
    assert Alert.objects.get(kind="refund_failed").params["amount"]["amount_minor"] == 10_000


def test_gateway_list_alerts_booked_amount_mismatch(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = gateway_driver.start_and_pay(open_request)
    overwrite(payment, captured_minor=30_001)
    monkeypatch.setattr(gateway_driver, "assert_ledger_matches_books", lambda: None)
    reconcile()
    assert Alert.objects.get().kind == "booked_amount_mismatch"


def test_gateway_list_resumes_after_unavailable_gateway(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, settings: Settings
) -> None:
    gateway_driver.pay(gateway_driver.start(open_request))
    settings.PARTWAY_GATEWAY_URLS, up = {"sandbox": "http://127.0.0.1:9"}, settings.PARTWAY_GATEWAY_URLS
    assert reconcile() == 0
    assert _account(gateway_driver).reconciled_until is None
    settings.PARTWAY_GATEWAY_URLS = up
    assert reconcile(20) == 1


def test_gateway_list_retries_refused_credentials_less_often(gateway_driver: GatewayDriver) -> None:
    invalidate_credentials(gateway_driver.account)
    at = present() + timedelta(minutes=10)
    gateway_list.reconcile_gateway_lists(now=at)
    assert _account(gateway_driver).reconcile_at == at + timedelta(hours=6)


# A list that cannot be read for a long time

_AN_HOUR, _A_DAY = 60, 24 * 60


def disconnect_gateway(settings: Settings) -> None:
    settings.PARTWAY_GATEWAY_URLS = {"sandbox": "http://127.0.0.1:9"}


def invalidate_credentials(account: GatewayAccount) -> None:
    """Makes the gateway refuse the account's credentials."""
    account.credentials = {**account.credentials, "api_key": "sk_sandbox_wrong"}
    account.save()


def test_gateway_list_unread_for_a_day_raises_alert(
    gateway_driver: GatewayDriver, settings: Settings
) -> None:
    up = settings.PARTWAY_GATEWAY_URLS
    disconnect_gateway(settings)
    reconcile(_A_DAY - _AN_HOUR)
    assert not Alert.objects.exists()
    reconcile(_A_DAY + _AN_HOUR)
    settings.PARTWAY_GATEWAY_URLS = up
    alert = Alert.objects.get()
    assert (alert.kind, alert.organization) == (
        "gateway_list_unavailable",
        gateway_driver.account.organization,
    )
    assert alert.params["reason"] == "no_answer"


def test_gateway_list_unread_alert_contains_gateway_refusal(gateway_driver: GatewayDriver) -> None:
    invalidate_credentials(gateway_driver.account)
    reconcile(_A_DAY + _AN_HOUR)
    assert Alert.objects.get(kind="gateway_list_unavailable").params["reason"] == "refused"


def test_gateway_list_with_unresolved_line_counts_as_unread(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    gateway_driver.pay(gateway_driver.start(open_request))
    gateway_driver.inject_fault("error_before", act="fetch", count=1)
    reconcile(_A_DAY + _AN_HOUR)
    assert Alert.objects.get().params["reason"] == "checkouts_unreadable"


def test_gateway_list_unread_alert_is_auto_resolved_after_read(
    gateway_driver: GatewayDriver, settings: Settings
) -> None:
    up = settings.PARTWAY_GATEWAY_URLS
    disconnect_gateway(settings)
    reconcile(_A_DAY + _AN_HOUR)
    settings.PARTWAY_GATEWAY_URLS = up
    reconcile(_A_DAY + 2 * _AN_HOUR)
    assert Alert.objects.get().auto_resolution == "list_available"


def test_gateway_list_read_within_a_day_raises_no_alert(
    gateway_driver: GatewayDriver, settings: Settings
) -> None:
    up = settings.PARTWAY_GATEWAY_URLS
    reconcile(_A_DAY)
    disconnect_gateway(settings)
    reconcile(_A_DAY + _AN_HOUR)
    settings.PARTWAY_GATEWAY_URLS = up
    assert not Alert.objects.exists()


def test_gateway_list_alert_of_replaced_idle_account_is_auto_resolved(
    gateway_driver: GatewayDriver, alice: Actor
) -> None:
    invalidate_credentials(gateway_driver.account)
    reconcile(_A_DAY + _AN_HOUR)
    GatewayAccount.objects.filter(pk=gateway_driver.account.pk).update(is_current=False)
    reconcile(2 * _A_DAY)
    assert Alert.objects.get().auto_resolution == "account_replaced"


def test_gateway_list_alert_of_replaced_account_with_open_payment_stays(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    gateway_driver.start(open_request)
    key = gateway_driver.account.sealed_credentials
    invalidate_credentials(gateway_driver.account)
    GatewayAccount.objects.filter(pk=gateway_driver.account.pk).update(is_current=False)
    reconcile(_A_DAY + _AN_HOUR)
    GatewayAccount.objects.filter(pk=gateway_driver.account.pk).update(sealed_credentials=key)
    assert Alert.objects.get().resolved_at is None


def test_gateway_list_is_claimed_by_one_worker(gateway_driver: GatewayDriver) -> None:
    at = present() + timedelta(minutes=10)
    first, second = _account(gateway_driver), _account(gateway_driver)
    claim = gateway_list.GATEWAY_ACCOUNTS.claim
    assert [claim(first, until=at), claim(second, until=at)] == [True, False]


def refund_of(alert: Alert) -> tuple[int, int]:
    """Returns the refunded amount and the captured amount in minor units."""
    return alert.params["refunded"]["amount_minor"], alert.params["captured"]["amount_minor"]


def _account(gateway_driver: GatewayDriver) -> GatewayAccount:
    return GatewayAccount.objects.get(pk=gateway_driver.account.pk)


# Payments that stay unsettled


def refresh_without_gateway(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, settings: Settings, after: timedelta
) -> datetime:
    """Starts a payment and refreshes it after this time, while the gateway does not respond."""
    gateway_driver.start(open_request)
    settings.PARTWAY_GATEWAY_URLS = {"sandbox": "http://127.0.0.1:9"}
    at = present() + after
    due_work.refresh_unsettled_payments(now=at)
    return at


def test_payment_unsettled_for_a_day_raises_alert(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, settings: Settings
) -> None:
    up = settings.PARTWAY_GATEWAY_URLS
    refresh_without_gateway(gateway_driver, open_request, settings, timedelta(hours=25))
    settings.PARTWAY_GATEWAY_URLS = up
    assert Alert.objects.get().kind == "payment_unsettled"


def test_payment_unsettled_alert_is_auto_resolved_when_settled(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, settings: Settings, alice: Actor
) -> None:
    up = settings.PARTWAY_GATEWAY_URLS
    at = refresh_without_gateway(gateway_driver, open_request, settings, timedelta(hours=25))
    settings.PARTWAY_GATEWAY_URLS = up
    assert alerts.auto_resolve_settled(now=at) == 0
    payment_requests.cancel(open_request, by=alice, now=at)
    assert alerts.auto_resolve_settled(now=at) == 1
    assert Alert.objects.get().auto_resolution == "payment_settled"


def test_payment_unsettled_for_less_than_a_day_raises_no_alert(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, settings: Settings
) -> None:
    up = settings.PARTWAY_GATEWAY_URLS
    refresh_without_gateway(gateway_driver, open_request, settings, timedelta(hours=20))
    settings.PARTWAY_GATEWAY_URLS = up
    assert not Alert.objects.exists()


def test_second_gateway_refund_raises_new_alert_after_first_was_resolved(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    payment = gateway_driver.start_and_pay(open_request)
    gateway_driver.refund_at_gateway(payment, 10_000)
    reconcile()
    alert = Alert.objects.get()
    alerts.resolve(alert, expected_digest=alert.digest, by=alice, now=present())
    reconcile(20)
    assert Alert.objects.count() == 1
    gateway_driver.refund_at_gateway(payment, 5_000)
    reconcile(30)
    assert refund_of(Alert.objects.get(resolved_at__isnull=True)) == (15_000, 30_000)


def test_open_refund_alert_is_updated_with_second_refund(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start_and_pay(open_request)
    gateway_driver.refund_at_gateway(payment, 10_000)
    reconcile()
    gateway_driver.refund_at_gateway(payment, 5_000)
    reconcile(20)
    assert refund_of(Alert.objects.get()) == (15_000, 30_000)


def test_gateway_list_ignores_capture_booked_by_another_connection_of_account(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    gateway_driver.start_and_pay(open_request)
    second_connection = GatewayAccount(
        organization=open_request.organization, gateway="sandbox", is_current=False
    )
    second_connection.credentials = gateway_driver.account.credentials
    second_connection.save()
    reconcile()
    assert not Alert.objects.exists()


def test_gateway_list_books_capture_without_restarting_unnamed_checkout(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start(open_request)
    gateway_driver.pay(payment, "debit")
    gateway_driver.settle_bank_debit(payment)
    overwrite(payment, status="failed", checkout_ref="", settled_at=present())
    gateway_driver.inject_fault("error_before", act="start", count=9)
    assert reconcile() == 1
    assert the_payment().captured_minor == 30_000


def test_gateway_list_line_that_could_not_be_compared_is_read_again(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start(open_request)
    gateway_driver.pay(payment)
    gateway_driver.inject_fault("error_before", act="fetch", count=1)
    reconcile()
    assert (_account(gateway_driver).reconciled_until, the_payment().status) == (None, "pending")
    assert reconcile(20) == 1


# One that is broken, or a gateway that is silent


@pytest.fixture
def two_paid(gateway_driver: GatewayDriver, dana: Customer) -> list[Payment]:
    """Two payments that the gateway took and did not report; the state of the first that is asked for fails once."""
    paid = [gateway_driver.start(personas.sent_invoice(dana, 30_000)) for _ in range(2)]
    for payment in paid:
        gateway_driver.pay(payment)
    gateway_driver.inject_fault("error_before", act="fetch", count=1)
    return paid


def test_gateway_list_goes_on_after_one_broken_checkout(two_paid: list[Payment]) -> None:
    assert reconcile(_A_DAY + _AN_HOUR) == 1
    assert Alert.objects.get().params["reason"] == "checkouts_unreadable"


def test_gateway_list_reading_ends_where_the_gateway_is_silent(
    two_paid: list[Payment], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without patience each error comes after the time of a silent gateway, and the test need not wait for it."""
    monkeypatch.setattr(gateway_list, "SILENCE_SECONDS", 0)
    assert reconcile(_A_DAY + _AN_HOUR) == 0
    assert Alert.objects.get().params["reason"] == "no_answer"
    assert reconcile(_A_DAY + 2 * _AN_HOUR) == 2
