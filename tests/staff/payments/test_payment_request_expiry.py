"""Expiry of a payment link: the default of the settings, the dialog, and the invoice page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from partway.accounts.models import Organization
from partway.billing.models import Invoice, Mail, PaymentRequest
from partway.billing.requests import payment_requests
from partway.lib import clock
from partway.lib.clock import now
from tests.staff.invoices.test_detail import page_of, text_of
from tests.support import personas

ZONE = "America/New_York"
SETTINGS = "/o/alder/settings/payments/"
GOOD = {"to": "dana@customer.example", "amount_requested": "300.00", "idempotency_key": "key-1"}


def send(client: Client, invoice: Invoice, expires_at: str) -> Any:
    return client.post(f"/o/alder/invoices/{invoice.pk}/request/", {**GOOD, "expires_at": expires_at})


def customer_suggestions(client: Client, invoice: Invoice) -> str:
    form = client.get(f"/o/alder/invoices/{invoice.pk}/request/").context["form"]
    return str(form["expires_at"].value())


def set_days(client: Client, days: str) -> Any:
    return client.post(SETTINGS, {"operation": "expiry", "request_expires_days": days})


# Settings


def test_requests_do_not_expire_unless_owner_sets_default(
    alice: Client, bob: Client, invoice: Invoice
) -> None:
    assert customer_suggestions(bob, invoice) == ""
    assert set_days(alice, "30").status_code == 302
    assert 'value="30"' in alice.get(SETTINGS).content.decode()
    assert customer_suggestions(bob, invoice) == (clock.today(now(), ZONE) + timedelta(days=30)).isoformat()


def test_clearing_default_request_expiry_removes_expiry(alice: Client, organization: Organization) -> None:
    Organization.objects.update(request_expires_days=30)
    set_days(alice, "")
    organization.refresh_from_db()
    assert organization.request_expires_days is None


@pytest.mark.parametrize(
    ("typed", "message"), [("0", "Enter 1 to 365"), ("366", "Enter 1 to 365"), ("a month", "whole number")]
)
def test_invalid_default_request_expiry_is_refused_and_kept(alice: Client, typed: str, message: str) -> None:
    response = set_days(alice, typed)
    assert response.status_code == 422
    assert message in response.context["form"].errors["request_expires_days"][0]
    assert f'value="{typed}"' in response.content.decode()


# The dialog


def test_request_expires_at_end_of_day_in_organization_time_zone(bob: Client, invoice: Invoice) -> None:
    day = clock.today(now(), ZONE)
    send(bob, invoice, day.isoformat())
    assert PaymentRequest.objects.get().expires_at == clock.end_of_day(day, ZONE)


def test_empty_request_expiry_overrides_default(bob: Client, invoice: Invoice) -> None:
    Organization.objects.update(request_expires_days=30)
    send(bob, invoice, "")
    assert PaymentRequest.objects.get().expires_at is None


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("2020-01-01", "still to come"),
        ("soon", "Enter a date"),
        ("9999-12-31", "between 1970 and 2199"),
        ("0001-01-01", "between 1970 and 2199"),
    ],
)
def test_invalid_request_expiry_is_refused_on_field(
    bob: Client, invoice: Invoice, typed: str, message: str
) -> None:
    response = send(bob, invoice, typed)
    assert response.status_code == 422
    assert message in response.context["form"].errors["expires_at"][0]
    assert f'value="{typed}"' in response.content.decode()
    assert not PaymentRequest.objects.exists()


# The invoice


@pytest.fixture
def open_request(invoice: Invoice) -> PaymentRequest:
    """An open request that expires at the end of a day in a far year."""
    open_request = personas.request_payment(invoice)
    far = clock.today(now(), ZONE).replace(year=2126, month=11, day=30)
    PaymentRequest.objects.update(expires_at=clock.end_of_day(far, ZONE))
    open_request.refresh_from_db()
    return open_request


def expire_request() -> None:
    PaymentRequest.objects.update(expires_at=now() - timedelta(seconds=1))


def test_request_row_and_dialogs_show_expiry(bob: Client, open_request: PaymentRequest) -> None:
    assert "Expires Nov 30, 2126" in text_of(page_of(bob, open_request.invoice))
    for act in ("resend", "link"):
        assert "Nov 30, 2126" in bob.get(f"/o/alder/requests/{open_request.pk}/{act}/").content.decode()


def test_request_past_expiry_before_worker_can_only_be_canceled(
    bob: Client, open_request: PaymentRequest
) -> None:
    expire_request()
    page = page_of(bob, open_request.invoice)
    assert "Expired " in text_of(page)
    assert "Cancel Payment Request" in page
    assert "Resend Payment Link" not in page
    assert "/p/" not in page
    link = bob.get(f"/o/alder/requests/{open_request.pk}/link/").content.decode()
    assert "The last day to pay this request is over" in link
    assert "/p/" not in link


def test_resend_of_request_past_expiry_is_refused(bob: Client, open_request: PaymentRequest) -> None:
    expire_request()
    response = bob.post(f"/o/alder/requests/{open_request.pk}/resend/")
    assert response.status_code == 409
    assert "is over" in response.content.decode()
    assert Mail.objects.filter(kind="payment_request").count() == 1


def test_expired_request_moves_to_earlier_requests(bob: Client, open_request: PaymentRequest) -> None:
    expire_request()
    payment_requests.expire(open_request, now=now())
    text = text_of(page_of(bob, open_request.invoice))
    assert "Earlier requests" in text
    assert "Expired" in text
    assert "Requested Amount" not in text


@pytest.mark.parametrize("expires_at", ["2099-01-01", "9999-12-31", "0001-01-01", "26-12-24", "20226-12-24"])
def test_implausible_expiry_of_request_is_refused(bob: Client, invoice: Invoice, expires_at: str) -> None:
    answer = send(bob, invoice, expires_at)
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"expires_at"}
