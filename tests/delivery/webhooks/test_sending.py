"""Deliveries arrive signed, with the object as it was, in order, and again until they are accepted."""

from __future__ import annotations

import contextlib
import json
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings
from standardwebhooks.webhooks import WebhookVerificationError

from partway.accounts.before_commit import before_commit
from partway.accounts.models import Organization
from partway.billing.errors import Invalid, field_error
from partway.billing.events import OPERATOR, Actor
from partway.billing.models import Customer, Mail, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from partway.billing.people import webhook_deliveries, webhook_endpoints
from partway.billing.people.webhook_deliveries import BACK_OFF, Outcome
from partway.billing.people.webhook_endpoints import EndpointDetails
from partway.billing.webhook_queue import EVENT_TYPES, Told
from partway.delivery.mail import rendering
from partway.delivery.webhooks.sending import HOLDING_ATTEMPTS, LEASE, Sender, claim_next
from partway.lib.clock import now
from tests.delivery.webhooks.conftest import Committed, Subscription
from tests.support import personas
from tests.support.concurrency import run_behind_open_transaction
from tests.support.webhook_receiver import WebhookReceiver, accept, status


@pytest.fixture
def alice(organization: Organization) -> Actor:
    return personas.owner_actor(organization)


def queue(subscription: Subscription, *ages: int) -> list[WebhookDelivery]:
    """Queues tests of so many seconds ago, which are about one object."""
    endpoint = subscription.endpoint
    by = personas.owner_actor(endpoint.organization)
    return [webhook_deliveries.send_test(endpoint, by=by, now=now() - timedelta(seconds=age)) for age in ages]


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
    assert "expanded" not in said["data"]
    [delivery] = subscription.deliveries
    assert (delivery.pk, delivery.status, delivery.attempts.get().response_status) == (
        heard.id,
        "delivered",
        200,
    )


def test_body_shows_the_object_as_it_was_however_late_it_is_sent(
    subscription: Subscription, receiver: WebhookReceiver, dana: Customer, committed: Committed
) -> None:
    with committed():
        invoice = personas.sent_invoice(dana)
    personas.record_check(invoice, 30_000)
    subscription.send()
    assert receiver.heard[0].said["data"]["amount_paid"] == 0


def test_endpoint_hears_only_of_its_types_and_organization(
    subscription: Subscription, receiver: WebhookReceiver, dana: Customer, committed: Committed
) -> None:
    other = Subscription.at(personas.mallory().organization, receiver.url)
    disabled = Subscription.at(subscription.endpoint.organization, receiver.url)
    webhook_endpoints.set_enabled(disabled.endpoint, on=False, by=OPERATOR, now=now())
    with committed():
        personas.request_payment(personas.sent_invoice(dana))
    assert [one.event_type for one in subscription.deliveries] == ["invoice.sent"]
    assert other.deliveries == disabled.deliveries == []


@pytest.mark.django_db(transaction=True)
def test_delivery_is_written_before_the_commit_with_what_the_whole_act_did(
    organization: Organization, receiver: WebhookReceiver
) -> None:
    invoice = personas.sent_invoice(personas.customer(organization))
    subscription = Subscription.at(organization, receiver.url, "payment.recorded", "invoice.paid")
    invoice.refresh_from_db()
    personas.record_check(invoice, 100_000)
    recorded, paid = (json.loads(one.payload) for one in subscription.deliveries)
    # The event of the payment is written before its money is put on the invoice.
    assert recorded["data"]["allocations"] == [{"invoice": invoice.pk, "amount": 100_000}]
    assert (paid["type"], paid["data"]["payment_status"]) == ("invoice.paid", "paid")


