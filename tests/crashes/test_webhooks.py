"""Every webhook arrives although a process is killed while its event is written, sent or recorded."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import personas
from tests.support.sandbox_server import wait_until
from tests.support.webhook_receiver import WebhookReceiver

from .installation import KillPoint, kill_at_each_failpoint
from .scenario import CrashScenario
from .test_member_actions import Dialog

pytestmark = [
    pytest.mark.sampled_on("sqlite", every=5),
    pytest.mark.sampled_on("postgresql", every=15),
]
RECORD = ("event payment.recorded", "event payment_request.canceled", "before commit", "after commit")
SEND = ("webhook webhook_endpoint.tested", "called webhook_endpoint.tested", "before commit", "after commit")


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    """A program that hears webhooks."""
    with WebhookReceiver() as receiver:
        yield receiver


@kill_at_each_failpoint(*SEND)
def test_crash_while_worker_sends_webhook(
    scenario: CrashScenario, receiver: WebhookReceiver, kill_point: KillPoint
) -> None:
    endpoint = personas.webhook_endpoint(scenario.organization, receiver.url)
    with scenario.installation.killed_at(kill_point, "job webhooks"):
        delivery = personas.webhook_delivery(endpoint)
    wait_until(lambda: endpoint.deliveries.filter(status="delivered").exists())
    is_unrecorded = SEND[1] in kill_point.passed and SEND[3] not in kill_point.passed and kill_point.kills
    assert [one.id for one in receiver.heard] == [delivery.pk] * (2 if is_unrecorded else 1)


@pytest.mark.parametrize("passed", [RECORD[:-1], RECORD], ids=["before commit", "after commit"])
def test_crash_while_act_with_webhook_is_committed(
    scenario: CrashScenario, receiver: WebhookReceiver, passed: tuple[str, ...]
) -> None:
    personas.webhook_endpoint(scenario.organization, receiver.url, "payment.recorded")
    check = {"amount": "800.00", "method": "Check"}
    dialog = Dialog(scenario, f"invoices/{scenario.invoice.pk}/payment/", **check)
    with scenario.installation.killed_at(KillPoint(passed), dialog.act):
        dialog.confirm()
    dialog.confirm().assert_status(200)
    wait_until(lambda: len(receiver.heard) == 1)
    [heard] = receiver.heard
    assert heard.said["data"]["received"] == {"amount": 80_000, "currency": "USD"}
