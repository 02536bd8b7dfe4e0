"""Tests of deposits: paid once and in full, online or offline, and allocated when the invoice is sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from partway.accounts.models import GatewayAccount, Organization
from partway.billing.documents import deposits, invoices, quotes
from partway.billing.documents.deposits import OfflineDeposit
from partway.billing.documents.drafts import LineDraft
from partway.billing.errors import (
    Conflict,
    DepositNotDivisible,
    Invalid,
    NotPayable,
    PaymentInProgress,
    TooLate,
    field_error,
)
from partway.billing.events import Actor
from partway.billing.models import Alert, Allocation, Customer, Event, Invoice, Mail, Payment, Quote
from partway.billing.payments.refresh import refresh_payment
from partway.billing.payments.start import start_payment
from partway.billing.receivables import credit, offline_payments
from partway.lib.clock import now as present
from partway.lib.clock import today
from partway.lib.money import Money
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver


@pytest.fixture
def accepted(dana: Customer) -> Quote:
    """A quote over $1,000.00, accepted; its deposit of $300.00 is due."""
    return personas.accept_quote(personas.sent_quote(dana))


def create_invoice(quote: Quote, by: Actor) -> Invoice:
    return quotes.create_invoice(quote, by=by, now=present())


def send(invoice: Invoice, by: Actor) -> Invoice:
    return invoices.send(invoice, by=by, now=present())


def edit(invoice: Invoice, by: Actor, total_minor: int, **changes: Any) -> Invoice:
    draft = invoices.InvoiceDraft(
        customer=invoice.customer,
        currency=invoice.currency,
        due_on=invoice.due_on,
        lines=(LineDraft("Less than planned", Decimal(1), total_minor, Decimal(0)),),
    )
    changed = replace(draft, **changes)
    return invoices.edit(invoice, draft=changed, expected_version=invoice.version, by=by, now=present())


def record(quote: Quote, by: Actor, **changes: Any) -> Payment:
    deposit = replace(OfflineDeposit("Check", today(present(), "America/New_York"), "No. 118"), **changes)
    return deposits.record_deposit(quote, deposit=deposit, by=by, now=present())


def status(quote: Quote) -> str:
    return deposits.deposit_status(Quote.objects.get(pk=quote.pk))


# Online


def test_deposit_is_charged_in_full(gateway_driver: GatewayDriver, accepted: Quote) -> None:
    payment = gateway_driver.start_and_pay(accepted)
    assert (payment.status, gateway_driver.captures_of(payment), status(accepted)) == (
        "succeeded",
        [30_000],
        "paid",
    )
    assert Allocation.objects.count() == 0
    kinds = Mail.objects.filter(payment=payment).order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["receipt", "payment_received"]


@pytest.mark.parametrize("amount_minor", [1, 29_999, 30_001, 100_000, 0])
def test_deposit_start_with_other_amount_is_refused(
    gateway_driver: GatewayDriver, accepted: Quote, amount_minor: int
) -> None:
    with pytest.raises(DepositNotDivisible):
        start_payment(accepted, expected_amount=Money(amount_minor, "USD"), payer_ip=None, now=present())
    assert not Payment.objects.exists()


def test_paid_deposit_cannot_be_paid_again(gateway_driver: GatewayDriver, accepted: Quote) -> None:
    gateway_driver.start_and_pay(accepted)
    with pytest.raises(NotPayable) as refusal:
        gateway_driver.start(accepted)
    assert refusal.value.reason == "settled"


def test_deposit_link_leads_to_same_checkout(gateway_driver: GatewayDriver, accepted: Quote) -> None:
    assert gateway_driver.start(accepted).checkout_url == gateway_driver.start(accepted).checkout_url


def test_only_accepted_quote_with_deposit_is_payable(
    gateway_driver: GatewayDriver, dana: Customer, alice: Actor
) -> None:
    sent, without = personas.sent_quote(dana), personas.accept_quote(personas.sent_quote(dana, percent="0"))
    invoiced = personas.accept_quote(personas.sent_quote(dana))
    create_invoice(invoiced, alice)
    reasons = []
    for quote in (sent, without, invoiced):
        with pytest.raises(NotPayable) as refusal:
            gateway_driver.start(Quote.objects.get(pk=quote.pk))
        reasons.append(refusal.value.reason)
    assert reasons == ["not_accepted", "settled", "settled"]


def test_payments_disabled_releases_authorized_deposit(
    gateway_driver: GatewayDriver, accepted: Quote
) -> None:
    payment = gateway_driver.start(accepted)
    gateway_driver.pay(payment)
    Organization.objects.update(payments_enabled=False)
    assert refresh_payment(payment, now=present()).status == "canceled"
    assert (gateway_driver.captures_of(payment), status(accepted)) == ([], "due")


def test_declined_card_leaves_deposit_due(gateway_driver: GatewayDriver, accepted: Quote) -> None:
    assert gateway_driver.start_and_pay(accepted, "declined").status == "pending"
    assert status(accepted) == "due"
    gateway_driver.pay(payment := Payment.objects.get())
    assert refresh_payment(payment, now=present()).status == "succeeded"


def test_deposit_by_bank_debit_is_processing_until_settled(
    gateway_driver: GatewayDriver, accepted: Quote
) -> None:
    payment = gateway_driver.start_and_pay(accepted, "debit")
    assert (payment.status, payment.accepted, status(accepted)) == ("processing", True, "processing")
    gateway_driver.settle_bank_debit(payment)
    refresh_payment(payment, now=present())
    assert status(accepted) == "paid"


def test_failed_bank_debit_leaves_deposit_due(gateway_driver: GatewayDriver, accepted: Quote) -> None:
    payment = gateway_driver.start_and_pay(accepted, "bad_debit")
    gateway_driver.settle_bank_debit(payment, "failed")
    assert refresh_payment(payment, now=present()).status == "failed"
    assert status(accepted) == "due"


def test_deposit_captured_in_part_stays_due_and_raises_alert(
    gateway_driver: GatewayDriver, accepted: Quote
) -> None:
    gateway_driver.inject_fault("wrong_amount", delta=-5_000)
    payment = gateway_driver.start_and_pay(accepted)
    assert payment.captured == Money(25_000, "USD")
    assert Alert.objects.get().kind == "captured_amount_mismatch"
    assert status(accepted) == "due"  # a part of a deposit is no deposit


def test_quote_with_deposit_between_gateway_steps_cannot_be_sent(dana: Customer, alice: Actor) -> None:
    draft = personas.draft_quote(
        dana, 33_350, currency="KWD"
    )  # 30 % are 10.005, and the last digit must be 0
    with pytest.raises(Invalid) as refused:
        quotes.send(draft, by=alice, now=present())
    params = {"deposit": Money(10_005, "KWD"), "step": Money(10, "KWD")}
    assert refused.value.fields == {"deposit": field_error("deposit_not_multiple", **params)}


def test_late_bank_debit_after_recorded_deposit_is_no_deposit(
    gateway_driver: GatewayDriver, accepted: Quote, alice: Actor
) -> None:
    payment = gateway_driver.start(accepted)
    gateway_driver.pay(payment, "debit")
    record(accepted, alice)
    late = refresh_payment(payment, now=present())
    assert (late.status, late.accepted) == ("processing", False)
    gateway_driver.settle_bank_debit(late)
    late = refresh_payment(late, now=present())
    assert (late.status, late.is_deposit) == ("succeeded", False)
    assert Alert.objects.filter(kind="unwanted_payment").count() == 1
    invoice = send(create_invoice(accepted, alice), alice)
    assert invoice.amount_paid_minor == 30_000


# Offline


def test_recorded_deposit_is_booked_in_full(accepted: Quote, alice: Actor) -> None:
    payment = record(accepted, alice, note="In an envelope.")
    assert (payment.captured, payment.method, payment.reference) == (Money(30_000, "USD"), "Check", "No. 118")
    assert status(accepted) == "paid"
    assert Event.objects.get(type="payment.recorded").data["amount_minor"] == 30_000
    assert set(payment.mails.values_list("kind", flat=True)) == {"receipt", "payment_received"}


def test_recorded_deposit_cannot_be_recorded_again(accepted: Quote, alice: Actor) -> None:
    record(accepted, alice)
    with pytest.raises(TooLate):
        record(accepted, alice)


def test_recording_deposit_closes_open_checkout(
    gateway_driver: GatewayDriver, accepted: Quote, alice: Actor
) -> None:
    payment = gateway_driver.start(accepted)
    record(accepted, alice)
    payment.refresh_from_db()
    assert payment.status == "canceled"
    assert gateway_driver.pay(payment).status_code == 410


def test_deposit_with_processing_payment_cannot_be_recorded(
    gateway_driver: GatewayDriver, accepted: Quote, alice: Actor
) -> None:
    payment = gateway_driver.start_and_pay(accepted, "debit")
    assert deposits.unavailable_reason(accepted)
    with pytest.raises(PaymentInProgress):
        record(accepted, alice)
    gateway_driver.settle_bank_debit(payment)
    refresh_payment(payment, now=present())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"method": "barter"}, "method"),
        ({"paid_on": date(2100, 1, 1)}, "paid_on"),
        ({"reference": "x" * 121}, "reference"),
        ({"note": "x" * 401}, "note"),
    ],
)
def test_recorded_deposit_with_invalid_field_is_refused_by_field(
    accepted: Quote, alice: Actor, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        record(accepted, alice, **changes)
    assert list(refusal.value.fields) == [field]


def test_deposit_of_unaccepted_quote_cannot_be_recorded(dana: Customer, alice: Actor) -> None:
    for quote in (personas.sent_quote(dana), personas.accept_quote(personas.sent_quote(dana, percent="0"))):
        assert deposits.unavailable_reason(quote)
        with pytest.raises(Conflict):
            record(quote, alice)


def test_deposit_status_is_none_without_deposit(dana: Customer) -> None:
    assert status(personas.sent_quote(dana, percent="0")) == "none"


# The invoice


def test_deposit_is_allocated_when_quote_invoice_is_sent(accepted: Quote, alice: Actor) -> None:
    record(accepted, alice)
    draft = create_invoice(accepted, alice)
    assert (draft.amount_paid_minor, draft.total_minor, draft.quote_id) == (0, 100_000, accepted.pk)
    sent = send(draft, alice)
    assert (sent.amount_paid_minor, sent.amount_due_minor, sent.status) == (30_000, 70_000, "sent")
    event = Event.objects.get(type="invoice.deposit_allocated")
    assert (event.data["amount_minor"], event.data["number"]) == (30_000, "QUO-0001")


def test_full_deposit_pays_quote_invoice(dana: Customer, alice: Actor) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana, percent="100"))
    record(quote, alice)
    assert send(create_invoice(quote, alice), alice).status == "paid"


def test_deposit_larger_than_invoice_leaves_credit_and_raises_alert(accepted: Quote, alice: Actor) -> None:
    payment = record(accepted, alice)
    draft = edit(create_invoice(accepted, alice), alice, 25_000)
    sent = send(draft, alice)
    assert (sent.status, sent.amount_paid_minor) == ("paid", 25_000)
    assert Allocation.objects.get(payment=payment).amount_minor == 25_000
    params = Alert.objects.get(kind="deposit_unallocated").params
    assert (params["reason"], params["quote"]) == ("exceeds_invoice", "QUO-0001")
    assert params["left"] == {"amount_minor": 5_000, "currency": "USD"}


def test_quote_invoice_cannot_change_customer_or_currency(accepted: Quote, alice: Actor) -> None:
    draft = create_invoice(accepted, alice)
    eve = personas.customer(accepted.organization, "Eve")
    for changes, field in (({"customer": eve}, "customer"), ({"currency": "EUR"}, "currency")):
        with pytest.raises(Invalid) as refusal:
            edit(draft, alice, 100_000, **changes)
        assert list(refusal.value.fields) == [field]


def test_quote_invoice_is_created_once(accepted: Quote, alice: Actor) -> None:
    assert create_invoice(accepted, alice) == create_invoice(accepted, alice)
    assert Invoice.objects.count() == 1


def test_quote_invoice_has_lines_of_quote(accepted: Quote, alice: Actor) -> None:
    draft = create_invoice(accepted, alice)
    for name in ("description", "quantity", "unit_amount_minor", "tax_percent", "amount_minor"):
        assert [getattr(line, name) for line in draft.lines.all()] == [
            getattr(line, name) for line in accepted.lines.all()
        ]


def test_unaccepted_quote_cannot_become_invoice(dana: Customer, alice: Actor) -> None:
    with pytest.raises(Conflict):
        create_invoice(personas.sent_quote(dana), alice)


def test_quote_invoice_cannot_be_created_while_deposit_is_processing(
    gateway_driver: GatewayDriver, accepted: Quote, alice: Actor
) -> None:
    payment = gateway_driver.start_and_pay(accepted, "debit")
    with pytest.raises(PaymentInProgress):
        create_invoice(accepted, alice)
    gateway_driver.settle_bank_debit(payment)
    refresh_payment(payment, now=present())
    assert send(create_invoice(accepted, alice), alice).amount_paid_minor == 30_000


def test_creating_quote_invoice_closes_open_deposit_checkout(
    gateway_driver: GatewayDriver, accepted: Quote, alice: Actor
) -> None:
    payment = gateway_driver.start(accepted)
    create_invoice(accepted, alice)
    payment.refresh_from_db()
    assert payment.status == "canceled"
    assert gateway_driver.pay(payment).status_code == 410


def test_deposit_cannot_be_recorded_after_quote_invoice(accepted: Quote, alice: Actor) -> None:
    create_invoice(accepted, alice)
    with pytest.raises(TooLate):
        record(accepted, alice)


def test_deposit_of_voided_draft_waits_for_next_invoice(accepted: Quote, alice: Actor) -> None:
    record(accepted, alice)
    invoices.void(create_invoice(accepted, alice), by=alice, now=present())
    assert not Alert.objects.exists()
    assert credit.balances(accepted.customer) == []
    assert send(create_invoice(accepted, alice), alice).amount_paid_minor == 30_000


def test_deposit_of_voided_sent_invoice_is_credit_and_raises_alert(accepted: Quote, alice: Actor) -> None:
    deposit = record(accepted, alice)
    first = send(create_invoice(accepted, alice), alice)
    credit.deallocate(first, deposit, by=alice, now=present())
    invoices.void(first, by=alice, now=present())
    assert (Alert.objects.get().kind, status(accepted)) == ("deposit_unallocated", "paid")
    assert deposits.is_credit(Quote.objects.get(pk=accepted.pk))
    second = send(create_invoice(accepted, alice), alice)
    assert (second.amount_paid_minor, credit.balances(accepted.customer)) == (0, [Money(30_000, "USD")])
    credit.apply(second, amount=Money(30_000, "USD"), by=alice, now=present())
    assert Invoice.objects.get(pk=second.pk).amount_due_minor == 70_000


def test_deposit_can_be_paid_after_invoice_without_it_was_voided(accepted: Quote, alice: Actor) -> None:
    invoices.void(send(create_invoice(accepted, alice), alice), by=alice, now=present())
    record(accepted, alice)
    assert send(create_invoice(accepted, alice), alice).amount_paid_minor == 30_000


def test_invoice_with_allocated_deposit_cannot_be_voided(accepted: Quote, alice: Actor) -> None:
    record(accepted, alice)
    invoice = send(create_invoice(accepted, alice), alice)
    with pytest.raises(Conflict):
        invoices.void(invoice, by=alice, now=present())


def test_deposit_is_recorded_once_per_idempotency_key(dana: Customer, alice: Actor) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    deposit = OfflineDeposit("Check", today(present(), "America/New_York"), idempotency_key="form-1")
    first = deposits.record_deposit(quote, deposit=deposit, by=alice, now=present())
    assert deposits.record_deposit(quote, deposit=deposit, by=alice, now=present()) == first
    offline_payments.reverse(first, reason="Bounced.", by=alice, now=present())
    with pytest.raises(Conflict):
        deposits.record_deposit(quote, deposit=deposit, by=alice, now=present())


def test_a_quote_can_be_sent_while_its_gateway_cannot_be_opened(
    dana: Customer, alice: Actor, settings: Settings
) -> None:
    settings.PARTWAY_LIVE = True  # and the account is the sandbox, which moves no money
    assert quotes.send(personas.draft_quote(dana), by=alice, now=present()).status == "sent"
    GatewayAccount.objects.update(sealed_credentials="gAAAAbroken")
    settings.PARTWAY_LIVE = False
    assert quotes.send(personas.draft_quote(dana), by=alice, now=present()).status == "sent"
