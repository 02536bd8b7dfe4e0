"""A bank debit that fails on its fourth day, in real browsers: as customer and member see it, and paid again."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, expect

from partway.worker.tour.mailbox import Mailbox, payment_link_in
from tests.journeys.browser_actions import Member, pays_at_the_sandbox, presses_pay, sees_receipt

pytestmark = pytest.mark.browser

FAILS_ON_DAY_FOUR = "000000002004"


def test_debit_that_fails_on_day_four_is_paid_again(
    owner: Member, phone: BrowserContext, postbox: Mailbox
) -> None:
    invoice = owner.sends_invoice("1,000.00")
    owner.requests("300.00")
    customer = phone.new_page()
    link = invoice.request_link(postbox, "300.00")
    presses_pay(customer, link, "Pay $300.00")
    checkout = customer.url
    customer.get_by_text("Bank debit", exact=True).click()
    customer.get_by_label("Account number").fill(FAILS_ON_DAY_FOUR)
    customer.get_by_role("button", name="Pay $300.00 by bank debit").click()
    expect(customer.locator("main")).to_contain_text("Your payment is on its way")
    expect(customer.locator("main")).to_contain_text("The outcome is expected by")
    customer.goto(link)
    expect(customer.locator("main")).to_contain_text("a bank is moving the money")
    expect(customer.get_by_role("button", name="Pay $300.00")).to_have_count(0)

    owner.page.goto(invoice.url)
    expect(owner.page.locator("main")).to_contain_text("a bank is moving the money")
    owner.page.get_by_label("More for this payment request").click()
    expect(owner.page.get_by_role("link", name="Copy link")).to_be_visible()
    expect(owner.page.get_by_role("link", name="Resend Payment Link")).to_have_count(0)

    customer.goto(checkout)
    customer.get_by_role("button", name="Let the days pass").click()
    mail = postbox.wait_for_mail(invoice.email, about="did not go through")
    assert "The account has insufficient funds." in mail
    assert payment_link_in(mail, "p") == link
    presses_pay(customer, link, "Pay $300.00")
    assert customer.url != checkout
    pays_at_the_sandbox(customer)
    sees_receipt(customer, "$300.00", "$700.00")
