"""Tests of the checks of frozen parties and logos (D9)."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from partway.accounts.models import Logo
from partway.billing.documents import invoices
from partway.billing.models import Customer, Event, Invoice, Party, Payment, Quote
from partway.billing.people import organizations
from partway.lib.clock import now
from tests.billing.verification.corruption import Case, is_detected, overwrite, without_constraint
from tests.support import personas

SENT, PAID = Invoice.objects.filter(sent_at__isnull=False), Payment.objects.filter(status="succeeded")
NOT_SAID, ALTERED = "its event says", "was altered"


@pytest.fixture
def documents(dana: Customer) -> None:
    """A quote, an invoice with a payment and one that was corrected, under a logo."""
    by, picture = personas.owner_actor(dana.organization), BytesIO()
    Image.new("RGB", (30, 10)).save(picture, "PNG")
    organizations.set_logo(dana.organization, sent=picture.getvalue(), by=by, now=now())
    personas.sent_quote(dana)
    invoice = personas.sent_invoice(dana)
    personas.captured_payment(invoice, 30_000)
    personas.change_customer(dana)
    columns = {"columns": ["issued_to"], "expected_version": invoice.version}
    invoices.correct_parties(invoice, **columns, by=by, now=now())


def swapped(rows: object) -> Case:
    """Makes a document one from its customer to its seller."""

    def corruption() -> str:
        row = rows.order_by("pk")[0]  # type: ignore[attr-defined]
        ids = {"issued_by": row.issued_to_id, "issued_to": row.issued_by_id}
        type(row).objects.filter(pk=row.pk).update(**ids)
        return str(row.pk)

    return "D9", NOT_SAID, corruption


def before_the_correction() -> str:
    """Gives the invoice back the customer that a correction replaced."""
    event = Event.objects.get(type="invoice.parties_corrected")
    Invoice.objects.filter(pk=event.invoice_id).update(issued_to=event.data["before"]["issued_to"])
    return str(event.invoice_id)


CORRUPTIONS: dict[str, Case] = {
    "other parties of an invoice": swapped(SENT),
    "other parties of a quote": swapped(Quote.objects),
    "other parties of a receipt": swapped(PAID),
    "a correction that was taken back": ("D9", NOT_SAID, before_the_correction),
    "an invoice of no parties": (
        "D9",
        NOT_SAID,
        without_constraint(
            Invoice, "invoice_parties_when_issued", overwrite(SENT, issued_by=None, issued_to=None)
        ),
    ),
    "a party of another name": (
        "D9",
        ALTERED,
        overwrite(Party, name="Mallory", email="mallory@evil.example"),
    ),
    "a party of another organization's language": ("D9", ALTERED, overwrite(Party, locale="fr_FR")),
    "another logo": ("D9", ALTERED, overwrite(Logo, content=b"another")),
}


@pytest.mark.parametrize("what", CORRUPTIONS)
def test_verify_finds_altered_parties(documents: None, what: str) -> None:
    assert is_detected(CORRUPTIONS[what])


def test_verify_finds_parties_of_another_organization(documents: None) -> None:
    theirs = personas.sent_invoice(personas.customer(personas.mallory().organization))
    assert is_detected(("D5", "and issued_to", overwrite(SENT, issued_to=theirs.issued_to)))
