"""An act waits for a concurrent act on the same rows, and then acts on the committed state.

The first act of each pair has written everything and not yet committed when the second one begins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from threading import Event as ThreadEvent
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from partway.accounts.models import GatewayAccount, Organization, Role
from partway.billing import events, external_fields
from partway.billing.documents import invoices, quote_decisions, quotes, voiding
from partway.billing.documents.drafts import LineDraft
from partway.billing.documents.quote_decisions import SpokenDecision
from partway.billing.events import Actor
from partway.billing.external_fields import ExternalFields
from partway.billing.imports import uploads
from partway.billing.models import (
    Customer,
    Dispute,
    Event,
    Invoice,
    Payment,
    PaymentRequest,
    Payout,
    Quote,
    WebhookDelivery,
)
from partway.billing.payments.refresh import refresh_payment
from partway.billing.people import (
    customers,
    gateway_accounts,
    members,
    organizations,
    webhook_deliveries,
    webhook_endpoints,
)
from partway.billing.people.webhook_deliveries import Outcome
from partway.billing.receivables import credit, dispute_losses, refunds, settlements, write_offs
from partway.billing.requests import payment_requests
from partway.gateways import protocol
from partway.lib.clock import now as present
from partway.lib.clock import today
from partway.lib.money import Money
from partway.lib.natural_sort import sort_key
from tests.billing.documents.test_change_sent_invoice import draft
from tests.billing.receivables.test_credit import apply
from tests.billing.receivables.test_offline_payments import record, reverse
from tests.support import personas
from tests.support.concurrency import TIMEOUT_SECONDS, run_behind_open_transaction
from tests.support.gateway_driver import GatewayDriver

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.locks]

Act = Callable[[], Any]

on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL locks rows, one by one")
on_postgresql = pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite lets one write at a time")


def refusal(first: Act, second: Act) -> str:
    """Returns the name of the error that the second act raises."""
    return type(run_behind_open_transaction(first, second)).__name__


def locked_tables(act: Act) -> list[str]:
    """Returns the tables of which an act locks rows, in the order of its locks."""
    with CaptureQueriesContext(connection) as captured:
        act()
    locks = [query["sql"] for query in captured.captured_queries if "FOR NO KEY UPDATE" in query["sql"]]
    return [sql.partition('FROM "billing_')[2].partition('"')[0] for sql in locks]


def void(invoice: Invoice, by: Actor) -> Act:
    return partial(invoices.void, invoice, by=by, now=present())


def void_paid(invoice: Invoice, payment: Payment, minor: int, by: Actor) -> Act:
    """Voids it, and records that the money of its only payment was given back."""
    on = today(present(), invoice.organization.time_zone)
    plan = voiding.VoidPlan({payment.pk: minor}, {payment.pk: voiding.Outcome("outside", "Cash", on)})
    return partial(
        voiding.void_paid, invoice, plan=plan, expected_version=invoice.version, by=by, now=present()
    )


def send(invoice: Invoice, by: Actor) -> Act:
    return partial(invoices.send, invoice, by=by, now=present())


def edit(invoice: Invoice, by: Actor, total_minor: int = 90_000) -> Act:
    return partial(
        invoices.edit,
        invoice,
        draft=draft(invoice, total_minor),
        expected_version=invoice.version,
        by=by,
        now=present(),
    )


def cancel(open_request: PaymentRequest, by: Actor) -> Act:
    return partial(payment_requests.cancel, open_request, by=by, now=present())


def refresh(payment: Payment) -> Act:
    return partial(refresh_payment, payment, now=present())


def decline(quote: Quote) -> Act:
    by = events.customer_actor(quote.customer)
    return partial(quotes.decline, quote, reason="", by=by, now=present())


def edit_quote(quote: Quote, by: Actor) -> Act:
    line = LineDraft("Oak staircase", Decimal(1), 100_000, Decimal(0))
    draft = quotes.QuoteDraft(
        customer=quote.customer, currency="USD", lines=(line,), valid_until=quote.valid_until, deposit_kind=""
    )
    return partial(quotes.edit, quote, draft=draft, expected_version=quote.version, by=by, now=present())


def send_quote(quote: Quote, by: Actor) -> Act:
    return partial(quotes.send, quote, by=by, now=present())


def create_invoice(quote: Quote, by: Actor) -> Act:
    return partial(quotes.create_invoice, quote, by=by, now=present())


@pytest.fixture
def authorized(gateway_driver: GatewayDriver, invoice: Invoice) -> Payment:
    """A payment of the whole invoice that is authorized and not fetched yet."""
    payment = gateway_driver.start(invoice)
    gateway_driver.pay(payment)
    return payment


# An invoice


def test_sending_draft_waits_for_its_deletion(dana: Customer, alice: Actor) -> None:
    draft_invoice = personas.draft_invoice(dana)
    delete = partial(invoices.delete_draft, draft_invoice, by=alice, now=present())
    assert refusal(delete, send(draft_invoice, alice)) == "Conflict"


def test_deleting_draft_waits_for_its_sending(dana: Customer, alice: Actor) -> None:
    draft_invoice, draft_quote = personas.draft_invoice(dana), personas.draft_quote(dana)
    delete = partial(invoices.delete_draft, draft_invoice, by=alice, now=present())
    assert refusal(send(draft_invoice, alice), delete) == "Conflict"
    delete = partial(quotes.delete_draft, draft_quote, by=alice, now=present())
    assert refusal(send_quote(draft_quote, alice), delete) == "Conflict"


def test_creating_request_waits_for_void_of_invoice(invoice: Invoice, alice: Actor) -> None:
    assert refusal(void(invoice, alice), lambda: personas.request_payment(invoice)) == "InvoiceNotSent"


def test_resending_invoice_waits_for_void(invoice: Invoice, alice: Actor) -> None:
    resend = partial(invoices.resend, invoice, by=alice, now=present())
    assert refusal(void(invoice, alice), resend) == "InvoiceNotSent"


def test_voiding_invoice_waits_for_capture(authorized: Payment, invoice: Invoice, alice: Actor) -> None:
    assert refusal(refresh(authorized), void(invoice, alice)) == "PaymentInProgress"


def test_writing_off_invoice_waits_for_capture(authorized: Payment, invoice: Invoice, alice: Actor) -> None:
    assert (
        refusal(refresh(authorized), lambda: write_offs.write_off(invoice, by=alice, now=present()))
        == "PaymentInProgress"
    )


def test_settling_rest_waits_for_void(invoice: Invoice, alice: Actor) -> None:
    assert refusal(void(invoice, alice), lambda: personas.settle_rest(invoice)) == "InvoiceNotSent"


def test_settling_rest_waits_for_capture(authorized: Payment, invoice: Invoice) -> None:
    assert refusal(refresh(authorized), lambda: personas.settle_rest(invoice)) == "PaymentInProgress"


def test_taking_settled_rest_back_twice_at_once_takes_it_once(invoice: Invoice, alice: Actor) -> None:
    settled = personas.settle_rest(invoice)
    take_back = partial(settlements.take_back, settled, by=alice, now=present())
    assert refusal(take_back, take_back) == "Conflict"


def test_sending_invoice_twice_at_once_sends_once(dana: Customer, alice: Actor) -> None:
    made = personas.draft_invoice(dana)
    assert refusal(send(made, alice), send(made, alice)) == "Conflict"


def test_concurrent_invoice_edits_second_is_stale(invoice: Invoice, alice: Actor) -> None:
    assert refusal(edit(invoice, alice), edit(invoice, alice, 80_000)) == "Stale"


def test_editing_invoice_waits_for_void(invoice: Invoice, alice: Actor) -> None:
    assert refusal(void(invoice, alice), edit(invoice, alice)) == "Conflict"


def test_correcting_parties_waits_for_edit_of_invoice(invoice: Invoice, dana: Customer, alice: Actor) -> None:
    personas.change_customer(dana)
    correct = partial(
        invoices.correct_parties,
        invoice,
        columns=["issued_to"],
        expected_version=invoice.version,
        by=alice,
        now=present(),
    )
    assert refusal(edit(invoice, alice), correct) == "Stale"


def test_reopening_invoice_twice_at_once_reopens_once(invoice: Invoice, alice: Actor) -> None:
    write_offs.write_off(invoice, by=alice, now=present())
    reopen = partial(write_offs.reopen, invoice, by=alice, now=present())
    assert refusal(reopen, reopen) == "Conflict"


def test_recording_offline_payment_waits_for_void(invoice: Invoice, alice: Actor) -> None:
    assert refusal(void(invoice, alice), lambda: record(invoice, 40_000, alice)) == "InvoiceNotSent"


def test_concurrent_sends_get_consecutive_invoice_numbers(dana: Customer, alice: Actor) -> None:
    first, second = personas.draft_invoice(dana), personas.draft_invoice(dana)
    assert run_behind_open_transaction(send(first, alice), send(second, alice)).number == "INV-0002"


def test_concurrent_changes_of_metadata_keep_both(dana: Customer, alice: Actor) -> None:
    one, other = (
        partial(external_fields.change, dana, ExternalFields(metadata={key: "1"}), by=alice, now=present())
        for key in ("job", "crew")
    )
    run_behind_open_transaction(one, other)
    assert Customer.objects.get().metadata == {"job": "1", "crew": "1"}


def test_form_of_a_new_customer_waits_for_the_same_form(organization: Organization, alice: Actor) -> None:
    details = customers.CustomerDetails("Quinn Pike", "quinn@pike.example")
    create = partial(
        customers.create, organization, details=details, by=alice, now=present(), idempotency_key="form-1"
    )
    assert run_behind_open_transaction(create, create) == Customer.objects.get(name="Quinn Pike")


# A request and its payment


def test_canceling_request_waits_for_capture(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    payment = gateway_driver.start(open_request)
    gateway_driver.pay(payment)
    assert refusal(refresh(payment), cancel(open_request, alice)) == "PaymentInProgress"


def test_capture_waits_for_cancel_of_request(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    payment = gateway_driver.start(open_request)
    gateway_driver.pay(payment)
    run_behind_open_transaction(cancel(open_request, alice), refresh(payment))
    payment.refresh_from_db()
    assert (payment.status, gateway_driver.captures_of(payment)) == ("canceled", [])


def test_starting_payment_waits_for_cancel_of_request(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    assert refusal(cancel(open_request, alice), lambda: gateway_driver.start(open_request)) == "NotPayable"


def test_resending_request_waits_for_cancel(open_request: PaymentRequest, alice: Actor) -> None:
    resend = partial(payment_requests.resend, open_request, by=alice, now=present())
    assert refusal(cancel(open_request, alice), resend) == "TooLate"


def test_concurrent_checkouts_from_one_ip_address_share_rate_limit(
    gateway_driver: GatewayDriver, dana: Customer, settings: Settings
) -> None:
    settings.PARTWAY_CHECKOUTS_PER_IP = 1
    one, other = personas.sent_invoice(dana), personas.sent_invoice(dana)
    assert refusal(lambda: gateway_driver.start(one), lambda: gateway_driver.start(other)) == "RateLimited"


# Credit


@pytest.fixture
def check_with_credit(invoice: Invoice, alice: Actor) -> Payment:
    """A check of which $200.00 are credit."""
    return record(invoice, 120_000, alice, keep_rest_as_credit=True)


def test_credit_is_not_applied_twice_at_once(
    check_with_credit: Payment, dana: Customer, alice: Actor
) -> None:
    one, other = personas.sent_invoice(dana, 20_000), personas.sent_invoice(dana, 20_000)
    assert refusal(lambda: apply(one, 20_000, alice), lambda: apply(other, 20_000, alice)) == "Invalid"


def test_applying_credit_waits_for_edit_that_frees_credit(
    invoice: Invoice, dana: Customer, alice: Actor
) -> None:
    record(invoice, 100_000, alice)
    other = personas.sent_invoice(dana, 20_000)
    assert (
        run_behind_open_transaction(edit(invoice, alice, 80_000), lambda: apply(other, 20_000, alice)).type
        == "credit.applied"
    )


def test_applying_credit_waits_for_void_of_invoice(
    check_with_credit: Payment, dana: Customer, alice: Actor
) -> None:
    other = personas.sent_invoice(dana, 20_000)
    assert refusal(void(other, alice), lambda: apply(other, 20_000, alice)) == "InvoiceNotSent"


@on_postgresql
def test_releasing_and_reversing_lock_the_customer_first(
    check_with_credit: Payment, accepted: Quote, invoice: Invoice, alice: Actor
) -> None:
    release = partial(credit.deallocate, invoice, check_with_credit, by=alice, now=present())
    assert locked_tables(release)[:2] == ["customer", "invoice"]
    deposit = personas.record_deposit_check(accepted)
    assert locked_tables(lambda: reverse(deposit, alice))[:2] == ["customer", "quote"]


def test_reversing_check_waits_for_its_credit_being_applied(
    check_with_credit: Payment, dana: Customer, alice: Actor
) -> None:
    other = personas.sent_invoice(dana, 20_000)
    run_behind_open_transaction(
        lambda: apply(other, 20_000, alice), lambda: reverse(check_with_credit, alice)
    )
    assert list(Invoice.objects.values_list("amount_paid_minor", flat=True)) == [0, 0]


def test_releasing_payment_waits_for_edit_down_of_invoice(
    check_with_credit: Payment, invoice: Invoice, alice: Actor
) -> None:
    released = run_behind_open_transaction(
        edit(invoice, alice, 70_000),
        lambda: credit.deallocate(invoice, check_with_credit, by=alice, now=present()),
    )
    assert released.amount_minor == 70_000


def test_releasing_payment_waits_for_payment_of_the_rest(invoice: Invoice, alice: Actor) -> None:
    check = record(invoice, 40_000, alice)
    run_behind_open_transaction(
        lambda: record(invoice, 60_000, alice),
        lambda: credit.deallocate(invoice, check, by=alice, now=present()),
    )
    invoice.refresh_from_db()
    assert (invoice.status, invoice.amount_due_minor) == ("sent", 40_000)


def test_credit_is_not_given_back_twice_at_once(check_with_credit: Payment) -> None:
    give_back = partial(personas.give_back, check_with_credit, 120_000)
    assert refusal(give_back, give_back) == "Conflict"


def test_giving_back_credit_waits_for_its_being_applied(
    check_with_credit: Payment, dana: Customer, alice: Actor
) -> None:
    other = personas.sent_invoice(dana, 20_000)
    run_behind_open_transaction(
        lambda: apply(other, 20_000, alice), lambda: personas.give_back(check_with_credit, 20_000)
    )
    assert Payment.objects.get().unallocated_minor == 0


def test_giving_back_payment_waits_for_payment_of_the_rest(invoice: Invoice, alice: Actor) -> None:
    check = record(invoice, 40_000, alice)
    run_behind_open_transaction(
        lambda: record(invoice, 60_000, alice), lambda: personas.give_back(check, 40_000)
    )
    invoice.refresh_from_db()
    assert (invoice.status, invoice.amount_due_minor) == ("sent", 40_000)


def test_recording_offline_payment_waits_for_void_of_paid_invoice(invoice: Invoice, alice: Actor) -> None:
    check = record(invoice, 40_000, alice)
    void = void_paid(invoice, check, 40_000, alice)
    assert refusal(void, lambda: record(invoice, 40_000, alice)) == "InvoiceNotSent"


def test_voiding_paid_invoice_waits_for_another_void_of_it(invoice: Invoice, alice: Actor) -> None:
    check = record(invoice, 40_000, alice)
    void, again = (void_paid(invoice, check, 40_000, alice) for _ in range(2))
    assert refusal(void, again) == "Conflict"


def test_voiding_paid_invoice_waits_for_payment_of_the_rest(invoice: Invoice, alice: Actor) -> None:
    check = record(invoice, 40_000, alice)
    void = void_paid(invoice, check, 40_000, alice)
    assert refusal(lambda: record(invoice, 60_000, alice), void) == "Stale"


def test_voiding_invoice_with_deposit_waits_for_refund_of_its_credit(accepted: Quote, alice: Actor) -> None:
    deposit = personas.record_deposit_check(accepted)
    invoice = send(personas.edit_invoice(create_invoice(accepted, alice)(), 20_000), alice)()
    void = void_paid(invoice, deposit, 20_000, alice)
    on = today(present(), invoice.organization.time_zone)
    refund = refunds.OutsideRefund(Money(10_000, "USD"), "Cash", on)
    give_back = partial(refunds.record, invoice.customer, refund=refund, by=alice, now=present())
    run_behind_open_transaction(give_back, void)
    deposit.refresh_from_db()
    assert deposit.deposit_given_back


@on_postgresql
def test_voiding_paid_invoice_locks_customer_quote_and_invoice_in_order(
    accepted: Quote, alice: Actor
) -> None:
    deposit = personas.record_deposit_check(accepted)
    invoice = send(create_invoice(accepted, alice)(), alice)()
    assert locked_tables(void_paid(invoice, deposit, 30_000, alice)) == ["customer", "quote", "invoice"]


@on_postgresql
@pytest.mark.parametrize("end", [invoices.void, invoices.delete_draft])
def test_ending_unpaid_invoice_locks_its_quote_before_it(
    accepted: Quote, alice: Actor, end: Callable[..., Any]
) -> None:
    draft = create_invoice(accepted, alice)()
    assert locked_tables(partial(end, draft, by=alice, now=present())) == ["quote", "invoice"]


def test_reversing_refund_twice_at_once_reverses_once(check_with_credit: Payment, alice: Actor) -> None:
    refund = personas.give_back(check_with_credit, 20_000)
    reverse = partial(refunds.reverse, refund, reason="Typed twice.", by=alice, now=present())
    assert run_behind_open_transaction(reverse, reverse).status == "reversed"


# A dispute


@pytest.fixture
def lost(invoice: Invoice) -> Dispute:
    """A dispute about $300.00 of the invoice, which is lost."""
    return personas.dispute(personas.captured_payment(invoice, 30_000), 30_000, "lost")


def take_loss(dispute: Dispute, by: Actor) -> Act:
    expected = Money(30_000, "USD")
    return partial(dispute_losses.settle, dispute, expected=expected, by=by, now=present())


def test_loss_is_not_taken_twice_at_once(lost: Dispute, alice: Actor) -> None:
    run_behind_open_transaction(take_loss(lost, alice), take_loss(lost, alice))
    assert Invoice.objects.get().adjusted_minor == 30_000


def test_taking_a_loss_waits_for_payment_of_all(lost: Dispute, invoice: Invoice, alice: Actor) -> None:
    assert refusal(lambda: record(invoice, 100_000, alice), take_loss(lost, alice)) == "Conflict"


def test_lost_dispute_waits_for_its_credit_being_applied(
    invoice: Invoice, dana: Customer, alice: Actor
) -> None:
    paid, other = personas.captured_payment(invoice, 30_000), personas.sent_invoice(dana, 20_000)
    credit.deallocate(invoice, paid, by=alice, now=present())
    run_behind_open_transaction(
        lambda: apply(other, 20_000, alice), lambda: personas.dispute(paid, 30_000, "lost")
    )
    other.refresh_from_db()
    assert (other.status, other.amount_due_minor) == ("sent", 20_000)


# A quote and its deposit


@pytest.fixture
def quote(dana: Customer) -> Quote:
    """A quote in Sent status, with a deposit."""
    return personas.sent_quote(dana)


@pytest.fixture
def accepted(quote: Quote) -> Quote:
    """An accepted quote, whose deposit is due."""
    return personas.accept_quote(quote)


def test_accepting_quote_waits_for_decline(quote: Quote) -> None:
    assert refusal(decline(quote), lambda: personas.accept_quote(quote)) == "TooLate"


def test_declining_quote_waits_for_accept(quote: Quote) -> None:
    assert refusal(lambda: personas.accept_quote(quote), decline(quote)) == "TooLate"


def test_withdrawing_quote_waits_for_accept(quote: Quote, alice: Actor) -> None:
    shown = partial(quote_decisions.withdraw, quote, expected_status=quote.status, by=alice, now=present())
    assert refusal(lambda: personas.accept_quote(quote), shown) == "Stale"


@pytest.mark.parametrize(
    "record_decision", [quote_decisions.record_acceptance, quote_decisions.record_decline]
)
def test_recording_a_decision_waits_for_withdrawal(
    quote: Quote, alice: Actor, record_decision: Callable[..., Any]
) -> None:
    withdraw = partial(quote_decisions.withdraw, quote, by=alice, now=present())
    spoken = SpokenDecision("Dana W.", today(present(), quote.organization.time_zone))
    record = partial(record_decision, quote, decision=spoken, by=alice, now=present())
    assert refusal(withdraw, record) == "TooLate"


def test_creating_another_quote_invoice_waits_for_void_of_first(accepted: Quote, alice: Actor) -> None:
    first = create_invoice(accepted, alice)()
    second = run_behind_open_transaction(void(first, alice), create_invoice(accepted, alice))
    assert second != first
    assert Quote.objects.get().status == "invoiced"


def test_resending_quote_waits_for_decline(quote: Quote, alice: Actor) -> None:
    assert refusal(decline(quote), lambda: quotes.resend(quote, by=alice, now=present())) == "TooLate"


def test_recording_deposit_waits_for_creation_of_quote_invoice(accepted: Quote, alice: Actor) -> None:
    assert (
        refusal(create_invoice(accepted, alice), lambda: personas.record_deposit_check(accepted)) == "TooLate"
    )


def test_creating_quote_invoice_waits_for_capture_of_deposit(
    gateway_driver: GatewayDriver, accepted: Quote, alice: Actor
) -> None:
    payment = gateway_driver.start(accepted)
    gateway_driver.pay(payment)
    assert refusal(refresh(payment), create_invoice(accepted, alice)) == "PaymentInProgress"


def test_capture_of_deposit_waits_for_creation_of_quote_invoice(
    gateway_driver: GatewayDriver, accepted: Quote, alice: Actor
) -> None:
    payment = gateway_driver.start(accepted)
    gateway_driver.pay(payment)
    run_behind_open_transaction(create_invoice(accepted, alice), refresh(payment))
    payment.refresh_from_db()
    assert (payment.status, gateway_driver.captures_of(payment)) == ("canceled", [])


def test_reversing_deposit_waits_for_send_of_quote_invoice(accepted: Quote, alice: Actor) -> None:
    deposit = personas.record_deposit_check(accepted)
    made = quotes.create_invoice(accepted, by=alice, now=present())
    run_behind_open_transaction(send(made, alice), lambda: reverse(deposit, alice))
    assert Invoice.objects.get().amount_paid_minor == 0


def test_editing_quote_waits_for_edit_of_quote(dana: Customer, alice: Actor) -> None:
    edit = edit_quote(personas.draft_quote(dana), alice)
    assert refusal(edit, edit) == "Stale"


def test_quote_that_is_being_sent_is_neither_edited_nor_sent_again(dana: Customer, alice: Actor) -> None:
    for second in (edit_quote, send_quote):
        written = personas.draft_quote(dana)
        assert refusal(send_quote(written, alice), second(written, alice)) == "Conflict"


def test_expiring_quote_waits_for_accept(quote: Quote) -> None:
    too_late = present() + timedelta(days=60)
    expired = run_behind_open_transaction(
        lambda: personas.accept_quote(quote), lambda: quotes.expire(quote, now=too_late)
    )
    assert expired is False


def test_concurrent_sends_get_distinct_quote_numbers(quote: Quote, dana: Customer, alice: Actor) -> None:
    first, second = personas.draft_quote(dana), personas.draft_quote(dana)
    sent = run_behind_open_transaction(send_quote(first, alice), send_quote(second, alice))
    assert sent.number == "QUO-0003"


# Rows that are read beside the locked row


@on_postgresql
def test_payments_disabled_while_capture_waits_for_lock_releases_authorization(
    gateway_driver: GatewayDriver, authorized: Payment, invoice: Invoice, alice: Actor
) -> None:
    """After waiting for a lock, PostgreSQL returns other rows as of the statement's start, so they are read again."""
    off = partial(organizations.set_payments_enabled, invoice.organization, on=False, by=alice, now=present())
    hold = partial(invoices.resend, invoice, by=alice, now=present())
    run_behind_open_transaction(hold, refresh(authorized), meanwhile=off)
    authorized.refresh_from_db()
    assert (authorized.status, gateway_driver.captures_of(authorized)) == ("canceled", [])


