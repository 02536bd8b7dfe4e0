"""Rows in which everything is as long as it can be: words without a space, addresses, amounts, numbers, references."""

from __future__ import annotations

from datetime import timedelta

from django.core.mail import EmailMessage

from partway.accounts.models import Organization, Role
from partway.billing import alerts, events, links
from partway.billing.documents import invoices, quotes
from partway.billing.journal import closing
from partway.billing.models import (
    Customer,
    Event,
    Import,
    Invoice,
    InvoiceLine,
    Mail,
    Payment,
    PaymentRequest,
    Quote,
    QuoteLine,
    QuoteTerms,
    WebhookDelivery,
    WebhookEndpoint,
)
from partway.billing.people import api_keys, customers, members
from partway.billing.receivables import write_offs
from partway.delivery.mail import kept_files
from partway.gateways.protocol import CheckoutState, CheckoutStatus
from partway.lib.clock import now, today
from partway.lib.money import Money
from tests.support import personas

WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunter"  # 60 letters and one
ADDRESS = f"{'a.very.long.address.' * 2}box@{'equally-long-domain.' * 4}example"
AMOUNT_MINOR = 9_876_543_210  # ten digits


def create(owner: Organization) -> None:
    """Fills the books of `owner` with long rows in every state that has a page."""
    by = personas.owner_actor(owner)
    _lengthen(owner)
    owes = personas.customer(owner, WORD, ADDRESS)
    # Closed, so that what is dated back below says in the journal where it belongs.
    yesterday = today(now(), owner.time_zone) - timedelta(days=1)
    closing.close(owner, through=yesterday, by=by, now=now())
    _invoices(owes, by)
    _quotes(owes, by)
    personas.pay_out(owner, personas.payout_item("payment", AMOUNT_MINOR, 1, ref=WORD), ref=WORD)
    personas.send_statement(owes)
    # Now the documents that were issued differ from the customer, and can be corrected.
    details = customers.CustomerDetails(WORD[::-1], ADDRESS, phone="9" * 40, address=f"{WORD}\n{WORD}")
    customers.change(owes, details=details, by=by, now=now())
    InvoiceLine.objects.update(description=f"{WORD} {WORD}")
    QuoteLine.objects.update(description=f"{WORD} {WORD}")
    Invoice.objects.update(notes=WORD)
    Quote.objects.update(notes=WORD)
    PaymentRequest.objects.update(note=WORD)
    members.invite(owner, email=ADDRESS, role=Role.READER, by=by, now=now())
    key = api_keys.NewKey(WORD, "read", now() + timedelta(days=1), networks=("2001:db8:1234:5678::/64",) * 3)
    api_keys.create(owner, new_key=key, by=by, now=now())
    Mail.objects.update(status="failed", cc=[ADDRESS, ADDRESS], bcc=[ADDRESS])
    personas.member(owner, WORD, Role.READER)
    last, amount = Payment.objects.latest("pk"), AMOUNT_MINOR
    figures = {"captured": Money(amount, "USD"), "amount": Money(amount - 1, "USD")}
    alerts.raise_for_payment("captured_amount_mismatch", last, now=now(), **figures)
    _files_and_webhooks(owner)
    message = EmailMessage(WORD, f"{WORD} {ADDRESS}", ADDRESS, [ADDRESS, f"b.{ADDRESS}"])
    kept_files.store(owner.pk, Mail.objects.latest("pk").pk, message.message().as_bytes())


def _files_and_webhooks(owner: Organization) -> None:
    """A file that is ready to be imported, and a webhook that an endpoint did not take."""
    run = personas.checked_import(owner)
    differing = [{"row": 1_234, "id": run.pk, "fields": ["address"]}]
    Import.objects.update(file_name=f"{WORD}.csv", present_count=1_234, differing=differing)
    endpoint = personas.webhook_endpoint(owner, f"https://{'equally-long-domain.' * 4}example/{WORD}")
    WebhookEndpoint.objects.update(description=WORD)
    delivery = personas.webhook_delivery(endpoint)
    delivery.attempts.create(
        number=1,
        attempted_at=now(),
        duration_ms=15_000,
        url=endpoint.url,
        request_headers={"webhook-id": delivery.pk, "webhook-signature": WORD},
        response_status=500,
        response_body=WORD,
        error_code="status",
    )
    WebhookDelivery.objects.update(status="failed", ended_at=now(), attempt_count=1)


def customer_urls() -> list[str]:
    """Returns the customer's link of each row that has one."""
    return [
        *map(links.request_url, PaymentRequest.objects.all()),
        *map(links.invoice_url, Invoice.objects.exclude(status="draft")),
        *map(links.quote_url, Quote.objects.exclude(status="draft")),
        *map(links.receipt_url, Payment.objects.all()),
        *map(links.statement_url, Event.objects.filter(type="customer.statement_sent")),
    ]


