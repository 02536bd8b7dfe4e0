"""No page, file or stored mail that a reader can open has a link that lets its holder pay, accept or join.

DESIGN section 12: such a link is a capability, so only those may see it who may use it (`copy_links`).
"""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from partway.accounts.models import Organization
from partway.accounts.permissions import Permission, permissions_of
from partway.billing import links
from partway.billing.events import OPERATOR
from partway.billing.models import Invoice, Mail, Quote
from partway.billing.people import members
from partway.delivery.mail import sending
from partway.delivery.mail.kinds import KINDS
from partway.gateways.protocol import CheckoutState, CheckoutStatus
from partway.lib.clock import now
from tests.staff.test_access import FOR_READERS, address  # noqa: F401 - a fixture
from tests.support import pdf_text, personas
from tests.support.personas import Team

BEARER_LINK = re.compile(r"/(?:p|i|q|join|welcome|signin/reset)/[\w-]{20,}")


@pytest.fixture
def quote(invoice: Invoice) -> Quote:
    return personas.sent_quote(invoice.customer)


@pytest.fixture
def stored_mails(
    team: Team, invoice: Invoice, quote: Quote, settings: Settings, tmp_path: Path
) -> dict[str, Mail]:
    """A stored mail of each kind that the acts of an organization queue, by kind."""
    settings.PARTWAY_HOME = tmp_path
    settings.EMAIL_BACKEND = "partway.delivery.mail.backends.FileBackend"
    personas.request_payment(invoice)
    personas.record_check(invoice, 10_000, send_receipt=True)
    personas.send_statement(invoice.customer)
    debit = personas.pending_payment(personas.sent_invoice(invoice.customer), 100_000)
    for status in (CheckoutStatus.PROCESSING, CheckoutStatus.FAILED):
        personas.report_state(debit, CheckoutState(status, None, None, "bank_debit", "", ""))
        debit.refresh_from_db()
    unwanted = personas.pending_payment(personas.sent_invoice(invoice.customer), 100_001)
    personas.report_state(
        unwanted, CheckoutState(CheckoutStatus.PROCESSING, None, None, "bank_debit", "", "")
    )
    returned = personas.captured_payment(personas.sent_invoice(invoice.customer, 30_000), 30_000)
    personas.dispute(returned, 30_000, "lost", reason="debit_returned")
    members.invite(team.organization, email="ivy@post.example", role="reader", by=OPERATOR, now=now())
    sending.send_due(now=now())
    return {mail.kind: mail for mail in Mail.objects.for_organization(team.organization)}


def test_bearer_link_pattern_matches_links(invoice: Invoice, quote: Quote) -> None:
    request = personas.request_payment(invoice)
    for link in (links.request_url(request), links.invoice_url(invoice), links.quote_url(quote)):
        assert BEARER_LINK.search(link), link


def test_reader_pages_have_no_bearer_link(address: dict[str, str], charlie: Client) -> None:  # noqa: F811
    # A spreadsheet is compressed, and has the cells of the CSV file.
    pages = [page for page in FOR_READERS if not page.endswith(("_pdf", "_xlsx"))]
    assert len(pages) > 20
    for page in pages:
        assert not BEARER_LINK.findall(b"".join(charlie.get(address[page])).decode()), page


@pytest.mark.parametrize("kind", ["invoice", "quote"])
def test_reader_pdf_has_no_link_and_collector_pdf_has_one(
    kind: str, invoice: Invoice, quote: Quote, bob: Client, charlie: Client
) -> None:
    row = {"invoice": invoice, "quote": quote}[kind]
    path = reverse(f"staff:{kind}_pdf", args=["alder", row.pk])
    assert pdf_text.targets(bob.get(path).content) == [links.payment_url(row)]
    assert pdf_text.targets(charlie.get(path).content) == []


def test_stored_mails_are_shown_to_roles_that_may_use_their_links(
    stored_mails: dict[str, Mail], alice: Client, bob: Client, charlie: Client
) -> None:
    clients = {"owner": alice, "collector": bob, "reader": charlie}
    kinds = [
        *("payment_request", "invoice_sent", "quote_sent", "invitation", "receipt", "statement"),
        *("payment_failed", "debit_returned", "debit_not_needed"),
    ]
    for kind, role, page in product(kinds, clients, ("inbox_message", "inbox_body")):
        expected = 200 if KINDS[kind].read_permission in permissions_of(role) else 404
        response = clients[role].get(reverse(f"staff:{page}", args=["alder", stored_mails[kind].pk]))
        assert response.status_code == expected, (kind, role, page)
        if role == "reader" and expected == 200:
            assert not BEARER_LINK.findall(response.content.decode()), (kind, page)


def test_stored_mail_without_row_is_shown_to_nobody(
    stored_mails: dict[str, Mail], alice: Client, charlie: Client
) -> None:
    # As after a backup was restored that is older than the file; its links work as long as their invoice is there.
    mail = stored_mails["invoice_sent"]
    Mail.objects.filter(pk=mail.pk).delete()
    for client in (alice, charlie):
        assert client.get(reverse("staff:inbox_body", args=["alder", mail.pk])).status_code == 404
        assert mail.pk not in client.get(reverse("staff:inbox", args=["alder"])).content.decode()


def test_mail_kind_with_bearer_link_is_not_for_readers(stored_mails: dict[str, Mail], alice: Client) -> None:
    for kind, mail in stored_mails.items():
        body = alice.get(reverse("staff:inbox_body", args=["alder", mail.pk])).content.decode()
        for_readers = KINDS[kind].read_permission == Permission.VIEW_STORED_MAIL
        assert for_readers != bool(BEARER_LINK.search(body)), kind


def test_receipt_page_of_reversed_check_leads_to_no_page_to_pay_on(
    organization: Organization, invoice: Invoice
) -> None:
    check = personas.reverse_check(personas.record_check(invoice, 10_000))
    page = Client().get(links.receipt_url(check).partition("//")[2].partition("/")[2].join(("/", "")))
    assert page.status_code == 200
    assert not BEARER_LINK.findall(page.content.decode())