@pytest.mark.django_db(transaction=True)
def test_organization_without_endpoints_pays_no_statement(organization: Organization) -> None:
    dana = personas.customer(organization)
    with CaptureQueriesContext(connection) as queries:
        invoice = personas.sent_invoice(dana)
        personas.captured_payment(invoice, 30_000, request=personas.request_payment(invoice))
        personas.record_check(invoice, 10_000)
        personas.accept_quote(personas.sent_quote(dana))
    assert len(queries) > 30
    assert not [query["sql"] for query in queries if "webhookendpoint" in query["sql"]]


def test_body_of_every_kind_of_object_has_the_object(
    organization: Organization, receiver: WebhookReceiver, committed: Committed
) -> None:
    subscription = Subscription.at(organization, receiver.url)
    with committed():
        quote = personas.accept_quote(personas.sent_quote(personas.customer(organization)))
        invoice = personas.sent_invoice(quote.customer)
        payment = personas.captured_payment(invoice, 30_000, request=personas.request_payment(invoice))
        personas.dispute(payment, 1_000, "lost")
        personas.give_back(personas.record_check(invoice, 10_000), 1_000)
        personas.pay_out(organization, personas.payout_item())
    said = [(one, json.loads(one.payload)) for one in subscription.deliveries]
    assert {body["object"] for _, body in said} == set(EVENT_TYPES.values())
    assert all(body["data"]["id"] == one.object_id for one, body in said)


@pytest.mark.django_db(transaction=True)
def test_event_that_is_rolled_back_has_no_delivery(subscription: Subscription, dana: Customer) -> None:
    with transaction.atomic():
        personas.customer(dana.organization, "Kim Moss")
        with contextlib.suppress(ObjectDoesNotExist), transaction.atomic():
            personas.customer(dana.organization, "Lou Reed")
            raise ObjectDoesNotExist
        assert len(subscription.deliveries) == 1  # that of Dana
    assert [json.loads(one.payload)["data"]["name"] for one in subscription.deliveries] == [
        dana.name,
        "Kim Moss",
    ]


@pytest.mark.django_db(transaction=True)
def test_act_is_committed_although_its_webhook_cannot_be_written(
    subscription: Subscription, settings: Settings
) -> None:
    settings.PARTWAY_WEBHOOK_PAYLOADS = "tests.delivery.webhooks.test_sending.broken"
    customer = personas.customer(subscription.endpoint.organization)
    [delivery] = subscription.deliveries
    assert Customer.objects.get().pk == customer.pk == delivery.object_id
    assert json.loads(delivery.payload)["data"] is None


def broken(*_: object) -> list[str]:
    """Fails as a database does, in the middle of a transaction."""
    Customer.objects.raw("SELECT nothing")[0]
    return []


@pytest.mark.django_db(transaction=True)
def test_error_before_the_commit_undoes_the_act(organization: Organization) -> None:
    def fail(_items: object) -> None:
        raise LookupError

    @transaction.atomic
    def act() -> None:
        personas.customer(organization)
        before_commit(fail, None)

    with pytest.raises(LookupError):
        act()
    assert not Customer.objects.exists()
    assert personas.customer(organization)


@pytest.mark.django_db(transaction=True)
def test_endpoint_deleted_at_the_commit_of_an_act_does_not_undo_it(
    subscription: Subscription, settings: Settings, alice: Actor
) -> None:
    endpoint, ended = subscription.endpoint, Event()

    def delete() -> None:
        webhook_endpoints.delete(WebhookEndpoint.objects.get(pk=endpoint.pk), by=alice, now=now())
        connection.close()
        ended.set()

    Deleting.thread = Thread(target=delete)
    Deleting.ended = ended
    settings.PARTWAY_WEBHOOK_PAYLOADS = "tests.delivery.webhooks.test_sending.Deleting"
    customer = personas.customer(endpoint.organization)
    Deleting.thread.join()
    assert Customer.objects.get().pk == customer.pk
    assert not WebhookEndpoint.objects.exists()
    assert not WebhookDelivery.objects.exists()