@on_postgresql
def test_payments_disabled_while_deposit_capture_waits_for_lock_releases_deposit(
    gateway_driver: GatewayDriver, accepted: Quote, alice: Actor
) -> None:
    payment = gateway_driver.start(accepted)
    gateway_driver.pay(payment)
    off = partial(
        organizations.set_payments_enabled, accepted.organization, on=False, by=alice, now=present()
    )
    hold = partial(quotes.resend, accepted, by=alice, now=present())
    run_behind_open_transaction(hold, refresh(payment), meanwhile=off)
    payment.refresh_from_db()
    assert (payment.status, gateway_driver.captures_of(payment)) == ("canceled", [])


# People, accounts, and SQLite as a whole


def test_concurrent_changes_of_customer_keep_both(dana: Customer, alice: Actor) -> None:
    initial = customers.CustomerDetails(
        name=dana.name, email=dana.email, phone=dana.phone, address=dana.address
    )

    def change(**fields: str) -> Act:
        row = Customer.objects.get(pk=dana.pk)
        details = replace(initial, **fields)
        return partial(customers.change, row, details=details, initial=initial, by=alice, now=present())

    run_behind_open_transaction(change(phone="2"), change(address="Elm Street 1"))
    dana.refresh_from_db()
    assert (dana.phone, dana.address) == ("2", "Elm Street 1")


