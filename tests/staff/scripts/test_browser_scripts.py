"""The scripts of the staff pages in a real browser: amounts, dialogs, menus and lines."""

from __future__ import annotations

import json
import random
from base64 import b64encode
from importlib.resources import files
from typing import Any

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import Browser, Dialog, Page, expect

from partway.accounts.models import Organization
from partway.billing.models import Customer, Invoice, PaymentRequest
from partway.billing.requests import payment_requests
from partway.delivery.formats import format_money, use_locale
from partway.delivery.messages.numbers import number_message
from partway.lib.clock import now
from partway.lib.money import Money, parse_money
from partway.lib.typed_numbers import NumberError
from partway.staff.templatetags.staff import amount_format
from tests.support import personas
from tests.support.personas import Team

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def open_dialog(page: Page, invoice: Invoice) -> None:
    page.goto(f"/o/alder/invoices/{invoice.pk}/")
    page.click("text=Request Payment")
    expect(page.locator("dialog[open]")).to_be_visible()


# Parsing amounts.

KNOWN = (
    "| |300|$300|300 USD|USD 300|1,250.50|1,25|,5|5.|.5|-|+5|-$5|0|0.00|1e5|١٢|12 500|1.2.3|1,234,567.891|0,285|2.500"
    "|50.000|1.234,56|1 234,56|1’234.50|1\u202f234|1,23,456.78|٢٬٥٠٠٫٥|１，２３４．５|1٢|½|(5)"
    "|5 €|€5|−5|1_000|１２|\u200f12"
)
BIG_AND_ODD = (
    "10000000000000|99999999999999999|1,2,3|--5|$|$$5|5$|-0|- 5|5-|1,000,00|0,000|00012|.|,|1,,000|01,234|-1.005|-2.500"
    "|1\u200f2|𝟏𝟐|1\u202e2|0,2850|-0,285|0.0005|" + "9" * 100 + "|" + "9" * 101
)


def texts() -> list[str]:
    """Returns valid and invalid amounts as people type them."""
    chance = random.Random(7)  # noqa: S311 - the same mistypings every time
    typed = ["".join(chance.choices("0123456789.,-$ '٫٬٣", k=chance.randint(1, 9))) for _ in range(200)]
    short = ["".join(chance.choices("012.,", k=chance.randint(3, 6))) for _ in range(200)]
    return [*KNOWN.split("|"), *BIG_AND_ODD.split("|"), *typed, *short]


@pytest.mark.parametrize("locale", ["en_US", "de_DE", "de_CH", "en_IN", "ja_JP", "ar_EG", "he_IL"])
def test_browser_amount_parser_matches_server(browser: Browser, locale: str) -> None:
    module = files("partway.staff").joinpath("static/staff/typed_numbers.js").read_bytes()
    page = browser.new_page()
    for currency in ("USD", "JPY", "KWD"):
        with use_locale(locale):
            on_the_server = [parsed_by_server(text, currency, locale) for text in texts()]
            amount_format_json = amount_format(currency)
        in_the_browser: list[dict[str, Any]] = page.evaluate(
            """async ([source, texts, format]) => {
                const { parseAmount } = await import(`data:text/javascript;base64,${source}`);
                const read = (text) => parseAmount(text, format);
                return texts.map(read).map(({ minor, code, message }) => ({ code, message, minor: minor?.toString() }));
            }""",
            [b64encode(module).decode(), texts(), json.loads(amount_format_json)],
        )
        differing = [
            each for each in zip(texts(), in_the_browser, on_the_server, strict=True) if each[1] != each[2]
        ]
        assert differing == []
    page.close()


def parsed_by_server(text: str, currency: str, locale: str) -> dict[str, str | None]:
    try:
        minor = str(parse_money(text, currency, locale=locale).amount_minor)
    except NumberError as error:
        return {"code": error.code, "message": number_message(error), "minor": None}
    return {"code": None, "message": None, "minor": minor}


