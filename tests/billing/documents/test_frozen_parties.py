"""Issued documents keep seller and customer as they were (DESIGN D9), until a member corrects an invoice."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from partway.accounts.models import Organization
from partway.billing import parties
from partway.billing.documents import invoices, quotes, versions
from partway.billing.errors import Conflict, Stale
from partway.billing.events import Actor
from partway.billing.models import Customer, Event, Invoice, Mail, Party, Payment, Quote
from partway.billing.people import customers, organizations
from partway.billing.people.customers import CustomerDetails
from partway.billing.receivables import write_offs
from partway.lib.clock import now
from tests.support import personas

Issued = Invoice | Quote | Payment


def deposit(dana: Customer) -> Payment:
    return personas.record_deposit_check(personas.accept_quote(personas.sent_quote(dana)))


def invoice_of_quote(dana: Customer) -> Invoice:
    by, accepted = personas.owner_actor(dana.organization), personas.accept_quote(personas.sent_quote(dana))
    return invoices.send(quotes.create_invoice(accepted, by=by, now=now()), by=by, now=now())


# Each act that issues something.
ISSUING: dict[str, Callable[[Customer], Issued]] = {
    "a sent invoice": personas.sent_invoice,
    "an invoice made of a quote": invoice_of_quote,
    "a sent quote": personas.sent_quote,
    "a payment through a gateway": lambda dana: personas.captured_payment(
        personas.sent_invoice(dana), 30_000
    ),
    "an offline payment": lambda dana: personas.record_check(personas.sent_invoice(dana), 30_000),
    "a deposit paid offline": deposit,
}


@pytest.fixture
def logo() -> bytes:
    picture = BytesIO()
    Image.new("RGB", (30, 10), "#c04020").save(picture, "PNG")
    return picture.getvalue()


def rename_both(dana: Customer) -> None:
    personas.change_customer(dana)
    personas.change_organization(dana.organization)


def stored(row: Issued) -> Issued:
    return type(row)._default_manager.get(pk=row.pk)


@pytest.mark.parametrize("act", ISSUING)
def test_issued_document_keeps_parties_of_its_day(dana: Customer, act: str) -> None:
    issued = ISSUING[act](dana)
    rename_both(dana)
    kept = stored(issued)
    assert (kept.seller.name, kept.recipient.name) == ("Alder Joinery", "Dana Whitfield")
    assert kept.recipient.email == "dana.whitfield@customer.example"
    assert kept.seller.email == "billing@alder.example"


@pytest.mark.parametrize("act", ISSUING)
def test_document_issued_after_a_change_shows_the_new_parties(dana: Customer, act: str) -> None:
    rename_both(dana)
    later = stored(ISSUING[act](dana))
    assert (later.seller.tax_number, later.recipient.address) == ("DE 99", "2 New Road")


@pytest.mark.parametrize("write", [personas.draft_invoice, personas.draft_quote])
def test_draft_shows_present_parties(dana: Customer, write: Callable[[Customer], Issued]) -> None:
    draft = write(dana)
    rename_both(dana)
    assert (stored(draft).seller.name, stored(draft).recipient.name) == ("Elm Joinery", "Dana Reed")


def test_invoice_of_quote_shows_parties_of_the_day_it_is_sent(dana: Customer) -> None:
    quote, by = personas.accept_quote(personas.sent_quote(dana)), personas.owner_actor(dana.organization)
    draft = quotes.create_invoice(quote, by=by, now=now())
    personas.change_customer(dana)
    invoices.send(draft, by=by, now=now())
    assert stored(quote).recipient.name == "Dana Whitfield"
    assert stored(draft).recipient.name == "Dana Reed"


def test_documents_with_equal_parties_share_their_rows(dana: Customer) -> None:
    for issue in ISSUING.values():
        issue(dana)
    assert Party.objects.count() == 2


def test_organizations_do_not_share_parties(dana: Customer) -> None:
    other = personas.customer(personas.mallory().organization)
    assert Party.of_customer(dana).id != Party.of_customer(other).id


def test_freezing_parties_takes_one_statement(dana: Customer) -> None:
    with CaptureQueriesContext(connection) as captured:
        parties.freeze(dana.organization, dana)
    assert len(captured) == 1


@pytest.mark.parametrize("number", range(8))
def test_parties_are_written_in_order_of_their_ids(organization: Organization, number: int) -> None:
    # In another order, two transactions that write the same two rows could wait for each other.
    customer = personas.customer(organization, f"Customer {number}")
    with CaptureQueriesContext(connection) as captured:
        issued = parties.freeze(organization, customer)
    places = [captured[0]["sql"].index(pk) for pk in sorted(parties.event_data(issued).values())]
    assert places == sorted(places)


def test_editing_sent_invoice_keeps_its_parties(dana: Customer) -> None:
    invoice = personas.sent_invoice(dana)
    rename_both(dana)
    edited = personas.edit_invoice(invoice, 50_000)
    assert (edited.seller.name, edited.recipient.name) == ("Alder Joinery", "Dana Whitfield")


def test_mail_goes_to_present_address_of_customer(dana: Customer, alice: Actor) -> None:
    invoice = personas.sent_invoice(dana)
    personas.change_customer(dana)
    invoices.resend(invoice, by=alice, now=now())
    assert Mail.objects.latest("created_at").to == ["dana@reed.example"]


def test_removed_logo_stays_with_documents_sent_with_it(dana: Customer, alice: Actor, logo: bytes) -> None:
    organizations.set_logo(dana.organization, sent=logo, by=alice, now=now())
    with_logo = personas.sent_invoice(dana)
    organizations.remove_logo(dana.organization, by=alice, now=now())
    without = personas.sent_invoice(dana)
    assert stored(with_logo).seller.logo is not None
    assert stored(without).seller.logo is None


# The correction


def correct(invoice: Invoice, *columns: str, version: int | None = None) -> Invoice:
    by, expected = personas.owner_actor(invoice.organization), version or invoice.version
    return invoices.correct_parties(invoice, columns=columns, expected_version=expected, by=by, now=now())


def test_correction_replaces_chosen_party_as_new_version(invoice: Invoice, dana: Customer) -> None:
    rename_both(dana)
    corrected = stored(correct(invoice, "issued_to"))
    assert (corrected.seller.name, corrected.recipient.name) == ("Alder Joinery", "Dana Reed")
    assert corrected.version == invoice.version + 1
    [(earlier, event)] = versions.previous_versions(invoice)
    assert (earlier.version, earlier.customer) == (invoice.version, "Dana Whitfield")
    assert (event.type, event.actor_label) == ("invoice.parties_corrected", "Alice")


def test_correction_mails_nobody_until_resend(invoice: Invoice, dana: Customer) -> None:
    rename_both(dana)
    before = Mail.objects.count()
    correct(invoice, "issued_by", "issued_to")
    assert Mail.objects.count() == before


def test_paid_invoice_can_be_corrected_and_receipt_stays(invoice: Invoice, dana: Customer) -> None:
    payment = personas.record_check(invoice, 100_000)
    rename_both(dana)
    correct(stored(invoice), "issued_by", "issued_to")
    assert stored(invoice).recipient.name == "Dana Reed"
    assert stored(payment).recipient.name == "Dana Whitfield"


def test_correction_back_to_earlier_parties_passes_verify(
    invoice: Invoice, dana: Customer, alice: Actor
) -> None:
    old = CustomerDetails(dana.name, dana.email)
    personas.change_customer(dana)
    corrected = correct(invoice, "issued_to")
    customers.change(dana, details=old, by=alice, now=now())
    assert correct(corrected, "issued_to").issued_to_id == invoice.issued_to_id


@pytest.mark.parametrize("columns", [(), ("issued_by",)])
def test_correction_without_change_is_refused(
    invoice: Invoice, dana: Customer, columns: tuple[str, ...]
) -> None:
    personas.change_customer(dana)
    with pytest.raises(Conflict, match="parties_unchanged"):
        correct(invoice, *columns)
    assert not Event.objects.filter(type="invoice.parties_corrected").exists()


def test_correction_of_outdated_page_is_refused(invoice: Invoice, dana: Customer) -> None:
    rename_both(dana)
    personas.edit_invoice(invoice, 50_000)
    with pytest.raises(Stale):
        correct(invoice, "issued_to", version=invoice.version - 1)


def test_draft_void_and_written_off_invoices_cannot_be_corrected(dana: Customer, alice: Actor) -> None:
    draft = personas.draft_invoice(dana)
    void = invoices.void(personas.sent_invoice(dana), by=alice, now=now())
    given_up = write_offs.write_off(personas.sent_invoice(dana), by=alice, now=now())
    rename_both(dana)
    for invoice, reason in ((draft, "draft"), (void, "void"), (given_up, "written_off")):
        with pytest.raises(Conflict, match=f"correct_{reason}_invoice"):
            correct(stored(invoice), "issued_to")
