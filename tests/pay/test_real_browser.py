"""Scripts and the content security policy of the pages, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from partway.billing import links
from partway.billing.models import Event, Payment
from tests.pay import phone_browser
from tests.pay.customer_browser import GOOD_CARD, CustomerBrowser
from tests.support import personas

pytestmark = pytest.mark.browser


@pytest.fixture
def link(customer_browser: CustomerBrowser) -> str:
    """A request for $300.00 of $1,000.00, as the customer gets it by mail."""
    return links.request_url(
        personas.request_payment(personas.sent_invoice(personas.customer(customer_browser.organization)))
    )


def test_request_is_paid_on_phone(link: str) -> None:
    def pay(page: Page) -> None:
        page.goto(link)
        page.get_by_role("button", name="Pay $300.00").click()
        page.locator("input[name=number]").fill(GOOD_CARD["number"])
        page.get_by_role("button", name="Pay $300.00", exact=True).click()
        expect(page.get_by_text("Left to pay")).to_be_visible()
        expect(page.get_by_role("img", name="Paid $300.00 of $1,000.00")).to_be_visible()

    phone_browser.on_phone(pay)
    assert Event.objects.filter(type="payment_request.opened").exists()


def test_double_click_and_browser_back_make_one_payment(link: str, customer_browser: CustomerBrowser) -> None:
    def press_again_and_again(page: Page) -> None:
        page.goto(link)
        page.get_by_role("button", name="Pay $300.00").dblclick(no_wait_after=True)
        page.wait_for_url(f"{customer_browser.sandbox_server.url}/**")
        page.go_back()
        page.get_by_role("button", name="Pay $300.00").click()
        page.wait_for_url(f"{customer_browser.sandbox_server.url}/**")

    phone_browser.on_phone(press_again_and_again)
    assert Payment.objects.count() == 1


def test_pay_button_shows_progress_and_is_reset_on_return(link: str) -> None:
    def press(page: Page) -> None:
        page.goto(link)
        page.evaluate("addEventListener('submit', (event) => event.preventDefault())")
        page.get_by_role("button", name="Pay $300.00").click()
        expect(page.get_by_role("button", name="Opening the payment page…")).to_be_disabled()
        page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
        expect(page.get_by_role("button", name="Pay $300.00")).to_be_enabled()

    phone_browser.on_phone(press)


def test_receipt_page_updates_without_callback(link: str, customer_browser: CustomerBrowser) -> None:
    key = customer_browser.organization.gateway_accounts.get().credentials["api_key"]
    assert customer_browser.sandbox_server.call_api(
        "POST", "/v1/faults", key=key, kind="callback_lost", count=9
    ).is_success
    receipt = customer_browser.pay(link, GOOD_CARD)

    def wait(page: Page) -> None:
        page.goto(receipt)
        expect(page.get_by_text("Left to pay")).to_be_visible()

    phone_browser.on_phone(wait)


def test_customer_who_left_checkout_has_not_paid_yet_and_pays_in_it_once(link: str) -> None:
    """By the address for canceled payments, by Back to each page, and paying at last: always the same checkout."""
    not_paid, pay = "You have not paid yet", "Pay $300.00"

    def leave_and_come_back(page: Page) -> None:
        page.goto(link)
        expect(page.get_by_text(not_paid)).to_have_count(0)  # nothing was begun
        page.get_by_role("button", name=pay).click()
        expect(page.locator("input[name=number]")).to_be_visible()
        checkout = page.url
        page.go_back()
        expect(page.get_by_text(not_paid)).to_be_visible()
        page.get_by_role("button", name=pay).click()
        page.get_by_role("link", name="Return without paying").click()
        expect(page.get_by_role("heading", level=1, name=not_paid)).to_be_focused()
        page.get_by_role("button", name=pay).click()
        expect(page.locator("input[name=number]")).to_be_visible()
        page.go_back()
        expect(page.get_by_role("heading", level=1, name=not_paid)).to_be_visible()
        page.get_by_role("button", name=pay).click()
        expect(page).to_have_url(checkout)
        page.locator("input[name=number]").fill(GOOD_CARD["number"])
        page.get_by_role("button", name=pay, exact=True).click()
        expect(page.get_by_text("Left to pay")).to_be_visible()

    phone_browser.on_phone(leave_and_come_back)
    assert Payment.objects.get().status == "succeeded"


def test_page_that_says_not_paid_shows_receipt_when_paid_in_another_tab(
    link: str, customer_browser: CustomerBrowser
) -> None:
    checkout = customer_browser.press_pay(link).headers["location"]

    def wait(page: Page) -> None:
        page.goto(link)
        expect(page.get_by_text("You have not paid yet")).to_be_visible()
        customer_browser.sandbox_server.submit_form(f"{checkout}/pay", **GOOD_CARD)
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(page.get_by_text("Left to pay")).to_be_visible()

    phone_browser.on_phone(wait)