@pytest.mark.parametrize("locale", ["en_US", "de_DE", "de_CH", "en_IN", "es_ES", "fr_FR", "ar_EG", "he_IL"])
def test_browser_formats_amounts_as_server(browser: Browser, locale: str) -> None:
    module = files("partway.staff").joinpath("static/staff/typed_numbers.js").read_bytes()
    page = browser.new_page()
    amounts = [0, 5, 100, 99_999, 100_000, 123_456_789, 10**13]
    for currency in ("USD", "JPY", "KWD"):
        with use_locale(locale):
            on_the_server = [format_money(Money(minor, currency)) for minor in amounts]
            amount_format_json = amount_format(currency)
        in_the_browser = page.evaluate(
            """async ([source, amounts, format]) => {
                const { formatAmount } = await import(`data:text/javascript;base64,${source}`);
                return amounts.map((minor) => formatAmount(BigInt(minor), format));
            }""",
            [b64encode(module).decode(), amounts, json.loads(amount_format_json)],
        )
        assert in_the_browser == on_the_server
    page.close()


@pytest.mark.parametrize(
    ("currency", "total", "typed", "rest"),
    [
        ("USD", 100_000, "300", "$700.00"),
        ("USD", 100_000, "1,000.00", "$0.00"),
        ("USD", 1_234_567_890, "0.01", "$12,345,678.89"),
        ("JPY", 480_000, "160,000", "¥320,000"),
        ("KWD", 12_505, "2.5", "KWD\u00a010.005"),
    ],
)
def test_remaining_due_follows_each_keystroke(
    page: Page, dana: Customer, currency: str, total: int, typed: str, rest: str
) -> None:
    open_dialog(page, personas.sent_invoice(dana, total, currency=currency))
    page.locator("[name=amount_requested]").press_sequentially(typed)
    expect(page.locator("[data-remaining-amount]")).to_have_text(rest)
    expect(page.locator("[data-remaining-error]")).to_be_hidden()


def test_suggested_amount_fills_field_and_labels_button(page: Page, invoice: Invoice) -> None:
    open_dialog(page, invoice)
    send = page.locator("dialog [data-remaining-submit]")
    expect(send).to_have_text("Send request")
    for suggestion, typed, rest in (
        ("25%", "250.00", "$750.00"),
        ("50%", "500.00", "$500.00"),
        ("The rest", "1000.00", "$0.00"),
    ):
        page.get_by_role("button", name=suggestion).click()
        expect(page.locator("[name=amount_requested]")).to_have_value(typed)
        expect(page.locator("[data-remaining-amount]")).to_have_text(rest)
    expect(send).to_have_text("Send request for $1,000.00")
    page.fill("[name=amount_requested]", "300,5,0")
    expect(send).to_have_text("Send request")


def test_mail_preview_opens_in_dialog_and_keeps_typed_values(page: Page, invoice: Invoice) -> None:
    open_dialog(page, invoice)
    preview = page.frame_locator("[name=mail-preview]")
    expect(page.locator("[name=mail-preview]")).to_be_hidden()
    page.click("text=Preview mail")
    expect(preview.locator("body")).to_contain_text("Enter an amount")
    page.fill("[name=amount_requested]", "300")
    page.fill("[name=note]", "For the material.")
    page.click("text=Preview mail")
    expect(preview.locator("body")).to_contain_text("Hello Dana Whitfield, Alder Joinery asks you")
    expect(preview.locator("body")).to_contain_text("For the material.")
    expect(page.locator("[name=note]")).to_have_value("For the material.")
    assert not PaymentRequest.objects.exists()
    asked = Questions(page)
    page.click("dialog >> text=Back")  # a preview sends nothing, so what was typed would be lost
    assert asked == ["confirm"]
    page.click("dialog [data-remaining-submit]")
    expect(page.locator(".open-request")).to_contain_text("$300.00")
    assert asked == ["confirm"]
    expect(page.locator("[data-notices] .alert")).to_be_focused()
    expect(page.locator("[data-notices] .alert")).to_contain_text("Payment request for $300.00 is on its way")