@pytest.mark.parametrize("is_renamed_first", [True, False])
def test_invoice_written_while_customer_is_renamed_is_sorted_by_new_name(
    dana: Customer, alice: Actor, is_renamed_first: bool
) -> None:
    written = draft(personas.draft_invoice(dana), 90_000)
    details = customers.CustomerDetails("Åse", dana.email)
    rename = partial(customers.change, dana, details=details, by=alice, now=present())
    create = partial(invoices.create, dana.organization, draft=written, by=alice, now=present())
    run_behind_open_transaction(*((rename, create) if is_renamed_first else (create, rename)))
    keys = Invoice.objects.values_list("customer_key", flat=True)
    assert [bytes(key) for key in keys] == [sort_key("Åse")] * 2


@on_postgresql
def test_writing_documents_locks_their_customer_first(accepted: Quote, alice: Actor) -> None:
    """As a change of the customer's name does, which then locks their quotes and invoices."""
    details = customers.CustomerDetails("Åse", accepted.customer.email)
    rename = partial(customers.change, accepted.customer, details=details, by=alice, now=present())
    assert locked_tables(create_invoice(accepted, alice))[:2] == ["customer", "quote"]
    written = personas.draft_quote(accepted.customer)
    assert locked_tables(edit_quote(written, alice))[:2] == ["customer", "quote"]
    sent = personas.sent_invoice(accepted.customer)
    assert locked_tables(edit(sent, alice))[:2] == ["customer", "invoice"]
    assert locked_tables(rename) == ["customer", "quote", "invoice"]


