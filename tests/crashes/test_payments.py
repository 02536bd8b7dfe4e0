"""A process killed at any failpoint of a payment: the customer is charged exactly once."""

from __future__ import annotations

import pytest

from partway.accounts.models import GatewayAccount
from partway.billing import links
from partway.billing.checkouts.closing import closing_later
from partway.billing.models import Payment, PayoutItem
from partway.billing.payments.refresh import refresh_payment
from partway.billing.requests import payment_requests
from partway.lib.clock import now as present
from tests.support import personas
from tests.support.sandbox_server import wait_until

from .installation import COMMIT, KillPoint, kill_at_each_failpoint
from .scenario import PAID, CrashScenario, path_of

pytestmark = [
    pytest.mark.long(3),
    pytest.mark.sampled_on("sqlite", every=5),
    pytest.mark.sampled_on("postgresql", every=15),
]

PAY = (
    *("event payment.started", *COMMIT),
    *("call start", "before start", "after start", "noted start"),
)

CAPTURE = (
    *("before fetch", "after fetch"),
    *("event payment.authorized", "event payment.capturing", *COMMIT),
    *("call capture", "before capture", "after capture", "noted capture"),
    *("event payment.succeeded", "event payment_request.paid", "event payment.fee_booked", *COMMIT),
)

PAYOUT = ("event payout.reported", "event payout.paid", *COMMIT)


@kill_at_each_failpoint(*PAY)
def test_crash_while_payment_is_started(scenario: CrashScenario, kill_point: KillPoint) -> None:
    page = scenario.dana_opens(scenario.link)
    with scenario.installation.killed_at(kill_point, f"POST {path_of(scenario.link)}pay/"):
        scenario.dana.submit(page.form(to="/pay/"))
    scenario.dana_pays()
    scenario.wait_until_settled()
    assert scenario.outcome() == PAID


@kill_at_each_failpoint("callback stored", *CAPTURE)
def test_crash_while_callback_is_booked(scenario: CrashScenario, kill_point: KillPoint) -> None:
    scenario.deliver_one_callback()
    with scenario.installation.killed_at(kill_point, f"POST /callbacks/{scenario.account.pk}/"):
        scenario.authorize()
    scenario.wait_until_settled()
    assert scenario.outcome() == PAID


@kill_at_each_failpoint(*CAPTURE)
def test_crash_while_customer_returns_to_receipt_page(scenario: CrashScenario, kill_point: KillPoint) -> None:
    scenario.drop_all_callbacks()
    receipt = links.receipt_url(scenario.authorize())
    page = scenario.dana_opens(receipt)
    with scenario.installation.killed_at(kill_point, f"POST {path_of(receipt)}state/"):
        scenario.dana.submit(page.form(to="/state/"))
    scenario.dana.submit(page.form(to="/state/")).assert_status(200)
    scenario.wait_until_settled()
    scenario.dana_opens(receipt).assert_contains("$300.00", "$700.00")
    assert scenario.outcome() == PAID


@kill_at_each_failpoint(*CAPTURE)
def test_crash_while_worker_reads_gateway_list(scenario: CrashScenario, kill_point: KillPoint) -> None:
    scenario.drop_all_callbacks()
    scenario.authorize()
    with scenario.installation.killed_at(kill_point, "job gateway_lists"):
        GatewayAccount.objects.filter(pk=scenario.account.pk).update(reconcile_at=present())
    scenario.wait_until_settled()
    assert scenario.outcome() == PAID


@kill_at_each_failpoint(*CAPTURE)
def test_crash_while_worker_refreshes_unsettled_payment(
    scenario: CrashScenario, kill_point: KillPoint
) -> None:
    scenario.drop_all_callbacks()
    payment = scenario.authorize()
    with scenario.installation.killed_at(kill_point, "job unsettled_payments"):
        Payment.objects.filter(pk=payment.pk).update(next_refresh_at=present())
    scenario.wait_until_settled()
    assert scenario.outcome() == PAID


LATE = (
    *("before fetch", "after fetch"),
    *("event payment.processing", "event payment.succeeded", "event refund.started"),
    *("event payment.fee_booked", *COMMIT),
)


@kill_at_each_failpoint(*LATE)
def test_crash_while_late_money_is_booked_with_its_refund(
    scenario: CrashScenario, kill_point: KillPoint
) -> None:
    scenario.drop_all_callbacks()
    payment = scenario.authorize()
    scenario.gateway_driver.capture(payment)
    with closing_later():
        by = personas.owner_actor(scenario.organization)
        payment_requests.cancel(scenario.request, by=by, now=present())
    with scenario.installation.killed_at(kill_point, "job unsettled_payments"):
        Payment.objects.filter(pk=payment.pk).update(next_refresh_at=present())
    scenario.wait_until_settled()
    wait_until(lambda: not payment.refunds.pending().exists(), interval_seconds=0.05)
    assert [(row.status, row.is_automatic) for row in payment.refunds.all()] == [("succeeded", True)]
    assert scenario.gateway_driver.refunded_minor(payment) == 30_000
    assert scenario.outcome().receipts == 1


LOST = (
    *("before fetch", "after fetch"),
    *("event dispute.opened", "event invoice.payment_lost", "event dispute.lost", *COMMIT),
)


@kill_at_each_failpoint(*LOST)
def test_crash_while_lost_dispute_is_booked(scenario: CrashScenario, kill_point: KillPoint) -> None:
    # No callback from the beginning, and settled here: one that was under way would book the dispute before the worker.
    scenario.drop_all_callbacks()
    payment = refresh_payment(scenario.authorize(), now=present())
    scenario.gateway_driver.decide_dispute(scenario.gateway_driver.dispute(payment, 30_000), "lost")
    due = GatewayAccount.objects.filter(pk=scenario.account.pk)
    with scenario.installation.killed_at(kill_point, "job gateway_lists"):
        due.update(reconcile_at=present())
    due.update(reconcile_at=present())  # instead of minutes after the claim of the killed worker
    lost = payment.disputes.lost()
    wait_until(lost.exists, interval_seconds=0.05)
    assert [row.counted_minor for row in lost] == [30_000]
    assert scenario.outcome() == PAID._replace(booked=0)


@kill_at_each_failpoint(*PAYOUT)
def test_crash_while_worker_reads_payouts(scenario: CrashScenario, kill_point: KillPoint) -> None:
    payment = scenario.authorize()
    scenario.wait_until_settled()
    scenario.drop_all_callbacks()
    [ref] = scenario.gateway_driver.pay_out()
    scenario.gateway_driver.settle_payout(ref, "paid")
    due = GatewayAccount.objects.filter(pk=scenario.account.pk)
    with scenario.installation.killed_at(kill_point, "job payouts"):
        due.update(payouts_due_at=present())
    due.update(payouts_due_at=present())  # instead of an hour after the claim of the killed worker
    items = PayoutItem.objects.filter(payout__gateway_ref=ref, payout__status="paid")
    wait_until(items.exists, interval_seconds=0.05)
    assert items.get().payment == payment
