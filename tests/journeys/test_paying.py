"""Customers pay: with double clicks, two tabs, the Back button, dead links, and on a phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect

from partway.worker.demo import SLUG
from partway.worker.supervisor import Supervisor
from partway.worker.tour.mailbox import Mailbox
from tests.journeys.browser_actions import (
    CARD,
    Invoice,
    Member,
    pays_at_the_sandbox,
    presses_pay,
    sees_receipt,
)

pytestmark = pytest.mark.browser


@pytest.fixture
def invoice(collector: Member) -> Invoice:
    invoice = collector.sends_invoice("1,000.00")
    collector.requests("300.00")
    return invoice


def test_a_double_click_on_pay_pays_once(
    collector: Member, invoice: Invoice, phone: BrowserContext, postbox: Mailbox
) -> None:
    page = phone.new_page()
    page.goto(invoice.request_link(postbox, "300.00"))
    page.get_by_role("button", name="Pay $300.00").dblclick()
    expect(page.get_by_label("Card number")).to_be_visible()
    page.get_by_label("Card number").fill(CARD)
    page.get_by_role("button", name=re.compile("^Pay")).first.dblclick()
    sees_receipt(page, "$300.00", "$700.00")
    expect_one_payment(collector.page, invoice)


def test_two_tabs_pay_request_once(
    collector: Member, invoice: Invoice, phone: BrowserContext, postbox: Mailbox
) -> None:
    link = invoice.request_link(postbox, "300.00")
    first, second = phone.new_page(), phone.new_page()
    presses_pay(first, link, "Pay $300.00")
    presses_pay(second, link, "Pay $300.00")
    assert first.url == second.url, "the same link leads to the same checkout"
    pays_at_the_sandbox(first)
    sees_receipt(first, "$300.00", "$700.00")
    pays_at_the_sandbox(second)
    expect(second.locator("body")).to_contain_text(re.compile("already paid", re.IGNORECASE))
    expect_one_payment(collector.page, invoice)


def test_browser_back_after_payment_shows_paid_request(
    invoice: Invoice, phone: BrowserContext, postbox: Mailbox
) -> None:
    page = phone.new_page()
    link = invoice.request_link(postbox, "300.00")
    presses_pay(page, link, "Pay $300.00")
    pays_at_the_sandbox(page)
    sees_receipt(page, "$300.00", "$700.00")
    page.go_back()
    page.goto(link)
    expect(page.locator("main")).to_contain_text("You paid")
    expect(page.get_by_role("button")).to_have_count(0)
    page.get_by_role("link", name="Show the receipt").click()
    sees_receipt(page, "$300.00", "$700.00")


def test_a_declined_card_can_be_followed_by_a_good_one(
    invoice: Invoice, phone: BrowserContext, postbox: Mailbox
) -> None:
    page = phone.new_page()
    presses_pay(page, invoice.request_link(postbox, "300.00"), "Pay $300.00")
    pays_at_the_sandbox(page, "4000000000000002")
    expect(page.get_by_role("alert")).to_be_visible()
    pays_at_the_sandbox(page)
    sees_receipt(page, "$300.00", "$700.00")


def test_request_canceled_while_customer_types_card_is_not_paid(
    collector: Member, invoice: Invoice, phone: BrowserContext, postbox: Mailbox
) -> None:
    page = phone.new_page()
    link = invoice.request_link(postbox, "300.00")
    presses_pay(page, link, "Pay $300.00")
    collector.page.goto(invoice.url)
    collector.cancels_the_request()
    pays_at_the_sandbox(page)
    expect(page.locator("body")).to_contain_text(re.compile("closed|no longer", re.IGNORECASE))
    page.goto(link)
    expect(page.get_by_role("heading", level=1)).to_contain_text("canceled")
    collector.page.goto(invoice.url)
    expect(collector.page.locator("main")).to_contain_text("Sent")


def test_leaving_the_checkout_charges_nothing(
    invoice: Invoice, phone: BrowserContext, postbox: Mailbox
) -> None:
    page = phone.new_page()
    presses_pay(page, invoice.request_link(postbox, "300.00"), "Pay $300.00")
    page.get_by_role("link", name="Return without paying").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You have not paid yet")
    page.get_by_role("button", name="Pay $300.00").click()
    expect(page.get_by_label("Card number")).to_be_visible()


def test_request_can_be_paid_without_javascript(invoice: Invoice, browser: Browser, postbox: Mailbox) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    presses_pay(page, invoice.request_link(postbox, "300.00"), "Pay $300.00")
    pays_at_the_sandbox(page)
    for _ in range(10):
        again = page.get_by_role("button", name="Look again")
        if not again.count():
            break
        again.click()
    sees_receipt(page, "$300.00", "$700.00")
    context.close()


def test_pay_button_is_within_thumb_reach_on_phone(
    invoice: Invoice, phone: BrowserContext, postbox: Mailbox
) -> None:
    page = phone.new_page()
    page.goto(invoice.request_link(postbox, "300.00"))
    box = page.get_by_role("button", name="Pay $300.00").bounding_box()
    assert box is not None
    assert box["height"] >= 44
    assert box["y"] + box["height"] <= 740
    assert fits_the_screen(page)


def test_member_pages_fit_phone_width(supervisor: Supervisor, phone: BrowserContext) -> None:
    member = Member.signed_in(supervisor, phone.new_page(), "olivia@demo.example")
    for path in (
        "",
        "invoices/",
        "invoices/new/",
        "customers/",
        "settings/",
        "settings/payments/",
        "attention/",
        "inbox/",
    ):
        member.open(path)
        assert fits_the_screen(member.page), path


@pytest.mark.parametrize("path", ["invoices/", "invoices/new/"])
def test_first_load_of_a_page_transfers_little(owner: Member, browser: Browser, path: str) -> None:
    fetched: list[Response] = []
    with browser.new_context() as context:  # which has no file of it yet
        context.add_cookies(owner.page.context.cookies())
        page = context.new_page()
        page.on("response", lambda response: fetched.append(response))
        page.goto(f"{owner.supervisor.config.url}/o/{SLUG}/{path}", wait_until="networkidle")
        texts = [each for each in fetched if not each.url.endswith(".woff2")]
        plain = [each.url for each in texts if each.header_value("content-encoding") != "gzip"]
        sizes = {each.url: each.request.sizes()["responseBodySize"] for each in texts}
    assert plain == []
    assert sum(sizes.values()) <= 60_000, sizes


def test_request_can_be_created_without_javascript(supervisor: Supervisor, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    member = Member.signed_in(supervisor, context.new_page(), "carl@demo.example")
    member.open("invoices/?q=Marcus")
    member.page.get_by_role("link", name=re.compile("^FR-")).click()
    member.page.get_by_role("link", name="Request Payment").click()
    member.page.get_by_label("Amount Requested").fill("500")
    member.page.get_by_role("button", name="Send").click()
    expect(member.page.get_by_role("heading", name="Requested Amount")).to_be_visible()
    context.close()


def fits_the_screen(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def expect_one_payment(page: Page, invoice: Invoice) -> None:
    page.goto(invoice.url)
    expect(page.get_by_role("link", name="Receipt")).to_have_count(1)
    expect(page.locator("main")).to_contain_text("$700.00")
