"""An endpoint of alder at a receiver on this machine, which webhooks may reach here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from partway.accounts.models import Organization
from partway.billing.models import Customer, WebhookDelivery, WebhookEndpoint
from partway.billing.people import webhook_endpoints
from partway.billing.people.webhook_endpoints import EndpointDetails
from partway.delivery.webhooks.sending import Sender
from partway.lib.clock import now
from tests.support import personas
from tests.support.webhook_receiver import WebhookReceiver


@dataclass
class Subscription:
    """An endpoint with its secret; `send` runs the job once, in a worker of its own."""

    endpoint: WebhookEndpoint
    secret: str
    sender: Sender = field(default_factory=Sender)

    @classmethod
    def at(cls, organization: Organization, url: str, *types: str) -> Subscription:
        """Creates an endpoint as the owner; without types it hears of every event."""
        details = EndpointDetails(url, types or ("*",))
        owner = personas.owner_actor(organization)
        return cls(*webhook_endpoints.create(organization, details=details, by=owner, now=now()))

    def send(self, **later: float) -> None:
        """Sends what is due, `later` than now, as hours=2."""
        self.sender.send_due(now=now() + timedelta(**later))

    @property
    def deliveries(self) -> list[WebhookDelivery]:
        """The deliveries, oldest first."""
        return list(self.endpoint.deliveries.order_by("pk"))


Committed = Callable[[], AbstractContextManager[Any]]


@pytest.fixture(autouse=True)
def _local_network(settings: Settings) -> None:
    settings.PARTWAY_WEBHOOK_ALLOW_NETWORKS = ["127.0.0.0/8"]


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    """A program that hears webhooks."""
    with WebhookReceiver() as receiver:
        yield receiver


@pytest.fixture
def subscription(organization: Organization, receiver: WebhookReceiver) -> Subscription:
    """An endpoint at the receiver, which hears of invoices that were sent, canceled requests and new customers."""
    return Subscription.at(
        organization, receiver.url, "invoice.sent", "payment_request.canceled", "customer.created"
    )


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Any) -> Committed:
    """A block that ends as a transaction does that is committed."""
    return partial(django_capture_on_commit_callbacks, execute=True)


@pytest.fixture
def dana(subscription: Subscription) -> Customer:
    """A customer of alder."""
    return personas.customer(subscription.endpoint.organization)