def test_concurrent_changes_of_organization_keep_both(organization: Organization, alice: Actor) -> None:
    names = organizations.Profile.__dataclass_fields__
    initial = organizations.Profile(**{name: getattr(organization, name) for name in names})

    def change(next_number: int | None = None, **fields: str) -> Act:
        row = Organization.objects.get(pk=organization.pk)
        return partial(
            organizations.change,
            row,
            profile=replace(initial, **fields),
            initial=initial,
            next_number=next_number,
            by=alice,
            now=present(),
        )

    run_behind_open_transaction(change(phone="2"), change(next_number=20, payment_instructions="IBAN 2"))
    organization.refresh_from_db()
    assert (organization.phone, organization.payment_instructions) == ("2", "IBAN 2")
    assert organization.next_invoice_number == 20


def test_concurrent_removal_of_two_owners_keeps_last_owner(organization: Organization) -> None:
    alice, bob = (organization.members.get(role=role) for role in (Role.OWNER, Role.COLLECTOR))
    bob = members.change_role(bob, role=Role.OWNER, by=events.OPERATOR, now=present())
    assert (
        refusal(
            lambda: members.remove(alice, by=events.member_actor(bob), now=present()),
            lambda: members.remove(bob, by=events.member_actor(alice), now=present()),
        )
        == "LastOwner"
    )