def test_rest_that_cannot_be_paid_online_is_named_while_typing(page: Page, dana: Customer) -> None:
    open_dialog(page, personas.sent_invoice(dana, 1_234_567, currency="KWD"))
    amount = page.locator("[name=amount_requested]")
    for typed, notice in (
        ("", "KWD\u00a01,234.560 of this."),
        ("0.09", "Less than KWD\u00a00.100 cannot be paid online."),
        ("12.3450", "The most below this is KWD\u00a012.340."),
        ("1234.560", "the last KWD\u00a00.007 cannot be paid online."),
        (
            "1234.5",
            "KWD\u00a00.067 would be left that cannot be paid online. Ask for KWD\u00a01,234.560, or for at most",
        ),
        ("1234.46", "the last KWD\u00a00.007"),
    ):
        amount.fill("")
        amount.press_sequentially(typed)
        expect(page.locator("[data-remaining-online]")).to_contain_text(notice)


def test_invalid_request_amount_is_explained_while_typing(page: Page, invoice: Invoice) -> None:
    open_dialog(page, invoice)
    for typed, message in (
        ("1000.01", "Enter at most $1,000.00"),
        ("abc", "is not an amount"),
        ("1.005", "2 decimals"),
        ("-1", "above zero"),
    ):
        page.fill("[name=amount_requested]", typed)
        expect(page.locator("[data-remaining-error]")).to_contain_text(message)
        expect(page.locator("[data-remaining-amount]")).to_have_text("–")
        page.fill("[name=amount_requested]", "")
        expect(page.locator("[data-remaining-error]")).to_be_hidden()
        expect(page.locator("[data-remaining-amount]")).to_have_text("$1,000.00")


def test_german_request_dialog_reads_commas_and_explains_two_readings(
    page: Page, organization: Organization, dana: Customer
) -> None:
    Organization.objects.update(locale="de_DE")
    open_dialog(page, personas.sent_invoice(dana, 200_000, currency="EUR"))
    amount, error = page.locator("[name=amount_requested]"), page.locator("[data-remaining-error]")
    remaining = page.locator("[data-remaining-amount]")
    amount.press_sequentially("0,285")
    expect(error).to_have_text("Did you mean 0,285 or 285? EUR has 2 decimals at most. Write it like 300,00.")
    expect(remaining).to_have_text("–")
    page.click("dialog [type=submit]")
    expect(page.locator("dialog [data-summary]")).to_be_focused()
    expect(amount).to_have_value("0,285")
    expect(error).to_have_text("Did you mean 0,285 or 285? EUR has 2 decimals at most. Write it like 300,00.")
    assert not PaymentRequest.objects.exists()
    amount.fill("")
    amount.press_sequentially("1.234,56")
    expect(error).to_be_hidden()
    expect(remaining).to_have_text("765,44\u00a0€")
    page.click("dialog [type=submit]")
    expect(page.locator(".open-request")).to_contain_text("1.234,56\u00a0€")
    assert PaymentRequest.objects.get().amount_requested_minor == 123_456


# Recording a payment.


def open_record(page: Page, invoice: Invoice) -> None:
    page.goto(f"/o/alder/invoices/{invoice.pk}/")
    page.click(".actions >> text=Record Payment")
    expect(page.locator("dialog[open] [name=amount]")).to_be_focused()


def test_record_payment_dialog_previews_remaining_due_and_request(page: Page, invoice: Invoice) -> None:
    personas.request_payment(invoice, 30_000)
    open_record(page, invoice)
    ends, stays = (
        page.locator("[data-remaining-request-canceled]"),
        page.locator("[data-remaining-request-stays]"),
    )
    for typed, rest, act, fits in (
        ("700", "$300.00", "Record $700.00", True),
        ("700.01", "$299.99", "Record $700.01", False),
        ("", "$1,000.00", "Record Payment", True),
    ):
        page.fill("[name=amount]", typed)
        expect(page.locator("[data-remaining-amount]")).to_have_text(rest)
        expect(page.locator("dialog [type=submit]")).to_have_text(act)
        expect(stays if fits else ends).to_be_visible()
        expect(ends if fits else stays).to_be_hidden()


def test_record_payment_dialog_offers_credit_for_overpayment(page: Page, invoice: Invoice) -> None:
    open_record(page, invoice)
    keep, message = page.locator("[data-remaining-keep-credit]"), page.locator("[data-remaining-error]")
    expect(keep).to_be_hidden()
    page.fill("[name=amount]", "1,234.50")
    expect(message).to_contain_text("$1,000.00 is due, so $234.50 would be too much")
    expect(keep).to_contain_text("Keep the rest, $234.50, as credit of Dana Whitfield")
    page.check("[name=keep_rest_as_credit]")
    expect(message).to_be_hidden()
    expect(page.locator("[data-remaining-amount]")).to_have_text("$0.00")
    page.fill("[name=amount]", "1,000")
    expect(keep).to_be_hidden()


