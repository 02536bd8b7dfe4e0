"""Quotes: the list, the editor, the page of one, and every act on it."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.http import HttpResponse
from django.test import Client

from partway.accounts.models import Organization
from partway.billing import events, links
from partway.billing.documents import invoices, quote_terms, quotes
from partway.billing.documents.drafts import LineDraft
from partway.billing.models import Alert, Customer, Event, Invoice, Payment, Quote, QuoteTerms
from partway.lib.clock import now, today
from tests.staff.confirmation_pages import confirm_page, hidden_fields
from tests.support import personas

LINES = {
    "lines.0.description": "Oak staircase",
    "lines.0.quantity": "1",
    "lines.0.unit_amount": "1000.00",
    "lines.0.tax_percent": "",
}


@pytest.fixture
def quote(dana: Customer) -> Quote:
    """A quote over $1,000.00 with a deposit of $300.00, in Sent status."""
    return personas.sent_quote(dana)


def text_of(response: HttpResponse) -> str:
    """Returns the visible text, with spaces folded."""
    return " ".join(re.sub(r"<[^>]+>", "", response.content.decode()).split())


def page_of(client: Client, quote: Quote) -> str:
    return text_of(client.get(f"/o/alder/quotes/{quote.pk}/"))


def typed(dana: Customer, **changes: str) -> dict[str, str]:
    day = (now() + timedelta(days=20)).date().isoformat()
    form = {"customer": dana.pk, "currency": "USD", "valid_until": day, "discount_kind": "", "notes": ""}
    return {**form, **LINES, **changes}


def act(client: Client, quote: Quote, name: str, **fields: str) -> HttpResponse:
    return client.post(f"/o/alder/quotes/{quote.pk}/{name}/", fields)


def test_quote_can_be_saved_for_a_new_customer(bob: Client, dana: Customer) -> None:
    nora = {"customer": "new", "new_customer_name": "Nora N.", "new_customer_email": "nora@customer.example"}
    assert bob.post("/o/alder/quotes/new/", typed(dana, **nora)).status_code == 302
    made = Quote.objects.get()
    assert made.customer.email == "nora@customer.example"
    edited = {**typed(dana, **nora), "new_customer_name": "Otis O.", "version": "1"}
    assert bob.post(f"/o/alder/quotes/{made.pk}/edit/", edited).status_code == 302
    made.refresh_from_db()
    assert made.customer.name == "Otis O."


# The list


def test_empty_quote_list_offers_new_quote(bob: Client, charlie: Client, dana: Customer) -> None:
    assert "New quote" in text_of(bob.get("/o/alder/quotes/"))
    assert "New quote" not in text_of(charlie.get("/o/alder/quotes/"))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["QUO-0001", "QUO-0002", "Draft"]),
        ("?status=sent", ["QUO-0001"]),
        ("?status=accepted", ["QUO-0002"]),
        ("?status=draft", ["Draft"]),
        ("?status=nonsense", ["QUO-0001", "QUO-0002", "Draft"]),
        ("?q=0002", ["QUO-0002"]),
        ("?q=whitfield", ["QUO-0001"]),
        ("?q=nobody", []),
        ("?sort=-total", ["QUO-0001", "QUO-0002", "Draft"]),
        ("?q=%00", ["QUO-0001", "QUO-0002", "Draft"]),
    ],
)
def test_quote_list_search_and_status_filter(
    charlie: Client, quote: Quote, query: str, found: list[str]
) -> None:
    eve = personas.customer(quote.organization, "Eve Adams")
    personas.accept_quote(personas.sent_quote(eve))
    personas.draft_quote(eve)
    page = charlie.get(f"/o/alder/quotes/{query}").content.decode()
    rows = re.findall(r'class="row-link"[^>]*>([^<]+)<', page)
    assert sorted(rows) == sorted(found)


def test_quote_list_sorts_and_finds_numbers_by_their_key(charlie: Client, dana: Customer) -> None:
    draft = personas.draft_quote(dana).pk
    made = []
    for number in ("2025-9", "2025-0010", "QUO-999", "quo-1000"):
        row = personas.sent_quote(dana)
        Quote.objects.filter(pk=row.pk).update(number=number)
        made.append(row.pk)

    def listed(query: str) -> list[str]:
        page = charlie.get(f"/o/alder/quotes/?{query}").context["page"]
        return [row.pk for row in page.entries]

    assert listed("sort=number") == [*made, draft]
    assert listed("sort=-number") == [draft, *made[::-1]]
    assert listed("q=QUO-01000") == made[3:]


def test_quote_list_sorts_and_finds_customers_without_capitals_and_accents(
    charlie: Client, organization: Organization
) -> None:
    made = {
        name: personas.sent_quote(personas.customer(organization, name, email="x@customer.example")).pk
        for name in ("Zürcher", "zebra", "Ärzte Zentrum")
    }

    def listed(query: str) -> list[str]:
        page = charlie.get(f"/o/alder/quotes/?{query}").context["page"]
        return [row.pk for row in page.entries]

    in_order = [made[name] for name in ("Ärzte Zentrum", "zebra", "Zürcher")]
    assert listed("sort=customer") == listed("sort=-customer")[::-1] == in_order
    assert listed("q=ärzte") == listed("q=AERZTE+quo-3") == in_order[:1]


def test_quote_editor_offers_customers_in_order_of_their_names(
    bob: Client, organization: Organization
) -> None:
    for name in ("Zürcher", "zebra", "Ärzte Zentrum"):
        personas.customer(organization, name, email="x@customer.example")
    page = bob.get("/o/alder/quotes/new/").content.decode()
    assert page.index("Ärzte Zentrum<") < page.index("zebra<") < page.index("Zürcher<")


def test_quote_list_groups_totals_by_currency(charlie: Client, dana: Customer) -> None:
    made = [
        personas.draft_quote(dana, total_minor, currency=currency).pk
        for currency, total_minor in (("JPY", 900_000), ("USD", 10_000), ("USD", 20_000))
    ]
    page = charlie.get("/o/alder/quotes/?sort=total").context["page"]
    assert [row.pk for row in page.entries] == made


def test_quote_list_row_shows_deposit_status(charlie: Client, dana: Customer) -> None:
    personas.sent_quote(dana)
    personas.accept_quote(personas.sent_quote(dana))
    personas.record_deposit_check(personas.accept_quote(personas.sent_quote(dana)))
    personas.accept_quote(personas.sent_quote(dana, percent="0"))
    text = text_of(charlie.get("/o/alder/quotes/"))
    for message in ("On acceptance", "Due", "Paid", "None"):
        assert message in text


def test_quote_list_query_count_is_constant(
    charlie: Client, dana: Customer, django_assert_max_num_queries: object
) -> None:
    for _ in range(6):
        personas.accept_quote(personas.sent_quote(dana))
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        charlie.get("/o/alder/quotes/")


# The editor


def test_new_quote_is_saved_with_deposit(bob: Client, dana: Customer) -> None:
    form = typed(dana, deposit_kind="percent", deposit_percent="12.5")
    response = bob.post("/o/alder/quotes/new/", form)
    made = Quote.objects.get()
    assert response.headers["Location"] == f"/o/alder/quotes/{made.pk}/"
    assert (made.total_minor, made.deposit_minor, made.deposit_percent) == (
        100_000,
        12_500,
        Decimal("12.5"),
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"deposit_kind": "percent", "deposit_percent": ""}, "deposit_percent"),
        ({"deposit_kind": "percent", "deposit_percent": "101"}, "deposit_percent"),
        ({"deposit_kind": "amount", "deposit_amount": "1000.01"}, "deposit_amount"),
        ({"deposit_kind": "amount", "deposit_amount": "x"}, "deposit_amount"),
        ({"deposit_kind": "odd"}, "deposit_kind"),
        ({"valid_until": "soon"}, "valid_until"),
        ({"customer": "cus_of_somebody_else"}, "customer"),
        ({"currency": "XXX"}, "currency"),
    ],
)
def test_invalid_quote_input_is_marked_and_kept(
    bob: Client, dana: Customer, changes: dict[str, str], field: str
) -> None:
    response = bob.post("/o/alder/quotes/new/", typed(dana, **changes))
    page = response.content.decode()
    assert response.status_code == 422
    assert f'id="id-{field}-error"' in page
    assert 'value="Oak staircase"' in page
    assert not Quote.objects.exists()


def usual(organization: Organization, **columns: object) -> None:
    terms = {"deposit_kind": "percent", "deposit_percent": Decimal(30), "deposit_threshold_minor": 50_000}
    by = personas.owner_actor(organization)
    quote_terms.change(organization, terms=QuoteTerms(**{**terms, **columns}), by=by, now=now())


def test_new_quote_form_starts_with_default_deposit(
    bob: Client, organization: Organization, dana: Customer
) -> None:
    usual(organization)
    page = bob.get("/o/alder/quotes/new/").content.decode()
    assert '<option value="usual" selected>As usual: 30% from $500.00 on</option>' in page
    for price, deposit_minor in (("1000.00", 30_000), ("499.99", 0)):
        form = typed(dana, deposit_kind="usual", **{"lines.0.unit_amount": price})
        assert bob.post("/o/alder/quotes/new/", form).status_code == 302
        assert Quote.objects.latest("created_at", "pk").deposit_minor == deposit_minor


def test_quote_total_preview_names_deposit_that_cannot_be_paid_online(bob: Client, dana: Customer) -> None:
    form = typed(dana, currency="KWD", deposit_kind="amount", deposit_amount="10.0050", operation="figures")
    page = bob.post("/o/alder/quotes/new/", form).content.decode()
    assert "KWD\u00a010.005 cannot be paid online: make the deposit a multiple of KWD\u00a00.010." in page
    assert "edit-preview" not in bob.post("/o/alder/quotes/new/", {**form, "deposit_amount": "10.010"}).text


def test_quote_total_preview_includes_deposit_and_saves_nothing(bob: Client, dana: Customer) -> None:
    form = typed(dana, deposit_kind="percent", deposit_percent="30", operation="figures", customer="")
    text = text_of(bob.post("/o/alder/quotes/new/", form))
    assert "Total$1,000.00" in text.replace(" ", "")
    assert "Deposit$300.00" in text.replace(" ", "")
    assert not Quote.objects.exists()


def test_draft_quote_is_edited(bob: Client, dana: Customer) -> None:
    draft = personas.draft_quote(dana)
    page = bob.get(f"/o/alder/quotes/{draft.pk}/edit/").content.decode()
    assert 'name="deposit_percent" value="30"' in page
    form = typed(dana, deposit_kind="amount", deposit_amount="50", version="1")
    assert act(bob, draft, "edit", **form).status_code == 302
    assert Quote.objects.get().deposit_minor == 5_000


def test_stale_quote_edit_shows_both_versions(bob: Client, dana: Customer) -> None:
    draft = personas.draft_quote(dana)
    act(bob, draft, "edit", **typed(dana, version="1", notes="First"))
    response = act(bob, draft, "edit", **typed(dana, version="1", notes="Second"))
    assert response.status_code == 409
    assert "This draft was changed in the meantime" in text_of(response)
    assert "“First”" in text_of(response)
    assert Quote.objects.get().notes == "First"


def test_a_sent_quote_cannot_be_edited(bob: Client, quote: Quote, dana: Customer) -> None:
    assert bob.get(f"/o/alder/quotes/{quote.pk}/edit/").status_code == 302
    assert act(bob, quote, "edit", **typed(dana, version="1")).status_code == 409


# The detail page


def test_quote_page_explains_why_no_payment_is_requested(charlie: Client, bob: Client, quote: Quote) -> None:
    for client in (bob, charlie):
        page = page_of(client, quote)
        assert "no part of it can be requested" in page
        assert ">Request Payment<" not in page
    assert bob.get(f"/o/alder/invoices/{quote.pk}/request/").status_code == 404


def test_quote_page_shows_acceptance_evidence(charlie: Client, quote: Quote) -> None:
    text = page_of(charlie, personas.accept_quote(quote))
    assert "Dana W." in text
    assert "192.0.2.7" in text


def test_quote_timeline_describes_events_in_sentences(bob: Client, quote: Quote) -> None:
    act(bob, quote, "resend")
    quotes.mark_opened(quote, now=now())
    personas.record_deposit_check(personas.accept_quote(quote))
    confirm_page(bob, f"/o/alder/quotes/{quote.pk}/invoice/")
    text = page_of(bob, quote)
    for sentence in (
        "Alice wrote this quote",
        "Alice sent the quote to dana.whitfield@customer.example",
        "Bob sent the quote again to dana.whitfield@customer.example",
        "Dana Whitfield opened the quote",
        "Dana W. accepted the quote",
        "Alice recorded the deposit of $300.00 (Check)",
        "Bob made an invoice of this quote",
    ):
        assert sentence in text


def test_quote_timeline_shows_decline_reason(charlie: Client, quote: Quote) -> None:
    quotes.decline(quote, reason="Too dear.", by=events.customer_actor(quote.customer), now=now())
    assert "Too dear." in page_of(charlie, quote)


def test_quote_page_with_payments_disabled_links_to_payment_settings(alice: Client, quote: Quote) -> None:
    personas.accept_quote(quote)
    Organization.objects.update(payments_enabled=False)
    assert "cannot pay the deposit online. Open payment settings" in page_of(alice, quote)


# Acts


def test_sending_quote_assigns_number(bob: Client, dana: Customer) -> None:
    draft = personas.draft_quote(dana)
    assert "paid in full on acceptance" in text_of(bob.get(f"/o/alder/quotes/{draft.pk}/send/"))
    confirm_page(bob, f"/o/alder/quotes/{draft.pk}/send/")
    assert (Quote.objects.get().status, Quote.objects.get().number) == ("sent", "QUO-0001")


def test_unsendable_quote_shows_reason(bob: Client, dana: Customer) -> None:
    draft = personas.draft_quote(dana)
    Quote.objects.update(valid_until=now().date() - timedelta(days=3))
    page = bob.get(f"/o/alder/quotes/{draft.pk}/send/")
    assert "The last day of this quote is over" in text_of(page)
    assert ">Send quote</button>" not in page.content.decode()
    response = confirm_page(bob, f"/o/alder/quotes/{draft.pk}/send/")
    assert response.status_code == 422
    assert "This day is over" in text_of(response)


def test_quote_edited_meanwhile_is_shown_again_before_send(
    alice: Client, bob: Client, dana: Customer
) -> None:
    draft = personas.draft_quote(dana)
    page = alice.get(f"/o/alder/quotes/{draft.pk}/send/")
    form = typed(dana, version="1", deposit_kind="percent", deposit_percent="90")
    act(bob, draft, "edit", **form)
    response = act(alice, draft, "send", **hidden_fields(page))
    assert (response.status_code, Quote.objects.get().status) == (409, "draft")
    assert "This was changed in the meantime" in text_of(response)
    assert "$900.00, paid in full on acceptance" in text_of(response)
    assert act(alice, draft, "send", **hidden_fields(response)).status_code == 302


def test_quote_edited_meanwhile_is_not_turned_into_invoice(
    alice: Client, bob: Client, dana: Customer
) -> None:
    draft = personas.draft_quote(dana)
    page = alice.get(f"/o/alder/quotes/{draft.pk}/invoice/")
    act(bob, draft, "edit", **typed(dana, version="1", **{"lines.0.unit_amount": "9,000.00"}))
    confirm_page(bob, f"/o/alder/quotes/{draft.pk}/send/")
    personas.accept_quote(draft)
    response = act(alice, draft, "invoice", **hidden_fields(page))
    assert (response.status_code, Invoice.objects.count()) == (409, 0)
    assert "$9,000.00 in all" in text_of(response)


def test_quote_link_is_shown_only_while_valid(bob: Client, quote: Quote) -> None:
    link = links.quote_url(quote)
    assert link in bob.get(f"/o/alder/quotes/{quote.pk}/link/").content.decode()
    quotes.decline(quote, reason="", by=events.customer_actor(quote.customer), now=now())
    assert link not in bob.get(f"/o/alder/quotes/{quote.pk}/link/").content.decode()


def deposit_form(**changes: str) -> dict[str, str]:
    day = today(now(), "America/New_York").isoformat()
    return {"method": "Check", "paid_on": day, "reference": "No. 7", "note": "By post.", **changes}


def test_a_deposit_is_recorded_in_full_whatever_amount_is_posted(bob: Client, quote: Quote) -> None:
    personas.accept_quote(quote)
    page = bob.get(f"/o/alder/quotes/{quote.pk}/deposit/").content.decode()
    assert "$300" in page
    assert 'name="amount' not in page
    act(bob, quote, "deposit", **deposit_form(), amount="1.00", amount_minor="100")
    payment = Payment.objects.get()
    assert (payment.captured_minor, payment.reference, payment.note) == (30_000, "No. 7", "By post.")
    assert "By post." in page_of(bob, quote)


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"method": ""}, "method"), ({"paid_on": "2100-01-01"}, "paid_on"), ({"paid_on": ""}, "paid_on")],
)
def test_invalid_deposit_input_is_refused_on_field(
    bob: Client, quote: Quote, changes: dict[str, str], field: str
) -> None:
    personas.accept_quote(quote)
    response = act(bob, quote, "deposit", **deposit_form(**changes))
    assert response.status_code == 422
    assert f'id="id-{field}-error"' in response.content.decode()
    assert not Payment.objects.exists()


def test_deposit_that_is_not_due_cannot_be_recorded(bob: Client, quote: Quote) -> None:
    assert "once the quote is accepted" in text_of(bob.get(f"/o/alder/quotes/{quote.pk}/deposit/"))
    personas.record_deposit_check(personas.accept_quote(quote))
    assert act(bob, quote, "deposit", **deposit_form()).status_code == 409
    assert Payment.objects.count() == 1


def test_quote_and_its_invoice_link_to_each_other(bob: Client, quote: Quote) -> None:
    personas.record_deposit_check(personas.accept_quote(quote))
    made = confirm_page(bob, f"/o/alder/quotes/{quote.pk}/invoice/")
    invoice = Invoice.objects.get()
    assert made.headers["Location"] == f"/o/alder/invoices/{invoice.pk}/"
    draft = text_of(bob.get(f"/o/alder/invoices/{invoice.pk}/"))
    assert "Deposit of $300.00 from QUO-0001: it is applied to this invoice once you send it." in draft
    confirm_page(bob, f"/o/alder/invoices/{invoice.pk}/send/")
    sent = text_of(bob.get(f"/o/alder/invoices/{invoice.pk}/"))
    assert "Deposit of $300.00 from QUO-0001." in sent
    assert "The deposit of $300.00 from QUO-0001 was put on this invoice" in sent
    assert "Alice" not in sent.partition("Timeline")[2].partition("made this invoice of QUO-0001")[0]
    assert f"/o/alder/invoices/{invoice.pk}/" in bob.get(f"/o/alder/quotes/{quote.pk}/").content.decode()


def test_deposit_larger_than_invoice_is_shown_on_invoice_and_as_alert(bob: Client, quote: Quote) -> None:
    personas.record_deposit_check(personas.accept_quote(quote))
    by = personas.owner_actor(quote.organization)
    invoice = quotes.create_invoice(quote, by=by, now=now())
    lines = (LineDraft("Less", Decimal(1), 20_000, Decimal(0)),)
    draft = invoices.InvoiceDraft(customer=quote.customer, currency="USD", due_on=invoice.due_on, lines=lines)
    invoices.edit(invoice, draft=draft, expected_version=1, by=by, now=now())
    assert "$100.00 of it is more than the total of this invoice and becomes" in text_of(
        bob.get(f"/o/alder/invoices/{invoice.pk}/")
    )
    invoices.send(invoice, by=by, now=now())
    assert "Deposit of $300.00 from QUO-0001. $100.00 of it is the customer's credit." in text_of(
        bob.get(f"/o/alder/invoices/{invoice.pk}/")
    )
    assert Alert.objects.get().kind == "deposit_unallocated"
    assert "QUO-0001Dana Whitfield" in text_of(bob.get("/o/alder/attention/"))


def test_creating_quote_invoice_warns_of_unpaid_deposit(bob: Client, quote: Quote) -> None:
    personas.accept_quote(quote)
    page = text_of(bob.get(f"/o/alder/quotes/{quote.pk}/invoice/"))
    assert "The deposit of $300.00 is not paid." in page


def test_unaccepted_quote_cannot_become_invoice(bob: Client, quote: Quote) -> None:
    assert act(bob, quote, "invoice").status_code == 409
    assert not Invoice.objects.exists()


# Settings


def test_owner_sets_quote_terms(alice: Client, organization: Organization) -> None:
    form = {
        "prefix": "OFFER-",
        "deposit_kind": "amount",
        "deposit_amount": "250",
        "deposit_threshold": "1000",
    }
    assert alice.post("/o/alder/settings/quotes/", form).status_code == 302
    terms = quote_terms.get(organization)
    assert (terms.prefix, terms.deposit_kind) == ("OFFER-", "amount")
    assert (terms.deposit_amount_minor, terms.deposit_threshold_minor) == (25_000, 100_000)
    assert 'value="250.00"' in alice.get("/o/alder/settings/quotes/").content.decode()
    assert Event.objects.filter(type="organization.quote_terms_changed").exists()


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"deposit_kind": "percent", "deposit_percent": "0"}, "deposit_percent"),
        ({"deposit_kind": "percent", "deposit_percent": "many"}, "deposit_percent"),
        ({"deposit_kind": "amount", "deposit_amount": ""}, "deposit_amount"),
        ({"deposit_kind": "percent", "deposit_percent": "5", "deposit_threshold": "-1"}, "deposit_threshold"),
        ({"prefix": "x" * 13}, "prefix"),
    ],
)
def test_invalid_quote_terms_are_marked(alice: Client, form: dict[str, str], field: str) -> None:
    response = alice.post("/o/alder/settings/quotes/", form)
    assert response.status_code == 422
    assert f'id="id-{field}-error"' in response.content.decode()
    assert not QuoteTerms.objects.exists()


@pytest.mark.parametrize("page", ["", "new/", "{id}/", "{id}/deposit/", "{id}/link/"])
def test_quote_pages_have_no_inline_script_or_style(alice: Client, quote: Quote, page: str) -> None:
    personas.accept_quote(quote)
    text = alice.get(f"/o/alder/quotes/{page.format(id=quote.pk)}").content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert "<style" not in text
    assert not re.search(r"\s(style|on[a-z]+)=", text)


def test_deposit_paid_before_quote_was_sent_is_asked_about_once(bob: Client, quote: Quote) -> None:
    personas.accept_quote(quote)
    day = (now() - timedelta(days=9)).date().isoformat()
    page = act(bob, quote, "deposit", **deposit_form(paid_on=day))
    assert "This is before the quote was sent (" in text_of(page)
    assert not Payment.objects.exists()
    assert act(bob, quote, "deposit", **deposit_form(paid_on=day), **hidden_fields(page)).status_code == 302
    assert Payment.objects.get().paid_on == date.fromisoformat(day)


@pytest.mark.parametrize("valid_until", ["2014-01-01", "2206-11-30", "0026-11-30", "20226-11-30", "26-11-30"])
def test_implausible_last_day_of_quote_is_refused(bob: Client, dana: Customer, valid_until: str) -> None:
    answer = bob.post("/o/alder/quotes/new/", typed(dana, valid_until=valid_until))
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"valid_until"}