def test_concurrent_gateway_connects_leave_last_account_current(
    gateway_driver: GatewayDriver, organization: Organization, alice: Actor
) -> None:
    def connect() -> GatewayAccount:
        return gateway_accounts.connect(
            organization, gateway="sandbox", credentials={}, by=alice, now=present()
        )

    assert run_behind_open_transaction(connect, connect) == GatewayAccount.objects.current(organization).get()


@on_sqlite
def test_sqlite_transaction_takes_write_lock_at_begin(invoice: Invoice, alice: Actor) -> None:
    tried = ThreadEvent()

    def count() -> int:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 0")
        try:
            with transaction.atomic():
                return Invoice.objects.count()
        finally:
            tried.set()

    with pytest.raises(OperationalError, match="locked"):
        run_behind_open_transaction(
            void(invoice, alice), count, meanwhile=lambda: tried.wait(TIMEOUT_SECONDS)
        )


# A payout


def pay_out(organization: Organization, status: str) -> Act:
    return partial(
        personas.pay_out, organization, personas.payout_item(), status=protocol.PayoutStatus(status)
    )


def test_two_first_reports_of_a_payout_book_one(organization: Organization) -> None:
    second = run_behind_open_transaction(pay_out(organization, "paid"), pay_out(organization, "paid"))
    assert second == Payout.objects.get()
    assert Event.objects.filter(payout=second).count() == 2