def test_record_payment_dialog_offers_to_settle_rest(page: Page, invoice: Invoice) -> None:
    open_record(page, invoice)
    settle, large = page.locator("[data-remaining-settle]"), page.locator("[data-remaining-settle-large]")
    expect(settle).to_be_hidden()
    page.fill("[name=amount]", "950")
    expect(page.locator("[name=settle_note]")).to_be_hidden()
    page.select_option("[name=settle_reason]", "fee")
    expect(page.locator("[name=settle_note]")).to_be_visible()
    expect(large).to_be_hidden()
    page.fill("[name=amount]", "949.99")
    expect(large).to_be_visible()
    page.fill("[name=amount]", "1,000")
    expect(settle).to_be_hidden()


def test_refused_overpayment_is_recorded_as_credit_on_second_submit(page: Page, invoice: Invoice) -> None:
    open_record(page, invoice)
    page.fill("[name=amount]", "1200")
    page.select_option("[name=method]", "Cash")
    page.click("dialog [type=submit]")
    expect(page.locator("dialog [data-summary]")).to_be_focused()
    page.check("[name=keep_rest_as_credit]")
    page.click("dialog [type=submit]")
    expect(page.locator("[data-notices]")).to_contain_text("$200.00 of it is credit of Dana Whitfield.")


def test_apply_credit_dialog_starts_with_applicable_amount_and_limits_input(
    page: Page, dana: Customer
) -> None:
    personas.record_check(personas.sent_invoice(dana, 10_000), 30_000)
    page.goto(f"/o/alder/invoices/{personas.sent_invoice(dana).pk}/")
    page.click(".unavailable-reason >> text=Apply Credit")
    expect(page.locator("dialog [type=submit]")).to_have_text("Apply $200.00")
    expect(page.locator("[data-remaining-amount]")).to_have_text("$800.00")
    page.fill("[name=amount]", "200.01")
    expect(page.locator("[data-remaining-error]")).to_have_text(
        "Enter at most $200.00: there is no more credit."
    )


# Dialogs.


def test_refused_dialog_stays_open_with_typed_values(page: Page, invoice: Invoice) -> None:
    open_dialog(page, invoice)
    expect(page.locator("[name=amount_requested]")).to_be_focused()
    page.fill("[name=to]", "dana@")
    page.fill("[name=amount_requested]", "300")
    page.click("dialog [type=submit]")
    expect(page.locator("dialog [data-summary]")).to_be_focused()
    expect(page.locator("[name=to]")).to_have_value("dana@")
    expect(page.locator("[data-remaining-amount]")).to_have_text("$700.00")
    page.fill("[name=to]", "dana@customer.example")
    page.click("dialog [type=submit]")
    expect(page.locator(".open-request")).to_contain_text("$300.00")
    assert PaymentRequest.objects.count() == 1


def test_escape_and_back_close_a_dialog(page: Page, invoice: Invoice) -> None:
    open_dialog(page, invoice)
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_be_hidden()
    open_dialog(page, invoice)
    page.click("dialog >> text=Back")
    expect(page.locator("dialog")).to_be_hidden()


def test_dialog_keeps_values_when_server_is_unreachable(page: Page, invoice: Invoice) -> None:
    open_dialog(page, invoice)
    page.fill("[name=amount_requested]", "300")
    page.route("**/request/", lambda route: route.abort())
    page.click("dialog [type=submit]")
    expect(page.locator("[data-no-response]")).to_be_visible()
    expect(page.locator("[name=amount_requested]")).to_have_value("300")
    asked = Questions(page)
    page.click("dialog >> text=Back")  # nothing was sent, so what was typed would be lost
    assert asked == ["confirm"]
    page.unroute("**/request/")
    page.click("dialog [type=submit]")
    expect(page.locator(".open-request")).to_contain_text("$300.00")


