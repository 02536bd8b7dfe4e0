"""Tests of the checks of references between organizations (D5)."""

from __future__ import annotations

import pytest
from django.db import models

from partway.accounts.models import GatewayAccount, Organization
from partway.billing.models import (
    Adjustment,
    Alert,
    Allocation,
    Customer,
    Event,
    Invoice,
    Mail,
    Payment,
    PaymentRequest,
    Payout,
    Quote,
    Refund,
)
from partway.lib.clock import now
from tests.billing.verification.corruption import is_detected, overwrite
from tests.support import personas


@pytest.fixture
def birch(paid: Payment, dana: Customer) -> Organization:
    """Another organization with a customer, an invoice, a payment and a quote; alder has a quote and an alert too."""
    personas.sent_quote(dana)
    columns = {
        "organization": dana.organization,
        "payment": paid,
        "invoice": paid.invoice,
        "subject": paid.pk,
    }
    ours = {"reason": "fee", "amount_minor": 100, "currency": "USD", "created_at": now()}
    Adjustment.objects.create(organization=dana.organization, invoice=paid.invoice, **ours)
    gone = {
        "mode": "offline",
        "status": "succeeded",
        "method": "Cash",
        "refunded_on": now().date(),
        "created_at": now(),
    }
    Refund.objects.create(
        organization=dana.organization, payment=paid, amount_minor=100, currency="USD", **gone
    )
    Alert.objects.create(kind="payment_unsettled", **columns, created_at=now())
    organization = personas.mallory().organization
    theirs = personas.customer(organization, "Frank Moss")
    invoice = personas.sent_invoice(theirs)
    personas.captured_payment(invoice, 1_000, request=personas.request_payment(invoice, 1_000))
    personas.sent_quote(theirs)
    for owner in (dana.organization, organization):
        personas.pay_out(owner, personas.payout_item(), ref=f"po_{owner.slug}")
    return organization


REFERENCES: list[tuple[type[models.Model], str, type[models.Model]]] = [
    (Invoice, "customer", Customer),
    (Invoice, "quote", Quote),
    (Quote, "customer", Customer),
    (PaymentRequest, "invoice", Invoice),
    (Payment, "invoice", Invoice),
    (Payment, "payment_request", PaymentRequest),
    (Payment, "gateway_account", GatewayAccount),
    (Allocation, "payment", Payment),
    (Allocation, "invoice", Invoice),
    (Adjustment, "invoice", Invoice),
    (Refund, "payment", Payment),
    (Payout, "gateway_account", GatewayAccount),
    (Alert, "payment", Payment),
    (Alert, "invoice", Invoice),
]


@pytest.mark.parametrize(("model", "noun", "other"), REFERENCES)
def test_verify_finds_reference_to_another_organization(
    birch: Organization, model: type[models.Model], noun: str, other: type[models.Model]
) -> None:
    theirs = other._default_manager.filter(organization=birch)[0]
    assert is_detected(("D5", f"and {noun} {theirs.pk} is not", overwrite(model, **{noun: theirs})))


def test_verify_finds_deposit_of_another_organization(birch: Organization) -> None:
    quote = Quote.objects.get(organization=birch)
    corruption = overwrite(Payment, invoice=None, payment_request=None, quote=quote)
    assert is_detected(("D5", f"and quote {quote.pk} is not", corruption))


ABOUT: list[tuple[str, str]] = [
    ("customer.created", "customer"),
    ("invoice.created", "invoice"),
    ("quote.created", "quote"),
    ("payment_request.sent", "payment_request"),
    ("payment.started", "payment"),
    ("payout.reported", "payout"),
]


@pytest.mark.parametrize(("event_type", "noun"), ABOUT)
def test_verify_finds_event_about_another_organization(
    birch: Organization, event_type: str, noun: str
) -> None:
    theirs = Event.objects.get(organization=birch, type=event_type)
    ours = Event.objects.filter(type=event_type).exclude(organization=birch)
    assert is_detected(
        ("D5", getattr(theirs, f"{noun}_id"), overwrite(ours, **{noun: getattr(theirs, noun)}))
    )


def test_verify_finds_payment_event_about_another_invoice(birch: Organization, dana: Customer) -> None:
    other = personas.sent_invoice(dana)
    started = Event.objects.filter(type="payment.started")
    assert is_detected(("D5", "payment.started does not fit pay_", overwrite(started, invoice=other)))


def test_verify_finds_mail_of_another_organization_than_its_event(birch: Organization) -> None:
    assert is_detected(("D5", "does not fit evt_", overwrite(Mail, organization=birch)))


def test_verify_finds_mail_about_another_invoice_than_its_event(birch: Organization, dana: Customer) -> None:
    other = personas.sent_invoice(dana)
    assert is_detected(
        ("D5", "does not fit evt_", overwrite(Mail.objects.filter(kind="invoice_sent"), invoice=other))
    )
