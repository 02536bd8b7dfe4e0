"""A quote from its draft to its invoice: a member on a desktop, a customer on a phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from partway.worker.supervisor import Supervisor
from partway.worker.tour.mailbox import Mailbox
from tests.journeys.browser_actions import Member, accepts, pays_at_the_sandbox, presses_pay, sees_receipt

pytestmark = pytest.mark.browser


def fits(page: Page) -> bool:
    """Whether the page has no horizontal overflow."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_a_quote_is_accepted_its_deposit_paid_and_the_invoice_made(
    collector: Member, phone: BrowserContext, postbox: Mailbox
) -> None:
    quote = collector.writes_quote()
    link, page = quote.link(postbox), phone.new_page()
    page.goto(link)
    expect(page.locator("main")).to_contain_text("Kitchen, ground floor")
    assert fits(page)
    accepts(page, link, "Casey Lane")
    presses_pay(page, link, "Pay $300.00")
    pays_at_the_sandbox(page)
    sees_receipt(page, "$300.00", "$700.00")
    expect(page.locator("main")).to_contain_text(f"Deposit of quote{quote.number}")
    collector.page.reload()
    expect(collector.page.locator("main")).to_contain_text("Casey Lane")
    collector.confirms("Make Invoice")
    expect(collector.page.locator("main")).to_contain_text(f"Deposit of $300.00 from {quote.number}")
    collector.confirms("Send")
    expect(collector.page.locator("main")).to_contain_text("$700.00")
    expect(collector.page.get_by_role("link", name="Request Payment")).to_be_visible()
    collector.page.get_by_role("link", name=quote.number).first.click()
    expect(collector.page.get_by_role("link", name=re.compile(r"^FR-\d+$"))).to_be_visible()


def test_quote_can_be_accepted_and_checkout_opened_without_javascript(
    collector: Member, supervisor: Supervisor, postbox: Mailbox
) -> None:
    link = collector.sends_quote().link(postbox)
    browser = collector.page.context.browser
    assert browser is not None
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto(link)
    page.get_by_role("button", name=re.compile("^Accept")).click()
    expect(page.locator("main")).to_contain_text("Type your name to accept.")
    accepts(page, link, "Casey Lane")
    page.get_by_role("button", name="Pay $300.00").click()
    expect(page.get_by_label("Card number")).to_be_visible()
    context.close()


def test_forged_deposit_amount_changes_nothing(
    collector: Member, phone: BrowserContext, postbox: Mailbox
) -> None:
    link, page = collector.sends_quote().link(postbox), phone.new_page()
    accepts(page, link, "Casey Lane")
    page.evaluate(
        """() => document.querySelector("form.pay-bar").insertAdjacentHTML(
            "beforeend", '<input type="hidden" name="amount_minor" value="100">')"""
    )
    page.get_by_role("button", name="Pay $300.00").click()
    expect(page.locator("body")).to_contain_text("$300.00")
    expect(page.locator("body")).not_to_contain_text("$1.00")


def test_quote_accept_and_pay_are_within_thumb_reach_on_phone(
    collector: Member, phone: BrowserContext, postbox: Mailbox
) -> None:
    link, page = collector.sends_quote().link(postbox), phone.new_page()
    page.goto(link)
    bar = page.get_by_role("link", name="Accept or decline")
    expect(bar).to_be_in_viewport()
    bar.click()
    expect(page.get_by_label("Your name")).to_be_in_viewport()
    accepts(page, link, "Casey Lane")
    expect(page.get_by_role("button", name="Pay $300.00")).to_be_in_viewport()


def test_customer_declines_quote_with_reason(
    collector: Member, phone: BrowserContext, postbox: Mailbox
) -> None:
    quote = collector.sends_quote()
    page = phone.new_page()
    page.goto(quote.link(postbox))
    page.get_by_text("Not for you?").click()
    page.get_by_label("Reason").fill("We wait until spring.")
    page.get_by_role("button", name="Decline").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This quote was declined")
    assert "$" not in page.locator("body").inner_text()
    collector.page.reload()
    expect(collector.page.locator("main")).to_contain_text("We wait until spring.")


def test_recorded_deposit_check_is_shown_to_customer(
    collector: Member, phone: BrowserContext, postbox: Mailbox
) -> None:
    quote = collector.sends_quote()
    link, page = quote.link(postbox), phone.new_page()
    accepts(page, link, "Casey Lane")
    collector.page.reload()
    collector.page.get_by_role("link", name="Record Deposit").click()
    dialog = collector.page.get_by_role("dialog")
    expect(dialog).to_contain_text("$300.00")
    expect(dialog.get_by_label("Amount")).to_have_count(0)
    dialog.get_by_label("Paid by").select_option("Check")
    dialog.get_by_label("Reference").fill("No. 118")
    dialog.get_by_role("button", name="Record $300.00").click()
    expect(collector.page.locator("main")).to_contain_text("No. 118")
    page.reload()
    expect(page.locator("main")).to_contain_text("the deposit is paid")
    expect(page.get_by_role("button")).to_have_count(0)


def test_owner_sets_default_deposit(owner: Member) -> None:
    owner.open("settings/quotes/")
    owner.page.get_by_label("Usual deposit").select_option("percent")
    expect(owner.page.get_by_label("Amount", exact=True)).to_be_hidden()
    owner.page.get_by_label("Percent of the total").fill("20")
    owner.page.get_by_role("button", name="Save").click()
    owner.open("quotes/new/")
    expect(owner.page.get_by_label("Deposit", exact=True)).to_have_value("usual")
    owner.page.locator('[name="lines.0.description"]').fill("Kitchen")
    owner.page.locator('[name="lines.0.unit_amount"]').fill("500")
    expect(owner.page.locator(".editor-figures")).to_contain_text("$100.00")