# Pages that follow what happens.


def ask_now(page: Page) -> None:
    """Lets the script of the page ask at once, as it does when its tab becomes visible."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_invoice_page_follows_request_without_reload(page: Page, invoice: Invoice) -> None:
    page.goto(f"/o/alder/invoices/{invoice.pk}/")
    page.evaluate("window.isSamePage = true")
    news, main = page.locator("main [data-announcements]"), page.locator("main")
    made = personas.request_payment(invoice)
    ask_now(page)
    expect(main).to_contain_text("Requested Amount")
    expect(news).to_contain_text("Alice requested $300.00")
    page.locator(".open-request-menu summary").focus()
    page.keyboard.press("Enter")
    payment_requests.mark_opened(made, now=now())
    ask_now(page)
    expect(news).to_have_text("Dana Whitfield opened the payment link")
    expect(page.locator(".open-request-menu summary")).to_be_focused()
    expect(page.get_by_text("Resend Payment Link")).to_be_visible()
    page.keyboard.press("Escape")
    personas.captured_payment(invoice, 30_000, request=made)
    ask_now(page)
    expect(page.locator(".open-request")).to_have_count(0)
    expect(main).to_contain_text("Partially paid")
    expect(news).to_contain_text("The request for $300.00 was paid")
    page.click("text=Request Payment")  # the new content works as the old one did
    expect(page.locator("dialog[open]")).to_be_visible()
    assert page.evaluate("window.isSamePage")


def test_open_dialog_is_not_disturbed_by_what_happens(page: Page, invoice: Invoice) -> None:
    open_dialog(page, invoice)
    page.fill("[name=amount_requested]", "12")
    personas.record_check(invoice, 10_000)
    ask_now(page)
    page.locator("[name=note]").press_sequentially("Half a no")
    expect(page.locator("[name=note]")).to_be_focused()
    expect(page.locator("[name=amount_requested]")).to_have_value("12")
    expect(page.locator("main")).not_to_contain_text("recorded a payment")
    page.once("dialog", lambda question: question.accept())  # what was typed is left
    page.keyboard.press("Escape")
    expect(page.locator("main")).to_contain_text("recorded a payment")
    expect(page.locator("main .actions >> text=Request Payment")).to_be_focused()


def test_open_cancel_dialog_says_that_customer_went_to_the_checkout(page: Page, invoice: Invoice) -> None:
    made = personas.request_payment(invoice)
    page.goto(f"/o/alder/invoices/{invoice.pk}/")
    page.click(".open-request-menu summary")
    page.click("text=Cancel Payment Request")
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text("Cancel the request")
    personas.pending_payment(invoice, 30_000, request=made)
    ask_now(page)
    expect(dialog).to_contain_text("Dana Whitfield is at the checkout for $300.00")
    # What is outside of an open dialog is read out by no screen reader.
    expect(dialog.locator("[data-announcements]")).to_contain_text("is at the checkout")


def test_ended_session_leaves_followed_page_as_it_is(page: Page, invoice: Invoice) -> None:
    page.goto(f"/o/alder/invoices/{invoice.pk}/")
    page.context.clear_cookies()
    with page.expect_response("**/live/") as asked:
        ask_now(page)
    assert asked.value.status == 302
    expect(page.locator("h1.page-title")).to_have_text(invoice.number)


ERROR_PAGES = {
    404: ("404.html", "Page not found."),
    413: ("", "This is larger than Partway takes."),
    429: ("429.html", "Too many attempts."),
    500: ("500.html", "Something went wrong on our side."),
    503: ("not_now.html", "Partway is busy right now."),
}


def test_dialog_says_what_an_error_page_says_and_keeps_values(
    page: Page, invoice: Invoice, team: Team
) -> None:
    open_dialog(page, invoice)
    page.fill("[name=amount_requested]", "300")
    notice, form = page.locator("[data-no-response]"), page.locator("[name=amount_requested]")
    for status, (template, heading) in ERROR_PAGES.items():
        body = render_to_string(template, {"title": "Partway is busy right now"}) if template else heading
        page.route("**/request/", lambda route, _request, s=status, b=body: route.fulfill(status=s, body=b))
        page.click("dialog [type=submit]")
        expect(notice).to_contain_text(f"{heading} What you typed is still here")
        expect(form).to_have_value("300")
        page.unroute("**/request/")
    team.bob.role = "reader"
    team.bob.save()
    page.click("dialog [type=submit]")
    expect(notice).to_contain_text("Your role does not allow this.")
    expect(form).to_have_value("300")


def test_link_of_a_dialog_whose_page_is_gone_opens_the_error_page(page: Page, dana: Customer) -> None:
    draft = personas.draft_invoice(dana)
    page.goto(f"/o/alder/invoices/{draft.pk}/")
    draft.events.update(invoice=None)
    draft.delete()
    page.get_by_role("link", name="Send").click()
    expect(page.get_by_role("heading", name="Page not found")).to_be_visible()


# Unsaved changes


class Questions(list[str]):
    """The questions that a page asks before it is left, answered as `leaves` says."""

    leaves = False

    def __init__(self, page: Page) -> None:
        super().__init__()
        page.on("dialog", self._answer)

    def _answer(self, dialog: Dialog) -> None:
        self.append(dialog.type)
        dialog.accept() if self.leaves else dialog.dismiss()


def test_changed_dialog_asks_before_it_closes(page: Page, invoice: Invoice) -> None:
    asked = Questions(page)
    open_dialog(page, invoice)
    page.fill("[name=note]", "Thank you")
    # The gesture Back of a phone is a `cancel` without a key.
    cancel = "document.querySelector('dialog').dispatchEvent(new Event('cancel', { cancelable: true }))"
    closings = (
        lambda: page.keyboard.press("Escape"),
        lambda: page.click("dialog >> text=Back"),
        lambda: page.evaluate(cancel),
    )
    for close in closings * 2:
        close()
        expect(page.locator("[name=note]")).to_have_value("Thank you")
    assert asked == ["confirm"] * 6
    page.fill("[name=note]", "")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_be_hidden()
    open_dialog(page, invoice)
    page.fill("[name=note]", "Thank you")
    asked.leaves = True
    page.click("dialog [data-close] >> nth=0")
    expect(page.locator("dialog")).to_be_hidden()
    assert len(asked) == 7


def test_checkbox_and_choice_count_as_changed_and_a_password_does_not(page: Page, invoice: Invoice) -> None:
    asked = Questions(page)
    open_record(page, invoice)
    page.uncheck("[name=send_receipt]")
    page.click("dialog >> text=Back")
    page.check("[name=send_receipt]")  # as it was
    page.select_option("[name=method]", "Cash")
    page.click("dialog >> text=Back")
    assert asked == ["confirm"] * 2
    page.select_option("[name=method]", "")
    page.click("dialog >> text=Back")
    expect(page.locator("dialog")).to_be_hidden()
    page.goto("/profile/password/")
    page.fill("[name=oldpassword]", "filled in by the browser")
    page.click(".breadcrumb a")
    page.wait_for_url("**/profile/")
    Customer.objects.update(name="Dana", email="dana@bücher.example")
    page.goto(f"/o/alder/customers/{invoice.customer_id}/edit/")
    page.locator("[name=name]").press("End")  # a page that was not touched asks nothing in any case
    page.click(".form-actions >> text=Back")
    page.wait_for_url(f"**/{invoice.customer_id}/")
    assert len(asked) == 2


def test_changed_editor_asks_before_it_is_left_but_not_when_it_is_sent(page: Page, dana: Customer) -> None:
    draft, asked = personas.draft_invoice(dana), Questions(page)
    url = f"/o/alder/invoices/{draft.pk}/edit/"
    page.goto(url)
    page.click("text=Back without saving")  # unchanged
    page.wait_for_url(f"**/{draft.pk}/")
    page.goto(url)
    page.fill("[name=notes]", "Thank you")
    page.click("text=Back without saving")
    with page.expect_event("dialog"):
        page.evaluate("history.back()")
    assert set(asked) == {"beforeunload"}
    expect(page.locator("[name=notes]")).to_have_value("Thank you")
    page.fill('[name="lines.0.quantity"]', "none")
    before = len(asked)
    page.click(".form-actions [type=submit]")
    expect(page.locator("[data-summary]")).to_be_visible()
    assert len(asked) == before
    page.click("text=Back without saving")  # refused, so still not saved
    expect(page.locator("[name=notes]")).to_have_value("Thank you")
    page.fill('[name="lines.0.quantity"]', "2")
    before = len(asked)
    page.click(".form-actions [type=submit]")
    page.wait_for_url(f"**/{draft.pk}/")
    assert len(asked) == before


# The menu of the Requested Amount row.


def test_request_menu_works_by_keyboard(page: Page, invoice: Invoice) -> None:
    personas.request_payment(invoice)
    page.goto(f"/o/alder/invoices/{invoice.pk}/")
    page.locator(".open-request-menu summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_text("Resend Payment Link")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_text("Cancel Payment Request")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Cancel Payment Request")).to_be_hidden()
    expect(page.locator(".open-request-menu summary")).to_be_focused()


def test_copy_link_copies_payment_link(page: Page, invoice: Invoice) -> None:
    personas.request_payment(invoice)
    page.goto(f"/o/alder/invoices/{invoice.pk}/")
    page.click(".open-request-menu summary")
    page.click("text=Copy link")
    expect(page.locator("[data-notices]")).to_contain_text("copied")
    assert "/p/" in page.evaluate("navigator.clipboard.readText()")


def test_request_is_canceled_from_menu(page: Page, invoice: Invoice) -> None:
    personas.request_payment(invoice)
    page.goto(f"/o/alder/invoices/{invoice.pk}/")
    page.click(".open-request-menu summary")
    page.click("text=Cancel Payment Request")
    expect(page.locator("dialog[open]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".open-request-menu summary")).to_be_focused()
    page.keyboard.press("Enter")
    page.click("text=Cancel Payment Request")
    page.click("dialog button:text('Cancel Payment Request')")
    expect(page.locator("[data-notices]")).to_contain_text("Its link no longer works")
    expect(page.locator(".open-request")).to_have_count(0)


# The editor.


def test_invoice_lines_are_added_and_removed_in_browser(page: Page, dana: Customer) -> None:
    page.goto(f"/o/alder/invoices/new/?customer={dana.pk}")
    expect(page.locator("[data-line]")).to_have_count(1)
    page.fill("[name='lines.0.description']", "Gone")
    page.fill("[name='lines.0.unit_amount']", "1")
    page.click("text=Add line")
    page.fill("[name='lines.1.description']", "Kept")
    page.fill("[name='lines.1.unit_amount']", "25")
    page.click("[aria-label='Remove line 1']")
    page.click(".form-actions >> text=Save draft")
    page.wait_for_url("**/invoices/inv_*/")
    assert [line.description for line in Invoice.objects.get().lines.all()] == ["Kept"]


def test_sent_invoice_edit_preview_follows_typed_values(page: Page, invoice: Invoice) -> None:
    personas.request_payment(invoice)
    page.goto(f"/o/alder/invoices/{invoice.pk}/edit/")
    page.fill("[name='lines.0.unit_amount']", "299.99")
    expect(page.locator(".edit-preview")).to_contain_text("The open request for $300.00 is canceled")
    page.fill("[name='lines.0.unit_amount']", "300")
    expect(page.locator(".edit-preview")).to_have_count(0)


def test_stale_invoice_edit_shows_both_versions_within_phone_width(page: Page, dana: Customer) -> None:
    invoice = personas.sent_invoice(dana, 1_234_567_890)
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"/o/alder/invoices/{invoice.pk}/edit/")
    personas.edit_invoice(invoice, 1_234_567_891)
    page.click(".form-actions >> text=Save changes")
    expect(page.get_by_role("alert")).to_contain_text("$12,345,678.91")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


# Files, fragments, and forms without a page of their own.
def test_addresses_of_mails_stay_whole_beside_the_timeline(page: Page, invoice: Invoice) -> None:
    page.set_viewport_size({"width": 1280, "height": 740})
    page.goto(f"/o/alder/invoices/{invoice.pk}/")
    address = page.locator("td.cell-details", has_text="dana.whitfield@customer.example")
    assert address.evaluate("(cell) => cell.scrollHeight") < 60  # one line
