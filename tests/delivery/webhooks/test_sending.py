"""Deliveries arrive signed, with the object as it was, in order, whatever the receiver does."""

from __future__ import annotations

from partway.billing.models import Customer
from tests.delivery.webhooks.conftest import Committed, Subscription
from tests.support import personas
from tests.support.webhook_receiver import WebhookReceiver


def test_receiver_hears_event_with_its_object_signed(
    subscription: Subscription, receiver: WebhookReceiver, dana: Customer, committed: Committed
) -> None:
    with committed():
        invoice = personas.sent_invoice(dana)
    subscription.send()
    [heard] = receiver.heard
    said = heard.verify(subscription.secret)
    assert (said["type"], said["object"], said["data"]["id"]) == ("invoice.sent", "invoice", invoice.pk)
    assert (said["data"]["status"], said["data"]["amount_due"], said["data"]["url"]) == (
        "sent",
        100_000,
        None,
    )
    [delivery] = subscription.deliveries
    assert (delivery.pk, delivery.status, delivery.attempts.get().response_status) == (
        heard.id,
        "delivered",
        200,
    )