class Deleting(list[str]):
    """The bodies of webhooks, during which another process deletes their endpoint."""

    thread: Thread
    ended: Event

    def __init__(self, _organization: Organization, told: list[Told]) -> None:
        self.thread.start()
        self.ended.wait(0.5)  # it cannot end before the act, so that this is the usual wait
        super().__init__("{}" for _ in told)


def test_rotated_secret_signs_beside_the_old_one_until_that_ends(
    subscription: Subscription, receiver: WebhookReceiver, alice: Actor
) -> None:
    endpoint, hour = subscription.endpoint, timedelta(hours=1)
    began = now() - 2 * hour
    new = webhook_endpoints.rotate_secret(endpoint, by=alice, now=began, old_secret_lifetime=3 * hour)
    newest = webhook_endpoints.rotate_secret(endpoint, by=alice, now=began, old_secret_lifetime=hour)
    queue(subscription, 0)
    subscription.send()
    [heard] = receiver.heard
    assert heard.verify(newest)["type"] == "webhook_endpoint.tested"
    assert heard.verify(subscription.secret)
    with pytest.raises(WebhookVerificationError):
        heard.verify(new)  # it was to sign for one hour more, which is over


def test_later_delivery_of_an_object_waits_for_the_earlier_one(
    subscription: Subscription, receiver: WebhookReceiver, dana: Customer, committed: Committed
) -> None:
    first, second = queue(subscription, 2, 1)
    with committed():
        personas.sent_invoice(dana)  # another object, which waits for nothing
    receiver.respond = lambda handler, heard: status(500 if heard.id == first.pk else 200)(handler, heard)
    subscription.send()
    assert [one.id for one in receiver.heard] == [first.pk, subscription.deliveries[2].pk]
    receiver.respond = accept
    subscription.send(seconds=11)
    assert [one.id for one in receiver.heard][2:] == [first.pk, second.pk]


def test_delivery_that_is_refused_for_long_holds_up_no_other(
    subscription: Subscription, receiver: WebhookReceiver
) -> None:
    first, second = queue(subscription, 2, 1)
    WebhookDelivery.objects.filter(pk=first.pk).update(attempt_count=HOLDING_ATTEMPTS - 1)
    receiver.respond = lambda handler, heard: status(400 if heard.id == first.pk else 200)(handler, heard)
    subscription.send()
    assert [one.id for one in receiver.heard] == [first.pk, second.pk]


def test_endpoint_whose_deliveries_are_held_is_not_looked_through_again_at_once(
    subscription: Subscription, receiver: WebhookReceiver, django_assert_max_num_queries: Any
) -> None:
    first, second = queue(subscription, 2, 1)
    receiver.respond = status(400)
    subscription.send()
    assert [one.id for one in receiver.heard] == [first.pk]
    with django_assert_max_num_queries(1):
        subscription.sender._start_due(now() + timedelta(seconds=1))
    receiver.respond = accept
    subscription.send(seconds=11)
    assert [one.id for one in receiver.heard] == [first.pk, first.pk, second.pk]


def test_delivery_fails_after_three_days_and_the_endpoint_is_disabled_with_a_mail(
    subscription: Subscription, receiver: WebhookReceiver
) -> None:
    [delivery] = queue(subscription, 0)
    receiver.respond = status(500, b"out of order")
    waited = timedelta(0)
    for wait in (timedelta(0), *BACK_OFF):
        waited += wait + timedelta(seconds=1)
        subscription.send(seconds=waited.total_seconds())
    delivery.refresh_from_db()
    subscription.endpoint.refresh_from_db()
    assert (delivery.status, len(receiver.heard)) == ("failed", len(BACK_OFF) + 1)
    assert (subscription.endpoint.status, subscription.endpoint.disabled_reason) == ("disabled", "failing")
    assert subscription.endpoint.organization.has_webhooks is False
    mail = rendering.message(Mail.objects.get(kind="webhook_endpoint_disabled"))
    assert (mail.to, receiver.url in mail.body) == (["alice@alder.example"], True)
    attempt = WebhookAttempt.objects.filter(delivery=delivery).latest("number")
    assert (attempt.response_body, attempt.error_code) == ("out of order", "status")


