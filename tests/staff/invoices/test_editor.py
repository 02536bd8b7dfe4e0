"""The invoice editor: lines, discount, dates and amounts as members type them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from partway.accounts.models import Organization
from partway.billing.documents import invoices
from partway.billing.models import Customer, Event, Invoice
from partway.lib.clock import now
from tests.support import personas

NEW = "/o/alder/invoices/new/"


def typed(dana: Customer, **changes: str) -> dict[str, str]:
    """Returns a valid form with one line; `lines__0__quantity` in `changes` stands for `lines.0.quantity`."""
    form = {
        "customer": dana.pk,
        "currency": "USD",
        "due_on": "2026-12-24",
        "discount_kind": "",
        "lines.0.description": "Oak staircase",
        "lines.0.quantity": "1",
        "lines.0.unit_amount": "1,000.00",
        "lines.0.tax_percent": "",
    }
    return {**form, **{name.replace("__", "."): text for name, text in changes.items()}}


def save(client: Client, dana: Customer, **changes: str) -> Any:
    return client.post(NEW, typed(dana, **changes))


def test_new_invoice_form_starts_with_organization_currency(bob: Client, dana: Customer) -> None:
    page = bob.get(f"{NEW}?customer={dana.pk}").content.decode()
    assert 'name="currency" value="USD"' in page
    assert f'value="{dana.pk}" checked' in page
    assert 'name="lines.2.description"' in page  # spare rows, for browsers without scripts


def test_saving_invoice_creates_draft_and_redirects(bob: Client, dana: Customer) -> None:
    response = save(bob, dana, notes="Thank you")
    made = Invoice.objects.get()
    assert response.headers["Location"] == f"/o/alder/invoices/{made.pk}/"
    assert (made.status, made.total_minor, made.notes) == ("draft", 100_000, "Thank you")
    assert made.due_on.isoformat() == "2026-12-24"


def test_draft_is_due_days_after_sending_and_its_editor_shows_them_again(bob: Client, dana: Customer) -> None:
    save(bob, dana, due_kind="days", due_days="21", due_on="")
    made = Invoice.objects.get()
    assert made.due_days == 21
    form = bob.get(f"/o/alder/invoices/{made.pk}/edit/").context["form"]
    assert (form["due_kind"].value(), form["due_days"].value()) == ("days", "21")
    for path in ("", f"{made.pk}/"):
        assert "21 days after sending" in bob.get(f"/o/alder/invoices/{path}").content.decode()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"due_kind": "days", "due_days": ""}, "due_days"),
        ({"due_kind": "days", "due_days": "366"}, "due_days"),
        ({"due_kind": "date", "due_on": "", "due_days": "14"}, "due_on"),
    ],
)
def test_invalid_terms_of_payment_are_marked(
    bob: Client, dana: Customer, changes: dict[str, str], field: str
) -> None:
    response = save(bob, dana, **changes)
    assert response.status_code == 422
    assert f'id="id-{field}-error"' in response.content.decode()


def test_invoice_lines_with_quantity_tax_and_discount_add_up(bob: Client, dana: Customer) -> None:
    second = {
        "lines__1__description": "Fitting",
        "lines__1__quantity": "2.5",
        "lines__1__unit_amount": "$80",
        "lines__1__tax_percent": "8.875 %",
    }
    save(bob, dana, discount_kind="percent", discount_percent="10", **second)
    made = Invoice.objects.get()
    assert (made.subtotal_minor, made.discount_minor, made.tax_minor) == (120_000, 12_000, 1_598)
    assert made.lines.get(position=1).quantity == Decimal("2.5")


def test_invoice_discount_amount_is_subtracted(bob: Client, dana: Customer) -> None:
    save(
        bob, dana, discount_kind="amount", discount_amount="250", discount_percent="nonsense, but not chosen"
    )
    assert Invoice.objects.get().total_minor == 75_000


@pytest.mark.parametrize(
    ("currency", "price", "total"),
    [("JPY", "480,000", 480_000), ("KWD", "12.5050", 12_505), ("usd", "12.5", 1_250)],
)
def test_line_prices_are_parsed_by_currency_exponent(
    bob: Client, dana: Customer, currency: str, price: str, total: int
) -> None:
    save(bob, dana, currency=currency, lines__0__unit_amount=price)
    assert Invoice.objects.get().total_minor == total


def test_empty_line_rows_are_ignored(bob: Client, dana: Customer) -> None:
    save(
        bob,
        dana,
        lines__4__quantity="1",
        lines__7__description="Fitting",
        lines__7__quantity="1",
        lines__7__unit_amount="5",
    )
    assert [line.description for line in Invoice.objects.get().lines.all()] == ["Oak staircase", "Fitting"]


@pytest.mark.parametrize(
    ("field", "text", "message"),
    [
        ("customer", "cus_unknown", "Choose a customer"),
        ("currency", "XXX", "three letters"),
        ("due_on", "soon", "Enter a date"),
        ("due_on", "20261224", "Enter a date"),
        ("due_on", "24.12.2026", "Enter a date"),
        ("due_on", "20226-12-24", "Enter a date"),
        ("due_on", "0001-01-01", "between 1970 and 2199"),
        ("due_on", "2206-12-24", "between 1970 and 2199"),
        ("due_on", "1970-01-01", "Choose a day between Jan 1, "),
        ("due_on", "2099-12-24", "Choose a day between Jan 1, "),
        ("lines.0.description", "", "Say what this line is for"),
        ("lines.0.quantity", "", "Enter a number"),
        ("lines.0.quantity", "1,5", "Did you mean 1.5?"),
        ("lines.0.quantity", "0", "above zero"),
        ("lines.0.quantity", "1.00001", "at most 4 decimals"),
        ("lines.0.unit_amount", "", "Enter an amount"),
        ("lines.0.unit_amount", "ten", "is not an amount"),
        ("lines.0.unit_amount", "-1", "zero or more"),
        ("lines.0.unit_amount", "1.005", "2 decimals at most"),
        ("lines.0.tax_percent", "101", "at most 100"),
        ("lines.0.tax_percent", "x", "Enter a number"),
        ("notes", "n" * 2001, "at most 2000"),
    ],
)
def test_invalid_invoice_input_is_refused_on_field(
    bob: Client, dana: Customer, field: str, text: str, message: str
) -> None:
    response = bob.post(NEW, {**typed(dana), field: text})
    assert response.status_code == 422
    assert message in response.context["form"].errors[field][0]
    assert response.context["form"].data[field] == text
    assert 'aria-invalid="true"' in response.content.decode()
    assert not Invoice.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"discount_kind": "percent", "discount_percent": ""}, "discount_percent"),
        ({"discount_kind": "percent", "discount_percent": "101"}, "discount_percent"),
        ({"discount_kind": "amount", "discount_amount": "1000.01"}, "discount_amount"),
        ({"discount_kind": "half"}, "discount_kind"),
    ],
)
def test_invalid_discount_is_refused(
    bob: Client, dana: Customer, changes: dict[str, str], field: str
) -> None:
    response = save(bob, dana, **changes)
    assert response.status_code == 422
    assert field in response.context["form"].errors


def test_an_invoice_without_lines_is_refused(bob: Client, dana: Customer) -> None:
    response = save(bob, dana, lines__0__description="", lines__0__unit_amount="")
    assert response.status_code == 422
    assert "Write between one and" in response.content.decode()


def test_a_customer_of_another_organization_cannot_be_chosen(
    bob: Client, mallory: Client, dana: Customer
) -> None:
    foreign = personas.customer(Organization.objects.get(slug="birch"))
    response = save(bob, dana, customer=foreign.pk)
    assert response.context["form"].errors["customer"][0] == "Choose a customer."


def test_add_lines_saves_nothing_and_keeps_typed_values(bob: Client, dana: Customer) -> None:
    response = save(bob, dana, operation="add_lines", lines__0__unit_amount="not finis")
    assert response.status_code == 200
    page = response.content.decode()
    assert 'value="not finis"' in page
    assert 'name="lines.3.description"' in page
    assert not Invoice.objects.exists()


# Editing a draft.


@pytest.fixture
def draft(dana: Customer) -> Invoice:
    return personas.draft_invoice(dana)


def edit_url(invoice: Invoice) -> str:
    return f"/o/alder/invoices/{invoice.pk}/edit/"


def test_draft_invoice_form_shows_stored_values_as_typed(bob: Client, dana: Customer) -> None:
    save(bob, dana, lines__0__quantity="1.50", lines__0__tax_percent="8.875", lines__0__unit_amount="12.5")
    page = bob.get(edit_url(Invoice.objects.get())).content.decode()
    for value in ('value="1.5"', 'value="8.875"', 'value="12.50"', 'value="Oak staircase"'):
        assert value in page


def test_draft_invoice_edit_replaces_lines(bob: Client, dana: Customer, draft: Invoice) -> None:
    bob.post(edit_url(draft), typed(dana, version="1", lines__0__unit_amount="50"))
    draft.refresh_from_db()
    assert (draft.total_minor, draft.version) == (5_000, 2)


def test_stale_invoice_edit_keeps_typed_values_and_shows_stored_version(
    bob: Client, dana: Customer, draft: Invoice
) -> None:
    bob.post(
        edit_url(draft), typed(dana, version="1", lines__0__description="Theirs", lines__0__unit_amount="50")
    )
    response = bob.post(edit_url(draft), typed(dana, version="1", lines__0__description="Mine"))
    assert response.status_code == 409
    page = response.content.decode()
    assert 'value="Mine"' in page
    assert ">Theirs</td>" in page
    assert "Replace it with mine" in page
    draft.refresh_from_db()
    assert draft.total_minor == 5_000


def test_stale_invoice_edit_can_be_saved_after_showing_both(
    bob: Client, dana: Customer, draft: Invoice
) -> None:
    bob.post(edit_url(draft), typed(dana, version="1", lines__0__unit_amount="50"))
    response = bob.post(edit_url(draft), typed(dana, version="1", lines__0__description="Mine"))
    seen = response.context["form"]["version"].value()
    assert bob.post(edit_url(draft), typed(dana, version=seen)).status_code == 302
    draft.refresh_from_db()
    assert draft.total_minor == 100_000


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 30])
def test_invalid_version_of_invoice_edit_is_stale(
    bob: Client, dana: Customer, draft: Invoice, version: str
) -> None:
    assert bob.post(edit_url(draft), typed(dana, version=version)).status_code == 409


def test_void_invoice_cannot_be_edited(bob: Client, dana: Customer, draft: Invoice) -> None:
    invoices.void(draft, by=personas.owner_actor(dana.organization), now=now())
    assert bob.get(edit_url(draft)).status_code == 302
    response = bob.post(edit_url(draft), typed(dana, version="2"))
    assert response.status_code == 409
    assert "This invoice is void" in response.content.decode()
    assert not Event.objects.filter(type="invoice.edited").exists()


def test_invoice_total_preview_saves_nothing(bob: Client, dana: Customer) -> None:
    page = save(bob, dana, operation="figures", lines__0__tax_percent="10", customer="").content.decode()
    assert "<html" not in page
    assert "1,100" in page
    assert not Invoice.objects.exists()


@pytest.mark.parametrize("price", ["", "ten", "-1"])
def test_invoice_total_preview_waits_for_line_price(bob: Client, dana: Customer, price: str) -> None:
    page = save(bob, dana, operation="figures", lines__0__unit_amount=price).content.decode()
    assert "once every line has a price" in page


def test_invoice_total_preview_is_never_negative(bob: Client, dana: Customer) -> None:
    response = save(bob, dana, operation="figures", discount_kind="amount", discount_amount="5000")
    assert response.status_code == 200
    assert "-$" not in response.content.decode()


@pytest.mark.parametrize(
    "change",
    [
        {"lines__0__tax_percent": "999999999"},
        {"lines__0__quantity": "999999999.9999", "lines__0__unit_amount": "100000000000.00"},
        {"discount_kind": "percent", "discount_percent": "999999999.9999"},
    ],
)
def test_invoice_total_preview_ignores_out_of_range_numbers(
    bob: Client, invoice: Invoice, change: dict[str, str]
) -> None:
    form = {**typed(invoice.customer, version="2", **change), "operation": "figures"}
    assert bob.post(edit_url(invoice), form).context["figures"] is None
    assert bob.post("/o/alder/quotes/new/", {**form, "valid_until": "2027-01-01"}).context["figures"] is None


@pytest.mark.parametrize(
    ("currency", "price", "message"),
    [
        ("KWD", "1234.567", "KWD\u00a01,234.560 of this. The last KWD\u00a00.007 must come in another way."),
        ("KWD", "0.09", "KWD\u00a00.090 cannot be paid online, where the least is KWD\u00a00.100"),
        ("KWD", "1234.560", ""),
        ("USD", "0.49", "$0.49 cannot be paid online"),
        ("USD", "1000.01", ""),
    ],
)
def test_total_preview_names_what_cannot_be_paid_online(
    bob: Client, dana: Customer, currency: str, price: str, message: str
) -> None:
    form = typed(dana, currency=currency, lines__0__unit_amount=price, operation="figures")
    page = bob.post(NEW, form).content.decode()
    assert message in page
    assert ("edit-preview" in page) is bool(message)


def test_total_preview_says_nothing_of_online_payments_while_disabled(bob: Client, dana: Customer) -> None:
    Organization.objects.update(payments_enabled=False)
    form = typed(dana, currency="KWD", lines__0__unit_amount="1234.567", operation="figures")
    assert "edit-preview" not in bob.post(NEW, form).content.decode()


def test_due_date_that_no_new_invoice_may_have_stays_right_on_an_old_one(bob: Client, dana: Customer) -> None:
    draft = personas.draft_invoice(dana)
    Invoice.objects.update(due_on="2001-05-31")
    saved = bob.post(edit_url(draft), typed(dana, version="1", due_on="2001-05-31", notes="Carried over"))
    assert saved.status_code == 302
    assert bob.post(edit_url(draft), typed(dana, version="2", due_on="2001-06-30")).status_code == 422


def test_labels_of_line_fields_have_one_percent_sign(bob: Client, dana: Customer) -> None:
    assert "%%" not in bob.get(NEW).content.decode()


# A new customer


NORA = {"customer": "new", "new_customer_name": "Nora N.", "new_customer_email": "nora@customer.example"}


def test_invoice_can_be_saved_for_a_new_customer(bob: Client, dana: Customer) -> None:
    save(bob, dana, **NORA)
    nora = Customer.objects.exclude(pk=dana.pk).get()
    assert (nora.name, nora.email) == ("Nora N.", "nora@customer.example")
    assert Invoice.objects.get().customer == nora
    assert Event.objects.filter(type="customer.created", customer=nora).exists()


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"new_customer_email": "nora"}, "new_customer_email"),
        ({"new_customer_name": " "}, "new_customer_name"),
        ({"lines__0__quantity": "none"}, "lines.0.quantity"),
    ],
)
def test_refused_invoice_stores_no_new_customer(
    bob: Client, dana: Customer, changes: dict[str, str], wrong: str
) -> None:
    response = save(bob, dana, **{**NORA, **changes})
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {wrong}
    assert 'value="new" checked' in response.content.decode()
    assert Customer.objects.get() == dana


def test_errors_of_lines_and_of_a_new_customer_are_shown_at_once(bob: Client, dana: Customer) -> None:
    form = {**NORA, "new_customer_email": "nora@"}
    errors = save(bob, dana, **form, lines__0__unit_amount="1.500").context["form"].errors
    assert set(errors) == {"new_customer_email", "lines.0.unit_amount"}


def test_draft_can_be_moved_to_a_new_customer_but_a_sent_invoice_cannot(
    bob: Client, invoice: Invoice
) -> None:
    draft = personas.draft_invoice(invoice.customer)
    save_edit = {**typed(invoice.customer), **NORA, "version": "1"}
    assert bob.post(f"/o/alder/invoices/{draft.pk}/edit/", save_edit).status_code == 302
    draft.refresh_from_db()
    assert draft.customer.name == "Nora N."
    bob.post(f"/o/alder/invoices/{invoice.pk}/edit/", {**save_edit, "version": str(invoice.version)})
    invoice.refresh_from_db()
    assert invoice.customer.name == "Dana Whitfield"


def test_first_invoice_begins_with_a_new_customer(bob: Client) -> None:
    page = bob.get(NEW).content.decode()
    assert 'value="new" checked' in page
    assert 'name="new_customer_email"' in page