def _lengthen(owner: Organization) -> None:
    changes = {
        "name": WORD,
        "email": ADDRESS,
        "phone": "+1 555 010 4477 123456789 123456789",
        "address": f"{WORD}\n{WORD}",
        "tax_number": "9" * 40,
        "payment_instructions": f"{WORD} {'9' * 60}",
        "payment_modes": [WORD[:40], "Check", "Cash"],
        "invoice_prefix": "WWWWWWWWWWWW",
    }
    Organization.objects.filter(pk=owner.pk).update(**changes)
    QuoteTerms.objects.update_or_create(organization=owner, defaults={"prefix": "WWWWWWWWWWWW"})
    owner.refresh_from_db()


def _invoices(owes: Customer, by: events.Actor) -> None:
    asked = personas.sent_invoice(owes, AMOUNT_MINOR)
    personas.edit_invoice(asked, AMOUNT_MINOR - 1)
    personas.captured_payment(asked, 1_234_567_890)
    bounced = personas.record_check(asked, 1_012_345_678, reference="9" * 120, note=WORD)
    personas.reverse_check(bounced, reason=WORD)
    personas.request_payment(asked, 5_432_109_876, expires_at=now() + timedelta(days=2))
    paid = personas.sent_invoice(owes, AMOUNT_MINOR)
    personas.captured_payment(paid, 3_000_000_000, request=personas.request_payment(paid, 3_000_000_000))
    check = personas.record_check(paid, AMOUNT_MINOR, reference="9" * 120, note=WORD, send_receipt=True)
    personas.give_back(check, 1_111_111_111)
    sent_back = personas.captured_payment(personas.sent_invoice(owes, AMOUNT_MINOR), AMOUNT_MINOR)
    personas.refund_in_dashboard(sent_back, 1_234_567_890)
    personas.fail_refund(personas.refund_in_dashboard(sent_back, 1_111_111_111, ref="re_2"))
    disputed = personas.captured_payment(personas.sent_invoice(owes, AMOUNT_MINOR), AMOUNT_MINOR)
    due_at, fee = now() + timedelta(days=9), Money(1_234_567, disputed.captured_currency)
    personas.dispute(disputed, 1_234_567_890, evidence_due_at=due_at, fee=fee)
    personas.dispute(disputed, 2_222_222_222, "lost", ref="dp_" + 60 * "9", reason="credit_not_processed")
    personas.pending_payment(personas.sent_invoice(owes, AMOUNT_MINOR, due_in=-5), AMOUNT_MINOR)
    for statuses, ends in (
        ((CheckoutStatus.PROCESSING,), False),
        ((CheckoutStatus.PROCESSING,), True),
        ((CheckoutStatus.PROCESSING, CheckoutStatus.FAILED), False),
    ):
        payment = personas.pending_payment(personas.sent_invoice(owes, AMOUNT_MINOR), AMOUNT_MINOR)
        if ends:
            invoices.void(payment.document, by=by, now=now())
            payment.refresh_from_db()
        for status in statuses:
            state = CheckoutState(
                status, None, None, "bank_debit", "bank_debit_failed", WORD, settles_by=now()
            )
            personas.report_state(payment, state)
    lowered = personas.sent_invoice(owes, AMOUNT_MINOR)
    personas.request_payment(lowered, AMOUNT_MINOR)
    personas.captured_payment(lowered, 5_000_000_000)
    personas.settle_rest(personas.sent_invoice(owes, AMOUNT_MINOR))
    personas.draft_invoice(owes, AMOUNT_MINOR, tax_percent=19)
    invoices.void(personas.sent_invoice(owes, AMOUNT_MINOR), by=by, now=now())
    write_offs.write_off(personas.sent_invoice(owes, AMOUNT_MINOR), by=by, now=now())


def _quotes(owes: Customer, by: events.Actor) -> None:
    personas.draft_quote(owes, AMOUNT_MINOR)
    personas.sent_quote(owes, AMOUNT_MINOR)
    quotes.decline(
        personas.sent_quote(owes, AMOUNT_MINOR),
        reason=f"{WORD} {WORD}",
        by=events.customer_actor(owes),
        now=now(),
    )
    personas.accept_quote(personas.sent_quote(owes, AMOUNT_MINOR))
    Quote.objects.filter(status="accepted").update(accepted_by=WORD)
    paid = personas.accept_quote(personas.sent_quote(owes, AMOUNT_MINOR))
    personas.record_deposit_check(paid)
    invoiced = personas.accept_quote(personas.sent_quote(owes, AMOUNT_MINOR))
    personas.record_deposit_check(invoiced)
    invoice = quotes.create_invoice(invoiced, by=by, now=now())
    invoices.send(invoice, by=by, now=now(), allow_overdue=False)
