"""A process killed at any failpoint of a member's act: the act is done, or can be repeated."""

from __future__ import annotations

import pytest

from partway.billing.models import Event
from partway.worker.tour.browser import Page
from tests.support.sandbox_server import wait_until

from .installation import COMMIT, KillPoint, kill_at_each_failpoint
from .scenario import CANCELED, PAID, CrashScenario, Outcome

pytestmark = [
    pytest.mark.long(3),
    pytest.mark.sampled_on("sqlite", every=5),
    pytest.mark.sampled_on("postgresql", every=15),
]


CANCEL = (
    *("event payment_request.canceled", "event payment.closing", *COMMIT),
    *("call close", "before close", "after close", "noted close"),
    *("event payment.canceled", *COMMIT),
)
RECORD = (
    *("event payment.recorded", "event payment_request.canceled", "event payment.closing", *COMMIT),
    *("call close", "before close", "after close", "noted close"),
    *("event payment.canceled", *COMMIT),
)
REVERSE = ("event payment.reversed", "event invoice.reopened", *COMMIT)
SETTLE = (*("event invoice.settled", "event payment_request.canceled", "event invoice.paid", *COMMIT),)
REFUND = (*("event invoice.payment_refunded", "event invoice.reopened", "event refund.succeeded", *COMMIT),)
RESEND = ("event payment_request.resent", *COMMIT)
SEND = ("mail payment_request", "sent payment_request", *COMMIT)


_SENT = (
    *("call refund", "before refund", "after refund", "noted refund"),
    *("event refund.fee_booked", "event refund.succeeded", *COMMIT),
)
SEND_BACK = ("event invoice.payment_refunded", "event refund.started", *COMMIT, *_SENT)
VOID = ("event invoice.payment_refunded", "event refund.started", "event invoice.voided", *COMMIT, *_SENT)


class Dialog:
    """A dialog that the owner submits, possibly twice; `typed` replaces values of its fields."""

    def __init__(self, scenario: CrashScenario, path: str, **typed: str) -> None:
        self.path = scenario.path(path)
        self.act = f"POST {self.path}"
        self._alice = scenario.alice
        self._typed = typed
        scenario.alice_signs_in()
        self._form = scenario.alice_opens(self.path).form(to=self.path)

    def confirm(self) -> Page:
        """Submits the open dialog."""
        return self._alice.submit(self._form, **self._typed)


def dialog_of(scenario: CrashScenario, act: str) -> Dialog:
    """Opens a dialog of the open request."""
    return Dialog(scenario, f"requests/{scenario.request.pk}/{act}/")


@kill_at_each_failpoint(*CANCEL)
def test_crash_while_request_is_canceled(scenario: CrashScenario, kill_point: KillPoint) -> None:
    scenario.drop_all_callbacks()
    payment, dialog = scenario.start(), dialog_of(scenario, "cancel")
    with scenario.installation.killed_at(kill_point, dialog.act):
        dialog.confirm()
    dialog.confirm().assert_status(200).assert_contains("is canceled")
    scenario.dana.open(scenario.link).assert_status(410).assert_contains("canceled")
    scenario.wait_until_settled()
    assert scenario.gateway_driver.pay(payment).status_code == 410
    assert scenario.outcome() == CANCELED


@kill_at_each_failpoint(*CANCEL)
def test_crash_while_request_is_canceled_and_customer_pays(
    scenario: CrashScenario, kill_point: KillPoint
) -> None:
    scenario.drop_all_callbacks()
    payment, dialog = scenario.start(), dialog_of(scenario, "cancel")
    with scenario.installation.killed_at(
        kill_point, dialog.act, meanwhile=lambda: scenario.gateway_driver.pay(payment)
    ):
        dialog.confirm()
    scenario.wait_until_settled()
    canceled = "after commit" in kill_point.passed
    assert scenario.outcome() == (CANCELED if canceled else PAID)
    dialog.confirm().assert_contains("is canceled" if canceled else "Too late")


@kill_at_each_failpoint(*RESEND)
def test_crash_while_request_is_resent(scenario: CrashScenario, kill_point: KillPoint) -> None:
    dialog = dialog_of(scenario, "resend")
    with scenario.installation.killed_at(kill_point, dialog.act):
        dialog.confirm()
    dialog.confirm().assert_status(200).assert_contains("is on its way again")
    arrived = [one["Message-ID"] for one in scenario.mails()]
    # The form was sent twice, and its one-time key lets it act once, whether or not the first had committed (P8).
    assert Event.objects.filter(payment_request=scenario.request, type="payment_request.resent").count() == 1
    assert len(set(arrived)) == len(arrived) == 2


@kill_at_each_failpoint(*SEND)
def test_crash_while_worker_sends_mail(scenario: CrashScenario, kill_point: KillPoint) -> None:
    dialog = dialog_of(scenario, "resend")
    [first] = scenario.mails()
    with scenario.installation.killed_at(kill_point, "job mails"):
        dialog.confirm().assert_status(200).assert_contains("is on its way again")
    resent_ids = [one["Message-ID"] for one in scenario.mails()[1:]]
    noted = "after commit" in kill_point.passed or "sent payment_request" not in kill_point.passed
    assert len(resent_ids) == (1 if noted else 2)
    assert len({first["Message-ID"], *resent_ids}) == 2