def test_later_report_of_a_payout_waits_for_the_earlier(organization: Organization) -> None:
    pay_out(organization, "pending")()
    payout = run_behind_open_transaction(pay_out(organization, "paid"), pay_out(organization, "failed"))
    assert payout.status == "failed"
    ends = Event.objects.filter(payout=payout).exclude(type="payout.reported").order_by("pk")
    assert [event.type for event in ends] == ["payout.paid", "payout.failed"]


# Files to import


def test_confirming_an_import_waits_for_its_being_discarded(organization: Organization, alice: Actor) -> None:
    run = personas.checked_import(organization)
    discard, confirm = (
        partial(act, run, by=alice, now=present()) for act in (uploads.discard, uploads.confirm)
    )
    assert refusal(discard, confirm) == "Conflict"


# Webhooks


def test_attempt_of_a_delivery_waits_for_deletion_of_its_endpoint(
    organization: Organization, alice: Actor
) -> None:
    endpoint = personas.webhook_endpoint(organization, "https://jobs.alder.example/hooks")
    delivery = personas.webhook_delivery(endpoint)
    run_behind_open_transaction(
        partial(webhook_endpoints.delete, endpoint, by=alice, now=present()),
        partial(webhook_deliveries.record_attempt, delivery, Outcome(status=200), now=present()),
    )
    assert not WebhookDelivery.objects.exists()


def test_deleting_an_endpoint_waits_for_an_act_that_queues_a_delivery(
    organization: Organization, invoice: Invoice, alice: Actor
) -> None:
    endpoint = personas.webhook_endpoint(organization, "https://jobs.alder.example/hooks")
    run_behind_open_transaction(
        lambda: personas.request_payment(invoice),
        partial(webhook_endpoints.delete, endpoint, by=alice, now=present()),
    )
    assert not WebhookDelivery.objects.exists()