def test_endpoint_with_successes_is_not_disabled_for_one_delivery_that_fails(
    subscription: Subscription, receiver: WebhookReceiver
) -> None:
    first, _second = queue(subscription, 2, 1)
    WebhookDelivery.objects.filter(pk=first.pk).update(attempt_count=len(BACK_OFF))
    receiver.respond = lambda handler, heard: status(400 if heard.id == first.pk else 200)(handler, heard)
    subscription.send()
    first.refresh_from_db()
    subscription.endpoint.refresh_from_db()
    assert (first.status, subscription.endpoint.failing_since) == ("failed", None)


def test_endpoint_that_has_succeeded_meanwhile_is_not_disabled(subscription: Subscription) -> None:
    webhook_endpoints.disable_failing(subscription.endpoint, reason="failing", now=now())
    assert subscription.endpoint.status == "enabled"


def test_endpoint_that_is_gone_is_disabled_at_once(
    subscription: Subscription, receiver: WebhookReceiver
) -> None:
    queue(subscription, 2, 1)
    receiver.respond = status(410)
    subscription.send()
    subscription.endpoint.refresh_from_db()
    assert (subscription.endpoint.disabled_reason, len(receiver.heard)) == ("gone", 1)


def test_endpoint_that_moved_during_the_call_is_not_gone(
    subscription: Subscription, receiver: WebhookReceiver, alice: Actor
) -> None:
    [delivery] = queue(subscription, 1)
    endpoint = WebhookEndpoint.objects.get(pk=subscription.endpoint.pk)
    delivery.endpoint = endpoint
    moved = EndpointDetails(receiver.url + "new", ["*"])
    WebhookEndpoint.objects.update(silence_count=3, paused_until=now() + timedelta(minutes=5))
    webhook_endpoints.change(subscription.endpoint, details=moved, by=alice, now=now())
    webhook_deliveries.record_attempt(delivery, Outcome(status=410, error_code="status"), now=now())
    endpoint.refresh_from_db()
    assert (endpoint.status, endpoint.silence_count, endpoint.paused_until) == ("enabled", 0, None)


def test_delivery_that_could_not_be_started_is_tried_again(
    subscription: Subscription, receiver: WebhookReceiver
) -> None:
    queue(subscription, 1)
    endpoint = subscription.endpoint
    endpoint.secrets = {"whsec_a": ""}
    endpoint.save()
    with pytest.raises(ValueError, match="base64"):
        subscription.send()
    endpoint.secrets = {subscription.secret: ""}
    endpoint.save()
    subscription.send(minutes=3)
    assert len(receiver.heard) == 1


def test_busy_endpoint_rests_as_long_as_it_asks(
    subscription: Subscription, receiver: WebhookReceiver
) -> None:
    queue(subscription, 2)
    receiver.respond = status(429, Retry_After="600")
    subscription.send()
    subscription.send(minutes=9)
    assert len(receiver.heard) == 1
    subscription.send(minutes=11)
    assert len(receiver.heard) == 2


def test_delivery_is_sent_again_by_hand_under_its_id(
    subscription: Subscription, receiver: WebhookReceiver, alice: Actor
) -> None:
    [delivery] = queue(subscription, 0)
    subscription.send()
    for _ in range(2):  # a double click
        webhook_deliveries.retry(delivery, by=alice, now=now(), idempotency_key="form-1")
    subscription.send()
    assert [one.id for one in receiver.heard] == [delivery.pk] * 2


