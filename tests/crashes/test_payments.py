"""A process killed at any failpoint of a payment: the customer is charged exactly once."""

from __future__ import annotations

import pytest

from partway.accounts.models import GatewayAccount
from partway.billing import links
from partway.billing.models import Payment
from partway.lib.clock import now as present

from .installation import COMMIT, KillPoint, kill_at_each_failpoint
from .scenario import PAID, CrashScenario, path_of

pytestmark = [
    pytest.mark.long(3),
    pytest.mark.sampled_on("sqlite", every=5),
    pytest.mark.sampled_on("postgresql", every=15),
]

PAY = (
    *("event payment.started", *COMMIT),
    *("call start", *COMMIT, "before start", "after start", "noted start"),
)

CAPTURE = (
    *("before fetch", "after fetch"),
    *("event payment.authorized", "event payment.capturing", *COMMIT),
    *("call capture", *COMMIT, "before capture", "after capture", "noted capture"),
    *("event payment.succeeded", "event payment_request.paid", *COMMIT),
)


@kill_at_each_failpoint(*PAY)
def test_crash_while_payment_is_started(scenario: CrashScenario, kill_point: KillPoint) -> None:
    page = scenario.dana_opens(scenario.link)
    with scenario.installation.killed_at(kill_point, f"POST {path_of(scenario.link)}pay/"):
        scenario.dana.submit(page.form(to="/pay/"))
    scenario.dana_pays()
    scenario.wait_until_settled()
    assert scenario.outcome() == PAID


@kill_at_each_failpoint(*COMMIT, *CAPTURE)
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
