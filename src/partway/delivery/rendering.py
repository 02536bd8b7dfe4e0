"""Turns a mail's row into a message at the moment it is sent: words, figures and links (DESIGN R8)."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from email.utils import formataddr, parseaddr
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse

from partway.accounts.models import Organization
from partway.billing import links
from partway.billing.models import Invoice, Mail, Payment
from partway.lib.money import Money

from . import documents
from .receipts import receipt
from .templatetags.partway import local_day

Context = dict[str, Any]
Row = TypeVar("Row")


class Letter(EmailMultiAlternatives):
    """A message that knows which row it is, so that it can be kept and recognized."""

    organization_id = ""
    mail_id = ""


def mails_with_everything() -> QuerySet[Mail]:
    """Mails with the rows their text is made from, in one query."""
    return Mail.objects.select_related(
        "organization", "invoice__customer", "payment_request", "payment__organization", "payment__invoice"
    )


def message(mail: Mail) -> Letter:
    """The message of this mail, with its links and its document. Raises KeyError for a kind that is not in KINDS."""
    organization = mail.organization
    context = {"organization": organization, "mail": mail, **KINDS[mail.kind](mail)}
    context["subject"] = one_line(context["subject"])
    letter = Letter(
        subject=context["subject"],
        body=render_to_string(f"mail/{mail.kind}.txt", context).strip() + "\n",
        from_email=_sender(organization),
        to=mail.to,
        cc=mail.cc,
        bcc=mail.bcc,
        reply_to=[mail.reply_to or organization.email],
        headers={"Message-ID": f"<{mail.id}@{_host()}>", "Auto-Submitted": "auto-generated"},
    )
    letter.attach_alternative(render_to_string(f"mail/{mail.kind}.html", context), "text/html")
    if mail.kind in ATTACHED:
        file = ATTACHED[mail.kind](mail)
        letter.attach(file.name, file.content, file.media_type)
    letter.organization_id, letter.mail_id = organization.id, mail.id
    return letter


def one_line(text: str) -> str:
    """`text` fit for a header: no line breaks, no control characters."""
    kept = "".join(letter if unicodedata.category(letter) != "Cc" else " " for letter in text)
    return " ".join(kept.split())


def stages(total: Money, paid: Money, requested: Money) -> list[tuple[str, int]]:
    """The stage bar as table cells: (part, percent) that add up to 100, without the empty parts."""
    if not total:
        return [("left", 100)]
    parts = {"paid": paid, "requested": requested, "left": total - paid - requested}
    shown = {
        name: max(1, part.amount_minor * 100 // total.amount_minor)
        for name, part in parts.items()
        if part.amount_minor > 0
    }
    widest = max(shown, key=lambda name: shown[name])
    shown[widest] += 100 - sum(shown.values())
    return list(shown.items())


def _invoice_sent(mail: Mail) -> Context:
    invoice = _present(mail.invoice)
    what = f"{invoice.amount_due} due" if invoice.amount_due else "paid"
    return {
        **_as_it_stands(invoice, Money(0, invoice.currency)),
        "subject": f"Invoice {invoice.number} from {mail.organization.name}: {what}",
        "url": links.invoice_url(invoice),
    }


def _payment_request(mail: Mail) -> Context:
    request, invoice = _present(mail.payment_request), _present(mail.invoice)
    requested = request.amount_requested
    return {
        **_as_it_stands(invoice, requested),
        "subject": f"{mail.organization.name} asks for {requested} (invoice {invoice.number})",
        "request": request,
        "url": links.request_url(request),
    }


def _receipt(mail: Mail) -> Context:
    payment = _present(mail.payment)
    figures = _after_payment(payment)
    captured = figures["receipt"].captured
    return {
        **figures,
        "subject": f"Receipt: {captured} paid to {mail.organization.name} (invoice {payment.invoice.number})",
        "url": links.receipt_url(payment),
    }


def _payment_received(mail: Mail) -> Context:
    payment = _present(mail.payment)
    invoice, figures = payment.invoice, _after_payment(payment)
    page = reverse("staff:invoice", args=[mail.organization.slug, invoice.id])
    return {
        **figures,
        "subject": f"{invoice.customer.name} paid {figures['receipt'].captured} (invoice {invoice.number})",
        "url": f"{settings.PARTWAY_URL}{page}",
    }


KINDS: dict[str, Callable[[Mail], Context]] = {
    "invoice_sent": _invoice_sent,
    "payment_request": _payment_request,
    "receipt": _receipt,
    "payment_received": _payment_received,
}

# What goes along as a file. It is set when the mail is sent, so that it says what the mail says.
ATTACHED: dict[str, Callable[[Mail], documents.File]] = {
    "invoice_sent": lambda mail: documents.of_invoice(_present(mail.invoice)),
    "receipt": lambda mail: documents.of_payment(_present(mail.payment)),
}


def _as_it_stands(invoice: Invoice, requested: Money) -> Context:
    return {
        "invoice": invoice,
        "requested": requested,
        "pay_words": f"Pay {requested}",
        "due_on": local_day(invoice.due_on),
        "left": invoice.amount_due - requested,
        "stages": stages(invoice.total, invoice.amount_paid, requested),
    }


def _after_payment(payment: Payment) -> Context:
    paid = receipt(payment)
    nothing = Money(0, paid.total.currency)
    return {"invoice": payment.invoice, "receipt": paid, "stages": stages(paid.total, paid.paid, nothing)}


def _present(row: Row | None) -> Row:
    if row is None:
        raise LookupError("this mail's row does not say what the mail is about")
    return row


def _sender(organization: Organization) -> str:
    """From the organization itself, or through one address that the mail server may send from."""
    shared = parseaddr(settings.PARTWAY_MAIL_FROM)[1] if settings.PARTWAY_MAIL_FROM else ""
    name = one_line(organization.name)
    return formataddr((f"{name} via Partway", shared) if shared else (name, organization.email))


def _host() -> str:
    return urlsplit(settings.PARTWAY_URL).hostname or "localhost"
