"""The attachments of mails: made when the mail is sent, with the figures of the mail."""

from __future__ import annotations

from partway.billing import outbox
from partway.billing.models import Event, Invoice, Mail
from partway.delivery.mail import rendering
from tests.support import pdf_text, personas


def _attached(mail: Mail) -> list[tuple[str, bytes, str]]:
    outgoing = rendering.message(rendering.with_related_rows().get(pk=mail.pk))
    return [tuple(attachment) for attachment in outgoing.attachments]  # type: ignore[misc]


def _receipt_context(invoice: Invoice, kind: str) -> Mail:
    personas.captured_payment(invoice, 1_000)
    return outbox.queue(
        kind, Event.objects.get(type="payment.succeeded"), outbox.Recipients(to=["dana@customer.example"])
    )


def test_invoice_mail_attaches_pdf_with_current_amount_due(invoice: Invoice) -> None:
    personas.captured_payment(invoice, 30_000)
    [(name, content, media_type)] = _attached(Mail.objects.get(invoice=invoice, kind="invoice_sent"))
    assert (name, media_type) == (f"Invoice-{invoice.number}.pdf", "application/pdf")
    assert "Total Amount Due $700.00" in pdf_text.text(content)


def test_receipt_mail_attaches_receipt_pdf(invoice: Invoice) -> None:
    [(name, content, _)] = _attached(_receipt_context(invoice, "receipt"))
    assert name == f"Receipt-{invoice.number}.pdf"
    assert "You paid $10.00" in pdf_text.text(content)


def test_other_mails_have_no_attachment(invoice: Invoice, mail: Mail) -> None:
    assert _attached(mail) == []
    assert _attached(_receipt_context(invoice, "payment_received")) == []
