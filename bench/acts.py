"""The acts that are measured: A a payment request, B its page, C a payment, D the list; each as HTTP requests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Generic, TypeVar
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

import httpx
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db.models import F
from standardwebhooks import Webhook

from bench.clients import Request, Response
from partway.accounts.models import GatewayAccount, Member, User
from partway.billing import links
from partway.billing.events import member_actor
from partway.billing.models import Invoice, Payment, PaymentRequest
from partway.billing.people import gateway_accounts
from partway.config.sessions import SessionStore
from partway.gateways.registry import DEMO_GATEWAY, GATEWAYS
from partway.lib.clock import now
from partway.worker import seed

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_CSRF = "x" * 32
_NOTE = "Measured by bench."

Figures = TypeVar("Figures")
# Sends the requests, and returns what they took and the responses.
Send = Callable[[Sequence[Request]], tuple[Figures, list[Response]]]


class Acts(Generic[Figures]):
    """Makes the requests of each act for invoices of the seeded organization, each of which is used once."""

    def __init__(self) -> None:
        self.member = Member.objects.select_related("organization", "user").get(user__email=seed.OWNER)
        self.base = f"/o/{self.member.organization.slug}"
        self.signed_in = {"Cookie": f"sessionid={_session(self.member.user)}; csrftoken={_CSRF}"}
        actor = member_actor(self.member)
        self.account = gateway_accounts.connect(
            self.member.organization, gateway=DEMO_GATEWAY, credentials={}, by=actor, now=now()
        )
        self.http = httpx.Client(
            base_url=settings.PARTWAY_GATEWAY_URLS[DEMO_GATEWAY], trust_env=False, timeout=30
        )
        # The callbacks are sent from here, one after the other, to be measured by themselves.
        lost = {"kind": "callback_lost", "count": 1_000}
        key = {"Authorization": f"Bearer {self.account.credentials['api_key']}"}
        self.http.post("/v1/faults", json=lost, headers=key).raise_for_status()

    def free_invoices(self, count: int) -> list[Invoice]:
        """Returns sent invoices without an open request, of which enough is due; exits where the seed has too few."""
        invoices = Invoice.objects.for_organization(self.member.organization).filter(
            status="sent", currency="USD"
        )
        free = invoices.filter(total_minor__gt=F("amount_paid_minor") + F("adjusted_minor") + 20_000)
        found = list(free.exclude(payment_requests__status="open").order_by("-created_at")[:count])
        if len(found) < count:
            raise SystemExit("There are too few unpaid invoices: seed more of them, or ask for fewer rounds.")
        return found

    def open_requests(self) -> list[PaymentRequest]:
        """Returns the payment requests that the forms have made and nothing has paid yet."""
        rows = PaymentRequest.objects.select_related("organization", "invoice")
        return list(rows.filter(organization=self.member.organization, status="open", note=_NOTE))

    def request_forms(self, count: int) -> list[Request]:
        """A: the form of a payment request, sent."""
        fields = {
            "amount_requested": "100.00",
            "to": "dana@customer.example",
            "note": _NOTE,
            "csrfmiddlewaretoken": _CSRF,
        }
        return [
            Request(
                "POST",
                f"{self.base}/invoices/{invoice.pk}/request/",
                302,
                urlencode({**fields, "idempotency_key": uuid4().hex}).encode(),
                {**self.signed_in, **_FORM},
            )
            for invoice in self.free_invoices(count)
        ]

    def pages(self, requests: list[PaymentRequest], count: int) -> list[Request]:
        """B: the page of a payment request."""
        return [Request("GET", links.link_path(requests[number % len(requests)])) for number in range(count)]

    def lists(self, count: int) -> list[Request]:
        """D: the first page of the list of invoices."""
        return [Request("GET", f"{self.base}/invoices/", headers=self.signed_in)] * count

    def pay(self, requests: list[PaymentRequest], send: Send[Figures]) -> Iterator[tuple[str, Figures]]:
        """C: yields what each request of a payment took, from Pay to the receipt, each of many payments at once."""
        form = urlencode({"amount_minor": "10000"}).encode()
        pay = [Request("POST", f"{links.link_path(row)}pay/", 303, form, _FORM) for row in requests]
        figures, responses = send(pay)
        yield "Pay", figures
        card = {"number": GATEWAYS[DEMO_GATEWAY].test_card}
        for response in responses:
            path = urlsplit(response.headers["location"]).path
            assert self.http.post(f"{path}/pay", data=card).status_code == 303
        payments = list(
            Payment.objects.filter(payment_request__in=requests, status="pending").order_by("created_at")
        )
        figures, _ = send(self._callbacks(payments, "authorized"))
        yield "callback that books", figures
        figures, _ = send(self._callbacks(payments, "captured"))
        yield "callback of the capture", figures
        script = {"Accept": "application/json"}
        state = [
            Request("POST", f"{links.link_path(row)}state/", body=b"x=1", headers={**_FORM, **script})
            for row in payments
        ]
        figures, responses = send(state)
        assert all(json.loads(response.body) == {"stage": "succeeded"} for response in responses)
        yield "state of the return page", figures
        figures, _ = send([Request("GET", links.link_path(row)) for row in payments])
        yield "receipt", figures

    def _callbacks(self, payments: list[Payment], kind: str) -> list[Request]:
        return [_callback(self.account, payment, kind, now()) for payment in payments]


def _callback(account: GatewayAccount, payment: Payment, kind: str, at: datetime) -> Request:
    """Returns a callback as the sandbox signs and sends it."""
    event_id = uuid4().hex
    event = {
        "id": event_id,
        "type": f"checkout.{kind}",
        "created": at.isoformat(),
        "data": {"checkout": payment.checkout_ref},
    }
    body = json.dumps(event)
    headers = {
        "Content-Type": "application/json",
        "Webhook-Id": event_id,
        "Webhook-Timestamp": str(int(at.timestamp())),
        "Webhook-Signature": Webhook(account.credentials["signing_secret"]).sign(event_id, at, body),
    }
    return Request("POST", f"/callbacks/{account.pk}/", 200, body.encode(), headers)


def _session(user: User) -> str:
    """Signs a user in and returns the key of the session, as its cookie has it."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)