@kill_at_each_failpoint(*RECORD)
def test_crash_while_offline_payment_is_recorded(scenario: CrashScenario, kill_point: KillPoint) -> None:
    scenario.drop_all_callbacks()
    online = scenario.start()
    check = {"amount": "800.00", "method": "Check"}
    dialog = Dialog(scenario, f"invoices/{scenario.invoice.pk}/payment/", **check)
    with scenario.installation.killed_at(kill_point, dialog.act):
        dialog.confirm()
    dialog.confirm().assert_status(200).assert_contains("$800.00", "$200.00")
    scenario.wait_until_settled()
    assert scenario.gateway_driver.pay(online).status_code == 410
    assert scenario.outcome(online) == Outcome("canceled", "canceled", [], 80_000, 1)
    recorded = scenario.organization.payments.exclude(pk=online.pk)
    assert [(payment.status, payment.captured_minor) for payment in recorded] == [("succeeded", 80_000)]


@kill_at_each_failpoint(*REVERSE)
def test_crash_while_offline_payment_is_reversed(scenario: CrashScenario, kill_point: KillPoint) -> None:
    check = scenario.record_check_in_full()
    dialog = Dialog(scenario, f"payments/{check.pk}/reverse/", reason="It bounced.")
    with scenario.installation.killed_at(kill_point, dialog.act):
        dialog.confirm()
    dialog.confirm().assert_status(200)
    check.refresh_from_db()
    scenario.invoice.refresh_from_db()
    assert (check.status, scenario.invoice.status, scenario.invoice.amount_paid_minor) == (
        "reversed",
        "sent",
        0,
    )
    assert Event.objects.filter(payment=check, type="payment.reversed").count() == 1


@kill_at_each_failpoint(*SETTLE)
def test_crash_while_rest_is_settled(scenario: CrashScenario, kill_point: KillPoint) -> None:
    goodwill = {"settle_reason": "goodwill", "is_large_confirmed": "on"}
    dialog = Dialog(scenario, f"invoices/{scenario.invoice.pk}/settle/", **goodwill)
    with scenario.installation.killed_at(kill_point, dialog.act):
        dialog.confirm()
    dialog.confirm().assert_status(200)
    scenario.invoice.refresh_from_db()
    scenario.request.refresh_from_db()
    assert (scenario.invoice.status, scenario.invoice.adjusted_minor) == ("paid", 100_000)
    assert scenario.request.cancel_reason == "invoice_paid"
    assert scenario.invoice.adjustments.count() == 1


@kill_at_each_failpoint(*REFUND)
def test_crash_while_refund_is_recorded(scenario: CrashScenario, kill_point: KillPoint) -> None:
    check = scenario.record_check_in_full()
    typed = {"amount": "300.00", "method": "Cash"}
    dialog = Dialog(scenario, f"payments/{check.pk}/refund/", **typed)
    with scenario.installation.killed_at(kill_point, dialog.act):
        dialog.confirm()
    dialog.confirm().assert_status(200)
    scenario.invoice.refresh_from_db()
    assert (scenario.invoice.status, scenario.invoice.amount_due_minor) == ("sent", 30_000)
    assert [refund.amount_minor for refund in check.refunds.all()] == [30_000]


@kill_at_each_failpoint(*SEND_BACK)
def test_crash_while_refund_is_sent(scenario: CrashScenario, kill_point: KillPoint) -> None:
    payment = scenario.authorize()
    scenario.wait_until_settled()
    scenario.drop_all_callbacks()
    typed = {"amount": "100.00", "reason": "complaint"}
    dialog = Dialog(scenario, f"payments/{payment.pk}/gateway-refund/", **typed)
    with scenario.installation.killed_at(kill_point, dialog.act):
        dialog.confirm()
    dialog.confirm().assert_status(200)
    wait_until(lambda: not payment.refunds.pending().exists(), interval_seconds=0.05)
    scenario.invoice.refresh_from_db()
    assert [refund.status for refund in payment.refunds.all()] == ["succeeded"]
    assert scenario.invoice.amount_due_minor == 80_000
    assert scenario.gateway_driver.refunded_minor(payment) == 10_000


@kill_at_each_failpoint(*VOID)
def test_crash_while_paid_invoice_is_voided(scenario: CrashScenario, kill_point: KillPoint) -> None:
    payment = scenario.authorize()
    scenario.wait_until_settled()
    scenario.drop_all_callbacks()
    typed = {f"payments.{payment.pk}.way": "gateway", "is_confirmed": "yes"}
    dialog = Dialog(scenario, f"invoices/{scenario.invoice.pk}/void/", **typed)
    with scenario.installation.killed_at(kill_point, dialog.act):
        dialog.confirm()
    dialog.confirm().assert_status(200)
    wait_until(lambda: not payment.refunds.pending().exists(), interval_seconds=0.05)
    scenario.invoice.refresh_from_db()
    assert [refund.status for refund in payment.refunds.all()] == ["succeeded"]
    assert (scenario.invoice.status, scenario.invoice.amount_paid_minor) == ("void", 0)
    assert scenario.gateway_driver.refunded_minor(payment) == 30_000
