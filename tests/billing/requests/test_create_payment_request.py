"""Tests of creating a payment request for a part of the amount due."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError
from pytest_django.fixtures import Settings

from partway.accounts.models import Organization
from partway.billing.documents import invoices
from partway.billing.errors import (
    Conflict,
    Invalid,
    InvoiceNotSent,
    PaymentInProgress,
    PaymentRequestOpen,
    PaymentsNotEnabled,
    field_error,
)
from partway.billing.events import Actor
from partway.billing.models import Customer, Event, Invoice, Mail, PaymentRequest
from partway.billing.requests import payment_requests
from partway.billing.requests.payment_requests import NewPaymentRequest, create, unavailable_reason
from partway.lib.clock import now as present
from partway.lib.money import Money
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver

ASK = NewPaymentRequest(Money(30_000, "USD"), to=("dana@customer.example",), note="First stage.")


def refused(invoice: Invoice, alice: Actor, **changes: Any) -> Invalid:
    """Returns the error of a request with these changes, after checking that nothing was written."""
    with pytest.raises(Invalid) as refusal:
        create(invoice, new_request=replace(ASK, **changes), by=alice, now=present())
    assert not PaymentRequest.objects.filter(invoice=invoice).exists()
    return refusal.value


def test_created_request_is_open_with_requested_amount(invoice: Invoice, alice: Actor) -> None:
    request = create(invoice, new_request=ASK, by=alice, now=present())
    request.refresh_from_db()
    assert (request.status, request.amount_requested) == ("open", Money(30_000, "USD"))
    assert (request.to, request.note, request.requested_by) == (list(ASK.to), "First stage.", alice.id)


def test_request_is_created_with_event_and_mail(invoice: Invoice, alice: Actor) -> None:
    ask = replace(ASK, cc=("cc@a.example",), bcc=("bcc@a.example",), reply_to="alice@alder.example")
    request = create(invoice, new_request=ask, by=alice, now=present())
    event = Event.objects.get(payment_request=request)
    mail = Mail.objects.get(payment_request=request)
    assert (event.type, mail.event, mail.kind) == ("payment_request.sent", event, "payment_request")
    assert (mail.to, mail.cc, mail.bcc) == (list(ASK.to), ["cc@a.example"], ["bcc@a.example"])
    assert mail.reply_to == "alice@alder.example"


@pytest.mark.django_db(transaction=True)
def test_request_is_not_created_when_its_event_fails(invoice: Invoice) -> None:
    nameless = Actor("member", "mem_1", None)  # type: ignore[arg-type]
    with pytest.raises(IntegrityError):
        create(invoice, new_request=ASK, by=nameless, now=present())
    assert not PaymentRequest.objects.exists()


def test_request_can_cover_whole_amount_due(invoice: Invoice, alice: Actor) -> None:
    request = create(invoice, new_request=replace(ASK, amount=Money(100_000, "USD")), by=alice, now=present())
    assert request.status == "open"


@pytest.mark.parametrize(
    ("amount_minor", "code"),
    [
        (0, "amount_too_small"),
        (-1, "amount_too_small"),
        (49, "amount_too_small"),
        (100_001, "amount_exceeds_due"),
    ],
)
def test_request_amount_out_of_range_is_refused(
    invoice: Invoice, alice: Actor, amount_minor: int, code: str
) -> None:
    refusal = refused(invoice, alice, amount=Money(amount_minor, "USD"))
    assert (refusal.code, set(refusal.fields)) == (code, {"amount_requested"})


def test_request_of_gateway_minimum_is_allowed(invoice: Invoice, alice: Actor) -> None:
    assert create(invoice, new_request=replace(ASK, amount=Money(50, "USD")), by=alice, now=present())


def test_request_in_another_currency_is_refused(invoice: Invoice, alice: Actor) -> None:
    assert set(refused(invoice, alice, amount=Money(30_000, "CAD")).fields) == {"amount_requested"}


def test_request_amount_must_be_multiple_of_gateway_step(dana: Customer, alice: Actor) -> None:
    invoice = personas.sent_invoice(dana, currency="KWD")
    assert set(refused(invoice, alice, amount=Money(12_345, "KWD")).fields) == {"amount_requested"}
    assert create(invoice, new_request=replace(ASK, amount=Money(12_340, "KWD")), by=alice, now=present())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("to", ()),
        ("to", ("nobody",)),
        ("to", tuple(f"a{n}@a.example" for n in range(21))),
        ("to", (f"{'d' * 250}@a.example",)),
        ("cc", ("a@a.example", "nobody@")),
        ("bcc", ("a@a.example\nBcc: b@b.example",)),
        ("note", "x" * 1001),
        ("expires_at", present() - timedelta(minutes=1)),
    ],
)
def test_request_with_invalid_field_is_refused_by_field(
    invoice: Invoice, alice: Actor, field: str, value: object
) -> None:
    refusal = refused(invoice, alice, **{field: value})
    assert (refusal.code, set(refusal.fields)) == ("invalid", {field})


def test_request_names_all_invalid_fields_at_once(invoice: Invoice, alice: Actor) -> None:
    refusal = refused(invoice, alice, to=(), note="x" * 1001, amount=Money(0, "USD"))
    assert (refusal.code, set(refusal.fields)) == ("invalid", {"to", "note", "amount_requested"})


def test_request_for_draft_invoice_is_refused(dana: Customer, alice: Actor) -> None:
    with pytest.raises(InvoiceNotSent):
        create(personas.draft_invoice(dana), new_request=ASK, by=alice, now=present())


def test_request_for_void_invoice_is_refused(invoice: Invoice, alice: Actor) -> None:
    invoices.void(invoice, by=alice, now=present())
    with pytest.raises(InvoiceNotSent):
        create(invoice, new_request=ASK, by=alice, now=present())


def test_request_is_refused_while_payments_are_disabled(
    invoice: Invoice, organization: Organization, alice: Actor
) -> None:
    Organization.objects.filter(pk=organization.pk).update(payments_enabled=False)
    with pytest.raises(PaymentsNotEnabled):
        create(invoice, new_request=ASK, by=alice, now=present())


def test_request_is_refused_without_gateway_account(
    invoice: Invoice, organization: Organization, alice: Actor
) -> None:
    organization.gateway_accounts.update(is_current=False)
    with pytest.raises(PaymentsNotEnabled):
        create(invoice, new_request=ASK, by=alice, now=present())


def test_a_second_request_is_refused_and_the_first_is_named(
    open_request: PaymentRequest, alice: Actor
) -> None:
    with pytest.raises(PaymentRequestOpen) as refusal:
        create(open_request.invoice, new_request=ASK, by=alice, now=present())
    assert refusal.value.request == open_request
    assert refusal.value.params == {"amount": Money(30_000, "USD")}


def test_request_is_refused_while_committed_payment_exists(
    gateway_driver: GatewayDriver, invoice: Invoice, alice: Actor
) -> None:
    gateway_driver.start_and_pay(invoice, "debit")
    with pytest.raises(PaymentInProgress):
        create(invoice, new_request=ASK, by=alice, now=present())


def test_request_is_allowed_while_pay_now_checkout_is_open(
    gateway_driver: GatewayDriver, invoice: Invoice, alice: Actor
) -> None:
    gateway_driver.start(invoice)
    assert create(invoice, new_request=ASK, by=alice, now=present()).status == "open"


def test_request_is_created_once_per_idempotency_key(invoice: Invoice, alice: Actor) -> None:
    ask = replace(ASK, idempotency_key="form-1")
    first = create(invoice, new_request=ask, by=alice, now=present())
    assert create(invoice, new_request=ask, by=alice, now=present()) == first
    assert Mail.objects.filter(payment_request__isnull=False).count() == 1


def test_idempotency_key_returns_request_even_after_cancel(invoice: Invoice, alice: Actor) -> None:
    ask = replace(ASK, idempotency_key="form-1")
    first = create(invoice, new_request=ask, by=alice, now=present())
    payment_requests.cancel(first, by=alice, now=present())
    assert create(invoice, new_request=ask, by=alice, now=present()).status == "canceled"


def test_request_idempotency_key_of_another_invoice_conflicts(
    invoice: Invoice, dana: Customer, alice: Actor
) -> None:
    ask = replace(ASK, idempotency_key="form-1")
    create(invoice, new_request=ask, by=alice, now=present())
    with pytest.raises(Conflict, match="request_form_used_elsewhere"):
        create(personas.sent_invoice(dana), new_request=ask, by=alice, now=present())


def test_request_for_sent_invoice_has_no_unavailable_reason(invoice: Invoice) -> None:
    assert unavailable_reason(invoice) is None


def test_amount_due_below_minimum_is_request_unavailable_reason(dana: Customer) -> None:
    found = unavailable_reason(personas.sent_invoice(dana, 49))
    assert isinstance(found, Invalid)
    minimum = Money(50, "USD")
    assert found.fields == {"amount_requested": field_error("amount_too_small.due", minimum=minimum)}
    assert found.code == "amount_too_small"


def test_request_unavailable_reason_tells_next_step(open_request: PaymentRequest, dana: Customer) -> None:
    draft = unavailable_reason(personas.draft_invoice(dana))
    taken = unavailable_reason(open_request.invoice)
    assert draft is not None
    assert taken is not None
    assert (draft.code, taken.code) == ("invoice_not_sent", "payment_request_open")
    assert draft.reason == "request_on_draft"


def test_sandbox_of_live_installation_is_request_unavailable_reason(
    invoice: Invoice, settings: Settings
) -> None:
    settings.PARTWAY_LIVE = True
    found = unavailable_reason(invoice)
    assert found is not None
    assert (found.code, found.reason) == ("payments_not_enabled", "test_gateway_when_live")
