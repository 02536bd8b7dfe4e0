"""The statement of account on the staff side: its period, its file, and the mail."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.test import Client

from partway.billing import links
from partway.billing.models import Customer, Event, Invoice, Mail
from partway.delivery.mail import rendering
from partway.lib.clock import now, today
from partway.staff.customers import statements
from tests.support import pdf_text, personas
from tests.support.html_text import text_of


@pytest.fixture
def url(invoice: Invoice) -> str:
    return f"/o/alder/customers/{invoice.customer_id}/statement/"


def test_page_shows_movements_and_closing_balance_of_this_year(
    bob: Client, invoice: Invoice, url: str
) -> None:
    personas.record_check(invoice, 30_000, reference="No. 118")
    page = bob.get(url).text
    day = today(now(), "America/New_York")
    assert f'name="from" value="{day.year}-01-01"' in page
    assert f'name="until" value="{day.isoformat()}"' in page
    for text in (f"Invoice {invoice.number}", "Check · No. 118", "Opening balance", "Closing balance"):
        assert text in page
    assert page.count("700<") >= 3  # balance of the last movement, closing, due


def test_long_statement_has_pages_that_bring_the_balance_forward(
    bob: Client, invoice: Invoice, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "PAGE_ROWS", 2)
    for _ in range(2):
        personas.record_check(invoice, 10_000)
    first, second = text_of(bob.get(url)), text_of(bob.get(f"{url}?page=2"))
    assert ("Opening balance" in first, "Closing balance" in first) == (True, False)
    assert "1–2 of 3" in first
    assert "Brought forward$900.00" in second
    assert "Closing balance$800.00" in second


def test_period_of_address_and_what_cannot_be_read(bob: Client, url: str) -> None:
    page = bob.get(f"{url}?from=2020-01-01&until=2020-12-31").text
    assert "Jan 1, 2020 – Dec 31, 2020" in page
    assert "Invoice INV" not in page
    unread = bob.get(f"{url}?from=11/12/26&currency=%00").text
    assert "“11/12/26” is not a date. Write it like 2026-11-30." in unread
    assert f"Jan 1, {today(now(), 'America/New_York').year}" in unread
    # Never another period than the page showed.
    assert bob.get(f"{url}send/?from=11/12/26").url == f"{url}?from=11%2F12%2F26"  # type: ignore[attr-defined]


def test_currency_can_be_chosen(bob: Client, invoice: Invoice, url: str) -> None:
    assert "<select" not in bob.get(url).text
    personas.sent_invoice(invoice.customer, 5_000, currency="EUR")
    page = bob.get(f"{url}?currency=EUR").text
    assert "<option selected>EUR</option>" in page
    assert "€50" in page


def test_pdf_has_the_movements_and_the_day_it_was_made(charlie: Client, invoice: Invoice, url: str) -> None:
    text = pdf_text.text(charlie.get(f"{url}pdf/").content)
    for part in ("Statement", f"Invoice {invoice.number}", "Made on", "Opening balance", "You owe $1,000.00"):
        assert part in text
    assert charlie.post(f"{url}pdf/").status_code == 405


def test_mail_goes_to_recipients_with_link_and_file(bob: Client, invoice: Invoice, url: str) -> None:
    assert "dana.whitfield@customer.example" in bob.get(f"{url}send/").text
    form = {
        "to": "dana@customer.example",
        "cc": "tax@office.example",
        "from": "2020-01-01",
        "until": "2199-12-31",
    }
    form |= {"currency": "USD", "idempotency_key": "once"}
    for _ in range(2):
        assert bob.post(f"{url}send/", form).status_code == 302
    event = Event.objects.get(type="customer.statement_sent")
    # It ends on the day of the mail, so that its holder does not learn what comes later.
    assert event.data["until"] == today(now(), "America/New_York").isoformat()
    [mail] = Mail.objects.filter(kind="statement")
    assert (mail.to, mail.cc) == (["dana@customer.example"], ["tax@office.example"])
    message = rendering.message(rendering.with_related_rows().get(pk=mail.pk))
    assert message.subject == "Statement of account from Alder Joinery: $1,000.00"
    for text in (str(message.body), str(message.alternatives[0][0])):
        assert links.statement_url(event) in text
        assert "$1,000.00" in text
    [(name, content, _type)] = message.attachments
    assert name == f"Statement-USD-2020-01-01-{event.data['until']}.pdf"
    assert pdf_text.targets(content) == [links.statement_url(event)]


def test_preview_is_the_statement_that_is_sent_but_for_its_link(bob: Client, url: str) -> None:
    typed = {"to": "dana@customer.example", "cc": "tax@office.example", "currency": "USD"}
    typed |= {"from": "2020-01-01", "until": "2199-12-31"}
    shown = bob.post(f"{url}send/", {**typed, "preview": "1"}).text
    assert not Mail.objects.filter(kind="statement").exists()
    bob.post(f"{url}send/", typed)
    message = rendering.message(Mail.objects.get(kind="statement"))
    link = links.statement_url(Event.objects.get(type="customer.statement_sent"))
    sent = str(message.alternatives[0][0]).replace(link, f"{settings.PARTWAY_URL}/s/…/")
    for part in re.split("<body[^>]*>", sent.replace("<head>", '<head><base target="_blank">')):
        assert part in shown
    [(file, _content, _type)] = message.attachments
    for header in (message.subject, typed["to"], typed["cc"], "billing@alder.example", file):
        assert header in shown
    assert "/s/" not in shown.replace("/s/…/", "")


def test_mail_without_recipient_is_refused(bob: Client, url: str) -> None:
    assert bob.post(f"{url}send/", {"to": ""}).status_code == 422
    assert bob.post(f"{url}send/", {"to": "nobody"}).status_code == 422
    refused = bob.post(f"{url}send/", {"to": "nobody", "preview": "1"})
    assert (refused.status_code, refused.headers["X-Frame-Options"]) == (422, "SAMEORIGIN")
    assert "“nobody” is not a mail address" in refused.text
    assert not Mail.objects.filter(kind="statement").exists()


def test_reader_sees_the_statement_and_cannot_send_it(charlie: Client, url: str) -> None:
    assert "send/" not in charlie.get(url).text
    assert charlie.post(f"{url}send/", {"to": "dana@customer.example"}).status_code == 403


def test_audit_log_names_who_sent_it(alice: Client, invoice: Invoice) -> None:
    personas.send_statement(Customer.objects.get())
    page = alice.get("/o/alder/settings/audit/").text
    assert "Alice sent a statement of account to dana.whitfield@customer.example" in page