@pytest.mark.parametrize(("everything", "expected"), [(False, [1]), (True, [1, 2])])
def test_range_sends_again_what_failed_or_all_in_its_order(
    subscription: Subscription, receiver: WebhookReceiver, alice: Actor, everything: bool, expected: list[int]
) -> None:
    made = queue(subscription, 7200, 60, 50, 0)
    ended = WebhookDelivery.objects.filter(pk__in=[one.pk for one in made[:3]])
    ended.update(status="failed", ended_at=now(), attempt_count=10)
    ended.filter(pk=made[2].pk).update(status="delivered")
    webhook_deliveries.retry_range(
        subscription.endpoint,
        since=now() - timedelta(hours=1),
        until=now(),
        include_delivered=everything,
        by=alice,
        now=now(),
    )
    subscription.send()
    assert [one.id for one in receiver.heard] == [*(made[number].pk for number in expected), made[3].pk]


def test_range_of_too_many_deliveries_is_refused(
    subscription: Subscription, alice: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = queue(subscription, 2, 1, 0)
    WebhookDelivery.objects.update(status="failed", ended_at=now())
    monkeypatch.setattr(webhook_deliveries, "MAX_RETRIED", 2)
    span: dict[str, Any] = {"since": now() - timedelta(hours=1), "by": alice, "now": now()}
    with pytest.raises(Invalid) as refused:
        webhook_deliveries.retry_range(subscription.endpoint, until=now(), **span)
    assert refused.value.fields["created_until"] == field_error("range_too_large", limit=2)
    until = made[1].created_at
    assert webhook_deliveries.retry_range(subscription.endpoint, until=until, **span) == 2


def test_repeated_range_says_what_it_did_whatever_has_failed_since(
    subscription: Subscription, alice: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = queue(subscription, 2, 1, 0)
    WebhookDelivery.objects.exclude(pk=made[2].pk).update(status="failed", ended_at=now())
    monkeypatch.setattr(webhook_deliveries, "MAX_RETRIED", 2)
    span: dict[str, Any] = {"since": now() - timedelta(hours=1), "until": now(), "by": alice, "now": now()}
    for _ in range(2):
        sent = webhook_deliveries.retry_range(subscription.endpoint, idempotency_key="form-1", **span)
        assert sent == 2
        WebhookDelivery.objects.update(status="failed", ended_at=now())


def test_delivery_is_claimed_by_one_worker_until_its_lease_ends(subscription: Subscription) -> None:
    queue(subscription, 0)
    assert claim_next(subscription.endpoint, now())
    assert claim_next(subscription.endpoint, now()) is None
    assert claim_next(subscription.endpoint, now() + LEASE)


def test_old_deliveries_are_deleted_and_waiting_ones_stay(subscription: Subscription) -> None:
    old, waiting = queue(subscription, 2, 1)
    subscription.send()
    WebhookDelivery.objects.filter(pk=waiting.pk).update(status="pending", ended_at=None)
    later = now() + timedelta(days=61)
    assert webhook_deliveries.delete_old(now=later) == 1
    assert subscription.deliveries == [waiting]
    assert not WebhookAttempt.objects.filter(delivery=old.pk).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.locks
def test_old_delivery_that_is_sent_again_at_this_moment_is_not_deleted(
    subscription: Subscription, alice: Actor
) -> None:
    [old] = queue(subscription, 0)
    WebhookDelivery.objects.update(status="failed", ended_at=now())
    later = now() + timedelta(days=61)
    deleted = run_behind_open_transaction(
        lambda: webhook_deliveries.retry(old, by=alice, now=later),
        lambda: webhook_deliveries.delete_old(now=later),
    )
    assert (deleted, [one.status for one in subscription.deliveries]) == (0, ["pending"])


def test_endpoint_deleted_while_it_is_called_leaves_nothing(
    subscription: Subscription, receiver: WebhookReceiver, alice: Actor
) -> None:
    queue(subscription, 0)
    sender = Sender()
    sender._start_due(now())
    webhook_endpoints.delete(subscription.endpoint, by=alice, now=now())
    sender.send_due(now=now())
    assert (len(receiver.heard), WebhookAttempt.objects.count()) == (1, 0)
