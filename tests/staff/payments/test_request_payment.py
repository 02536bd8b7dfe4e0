"""The Request Payment dialog: its values, its errors, and the request it creates."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from partway.accounts.models import Organization
from partway.billing import links
from partway.billing.models import Customer, Invoice, Mail, PaymentRequest
from partway.delivery.mail import rendering
from partway.lib.clock import now
from tests.support import personas
from tests.support.html_text import text_of

GOOD = {"to": "dana@customer.example", "amount_requested": "300.00", "idempotency_key": "key-1"}


def url(invoice: Invoice) -> str:
    return f"/o/alder/invoices/{invoice.pk}/request/"


def send(client: Client, invoice: Invoice, **changes: str) -> Any:
    return client.post(url(invoice), {**GOOD, **changes})


def test_request_payment_dialog_starts_with_default_values(bob: Client, invoice: Invoice) -> None:
    page = bob.get(url(invoice)).content.decode()
    assert "Alder Joinery &lt;billing@alder.example&gt;" in page
    assert f'name="to" value="{invoice.customer.email}"' in page
    assert 'data-due="100000"' in page
    assert "&quot;places&quot;: 2" in page
    assert 'name="idempotency_key" value=""' not in page


def test_request_payment_dialog_has_its_own_idempotency_key(bob: Client, invoice: Invoice) -> None:
    first, second = (bob.get(url(invoice)).context["form"]["idempotency_key"].value() for _ in range(2))
    assert first != second


def test_request_payment_creates_request_and_redirects_to_invoice(bob: Client, invoice: Invoice) -> None:
    response = send(
        bob, invoice, cc="a@x.example, b@x.example", bcc="c@x.example\nd@x.example", note="Thanks"
    )
    assert response.headers["Location"] == f"/o/alder/invoices/{invoice.pk}/"
    made = PaymentRequest.objects.get()
    assert (made.amount_requested_minor, made.to, made.note) == (30_000, ["dana@customer.example"], "Thanks")
    assert (made.cc, made.bcc) == (["a@x.example", "b@x.example"], ["c@x.example", "d@x.example"])
    assert made.reply_to == "bob@alder.example"


def test_request_payment_accepts_several_recipients(bob: Client, invoice: Invoice) -> None:
    send(bob, invoice, to="a@x.example; b@x.example,\n c@x.example ,")
    assert PaymentRequest.objects.get().to == ["a@x.example", "b@x.example", "c@x.example"]


def test_invoice_page_shows_requested_amount_after_request(bob: Client, invoice: Invoice) -> None:
    page = send(bob, invoice).url
    shown = bob.get(page).content.decode()
    for message in (
        "Requested Amount",
        "$300",
        "dana@customer.example",
        "Waiting to be sent",
        "Not opened yet",
    ):
        assert message in shown
    for act in ("Resend Payment Link", "Copy link", "Cancel Payment Request"):
        assert act in shown
    assert "is on its way to dana@customer.example" in shown


def test_request_payment_is_idempotent_on_double_click(bob: Client, invoice: Invoice) -> None:
    assert send(bob, invoice).status_code == 302
    assert send(bob, invoice).status_code == 302
    assert PaymentRequest.objects.count() == 1
    assert Mail.objects.filter(kind="payment_request").count() == 1


@pytest.mark.parametrize(
    ("field", "typed", "message"),
    [
        ("to", "", "Enter the address"),
        ("to", "dana", "“dana” is not a mail address"),
        ("to", "dana@customer.example, dana@", "“dana@” is not a mail address"),
        ("cc", "a@x.example, nope", "“nope” is not a mail address"),
        ("bcc", "nope@", "“nope@” is not a mail address"),
        ("amount_requested", "", "Enter an amount"),
        ("amount_requested", "much", "is not an amount"),
        ("amount_requested", "1,00", "Did you mean 1?"),
        ("amount_requested", "0", "above zero"),
        ("amount_requested", "-5", "above zero"),
        ("amount_requested", "10.005", "2 decimals at most"),
        ("amount_requested", "1000.01", "at most $1,000.00"),
        ("amount_requested", "99999999999999999999", "The most Partway can handle"),
        ("amount_requested", "0.49", "at least $0.50"),
        ("note", "n" * 1001, "at most 1000 characters"),
    ],
)
def test_invalid_request_payment_input_is_refused_on_field(
    bob: Client, invoice: Invoice, field: str, typed: str, message: str
) -> None:
    response = send(bob, invoice, **{field: typed})
    assert response.status_code == 422
    assert message in response.context["form"].errors[field][0]
    assert set(response.context["form"].errors) == {field}
    assert response.context["form"][field].value() == typed
    page = response.content.decode()
    assert f"id-{field}-error" in page
    assert 'aria-invalid="true"' in page
    assert "data-summary" in page
    assert not PaymentRequest.objects.exists()


def test_request_payment_marks_all_invalid_fields_at_once(bob: Client, invoice: Invoice) -> None:
    response = send(bob, invoice, to="x", cc="y", bcc="z", amount_requested="?", note="n" * 2000)
    assert set(response.context["form"].errors) == {"to", "cc", "bcc", "amount_requested", "note"}


def test_request_payment_keeps_and_escapes_typed_values(bob: Client, invoice: Invoice) -> None:
    page = send(bob, invoice, to="<b>@x", note="<script>alert(1)</script>").content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    assert 'value="key-1"' in page  # the same form, so still the same key


@pytest.mark.parametrize(
    ("currency", "total", "typed", "minor"),
    [
        ("JPY", 100_000, "30,000", 30_000),
        ("KWD", 100_000, "12.5", 12_500),
        ("USD", 100_000, "$1,000", 100_000),
    ],
)
def test_request_payment_amount_is_parsed_by_currency_exponent(
    bob: Client, dana: Customer, currency: str, total: int, typed: str, minor: int
) -> None:
    invoice = personas.sent_invoice(dana, total, currency=currency)
    assert send(bob, invoice, amount_requested=typed).status_code == 302
    assert PaymentRequest.objects.get().amount_requested_minor == minor


@pytest.mark.parametrize(("currency", "typed"), [("JPY", "100.5"), ("KWD", "1.0005"), ("KWD", "12.5050")])
def test_request_payment_amount_off_currency_or_gateway_step_is_refused(
    bob: Client, dana: Customer, currency: str, typed: str
) -> None:
    response = send(bob, personas.sent_invoice(dana, 100_000, currency=currency), amount_requested=typed)
    assert response.status_code == 422
    assert "amount_requested" in response.context["form"].errors


def test_refused_request_amount_names_the_next_possible_one(bob: Client, dana: Customer) -> None:
    answer = send(
        bob, personas.sent_invoice(dana, 1_234_567, currency="KWD"), amount_requested="1,234.567"
    ).content.decode()
    assert (
        "Enter a multiple of KWD\u00a00.010, like KWD\u00a01,234.560: only these can be paid online."
        in answer
    )


def test_request_dialog_names_unpayable_rest_before_anything_is_typed(bob: Client, dana: Customer) -> None:
    page = bob.get(url(personas.sent_invoice(dana, 1_234_567, currency="KWD"))).content.decode()
    assert "KWD\u00a01,234.560 of this. The last KWD\u00a00.007 must come in another way." in page


@pytest.mark.parametrize(
    ("due", "requested", "said"),
    [
        (100_000, 99_980, "Once it is paid, $0.20 is left, which cannot be paid online"),
        (100_000, 99_950, ""),
        (100_000, 100_000, ""),
    ],
)
def test_invoice_page_names_rest_of_request_that_cannot_be_paid_online(
    bob: Client, dana: Customer, due: int, requested: int, said: str
) -> None:
    invoice = personas.sent_invoice(dana, due)
    personas.request_payment(invoice, requested)
    text = text_of(bob.get(f"/o/alder/invoices/{invoice.pk}/"))
    assert said in text
    assert ("Once it is paid" in text) == bool(said)


def test_invoice_page_names_how_much_of_the_rest_of_a_request_can_be_paid_online(
    bob: Client, dana: Customer
) -> None:
    invoice = personas.sent_invoice(dana, 1_234_567, currency="KWD")
    personas.request_payment(invoice, 234_560)
    text = text_of(bob.get(f"/o/alder/invoices/{invoice.pk}/"))
    assert "Once it is paid, KWD 1,000.007 is left, of which only KWD 1,000.000 can be paid online." in text


def test_request_payment_dialog_is_served_as_fragment(bob: Client, invoice: Invoice) -> None:
    headers = {"HX-Request": "true", "HX-Target": "dialog-content"}
    page = bob.get(url(invoice), headers=headers).content.decode()
    assert "<html" not in page
    assert "hx-post" in page
    response = bob.post(url(invoice), GOOD, headers=headers)
    assert response.headers["HX-Redirect"] == f"/o/alder/invoices/{invoice.pk}/"


# Where no payment can be requested, the page shows the reason.


def reason(client: Client, invoice: Invoice) -> str:
    """Returns the reason on the invoice page; the dialog shows the same, and there is no button."""
    page = client.get(f"/o/alder/invoices/{invoice.pk}/").content.decode()
    assert ">Request Payment<" not in page
    dialog = client.get(url(invoice)).content.decode()
    assert "amount_requested" not in dialog
    return page + dialog


def test_request_payment_requires_sent_invoice(bob: Client, dana: Customer) -> None:
    assert "Send the invoice first" in reason(bob, personas.draft_invoice(dana))


def test_request_payment_with_payments_disabled_links_owner_to_settings(
    alice: Client, bob: Client, invoice: Invoice, organization: Organization
) -> None:
    Organization.objects.update(payments_enabled=False)
    assert "/o/alder/settings/payments/" in reason(alice, invoice)
    message = reason(bob, invoice)
    assert "An owner can turn them on" in message
    assert "/o/alder/settings/payments/" not in message


def test_request_payment_names_open_request(bob: Client, invoice: Invoice) -> None:
    personas.request_payment(invoice, 20_000)
    message = reason(bob, invoice)
    assert "Only one request can be open at a time" in message
    assert "A request for $200.00 is already open" in message


def test_request_payment_on_paid_invoice_is_unavailable(bob: Client, invoice: Invoice) -> None:
    personas.captured_payment(invoice, 100_000)
    Invoice.objects.update(status="paid")
    assert "nothing left to ask for" in reason(bob, invoice)


def test_request_payment_unavailable_meanwhile_keeps_typed_values(bob: Client, invoice: Invoice) -> None:
    personas.request_payment(invoice, 20_000)
    response = send(bob, invoice, note="All typed already")
    assert response.status_code == 409
    assert "already open" in response.content.decode()
    assert "All typed already" in response.content.decode()
    assert PaymentRequest.objects.count() == 1


def test_request_payment_on_partly_paid_invoice_is_limited_to_amount_due(
    bob: Client, invoice: Invoice
) -> None:
    personas.captured_payment(invoice, 30_000)
    assert 'data-due="70000"' in bob.get(url(invoice)).content.decode()
    assert "at most $700.00" in send(bob, invoice, amount_requested="700.01").content.decode()
    assert send(bob, invoice, amount_requested="700").status_code == 302


# The amounts at a click, and the preview of the mail.


@pytest.mark.parametrize(
    ("currency", "total", "locale", "suggested"),
    [
        ("USD", 100_000, "en_US", [("25%", "250.00"), ("50%", "500.00"), ("The rest", "1000.00")]),
        ("USD", 33_333, "en_US", [("25%", "83.33"), ("50%", "166.67"), ("The rest", "333.33")]),
        ("USD", 150, "en_US", [("50%", "0.75"), ("The rest", "1.50")]),
        ("KWD", 12_345, "en_US", [("25%", "3.08"), ("50%", "6.17"), ("The rest", "12.34")]),
        (
            "EUR",
            100_000,
            "de_DE",
            [("25\u00a0%", "250,00"), ("50\u00a0%", "500,00"), ("The rest", "1000,00")],
        ),
    ],
)
def test_suggested_amounts_can_be_requested(
    bob: Client, dana: Customer, currency: str, total: int, locale: str, suggested: list[tuple[str, str]]
) -> None:
    Organization.objects.update(locale=locale)
    invoice = personas.sent_invoice(dana, total, currency=currency)
    shown = bob.get(url(invoice)).context["suggestions"]
    assert [(label, text) for label, _, text in shown] == suggested
    send(bob, invoice, amount_requested=shown[0][2])
    assert PaymentRequest.objects.get().amount_requested == shown[0][1]


def test_rest_beside_payment_under_way_is_suggested(bob: Client, invoice: Invoice) -> None:
    personas.captured_payment(invoice, 30_000)
    assert [text for *_, text in bob.get(url(invoice)).context["suggestions"]] == [
        "175.00",
        "350.00",
        "700.00",
    ]


def test_preview_is_the_mail_that_is_sent_but_for_its_link(bob: Client, invoice: Invoice) -> None:
    last_day = (now() + timedelta(days=9)).date().isoformat()
    typed = {"cc": "a@x.example", "note": "For the <material>.", "expires_at": last_day}
    shown = send(bob, invoice, preview="1", **typed).content.decode()
    assert not PaymentRequest.objects.exists()
    assert not Mail.objects.filter(kind="payment_request").exists()
    send(bob, invoice, **typed)
    message = rendering.message(Mail.objects.get(kind="payment_request"))
    sent = str(message.alternatives[0][0])
    link = links.request_url(PaymentRequest.objects.get())
    assert sent.count(link) == 3  # the button, and the address in text with its own link
    expected = sent.replace(link, f"{settings.PARTWAY_URL}/p/…/")
    expected = expected.replace("<head>", '<head><base target="_blank">')
    for part in re.split("<body[^>]*>", expected):
        assert part in shown
    for header in (message.subject, "dana@customer.example", "a@x.example", "bob@alder.example"):
        assert header in shown
    assert "/p/" not in shown.replace("/p/…/", "")


def test_refused_preview_says_why_and_sends_nothing(bob: Client, invoice: Invoice) -> None:
    response = send(bob, invoice, preview="1", amount_requested="1000.01", to="dana@")
    assert response.status_code == 422
    assert "at most $1,000.00" in response.content.decode()
    assert "“dana@” is not a mail address" in response.content.decode()
    assert response.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert not PaymentRequest.objects.exists()


def test_preview_without_sender_address_says_so(bob: Client, invoice: Invoice) -> None:
    Organization.objects.update(email="billing@")
    response = send(bob, invoice, preview="1")
    assert response.status_code == 409
    assert "“billing@”, the address that mails come from, is not a mail address." in response.content.decode()


def test_preview_beside_open_request_is_refused(bob: Client, invoice: Invoice) -> None:
    personas.request_payment(invoice)
    response = send(bob, invoice, preview="1")
    assert response.status_code == 409
    assert "A request for $300.00 is already open" in response.content.decode()
