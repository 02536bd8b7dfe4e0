"""A refund of a stage in real browsers: on its way, confirmed, and what the customer sees of it."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, expect

from partway.worker.tour.mailbox import Mailbox, payment_link_in
from tests.journeys.browser_actions import Member, pays_at_the_sandbox, presses_pay, sees_receipt

pytestmark = pytest.mark.browser

SLOW_REFUNDS = "4000 0000 0000 7726"


def test_stage_is_refunded_and_due_again(owner: Member, phone: BrowserContext, postbox: Mailbox) -> None:
    invoice = owner.sends_invoice("1,000.00")
    owner.requests("300.00")
    customer = phone.new_page()
    presses_pay(customer, invoice.request_link(postbox, "300.00"), "Pay $300.00")
    pays_at_the_sandbox(customer, SLOW_REFUNDS)
    sees_receipt(customer, "$300.00", "$700.00")
    receipt = customer.url

    owner.page.goto(invoice.url)
    owner.page.get_by_label("More for the payment of $300.00").click()
    owner.page.get_by_role("link", name="Refund…", exact=True).click()
    dialog = owner.page.get_by_role("dialog")
    expect(dialog).to_contain_text("of which $300.00 is left")
    expect(dialog).to_contain_text(f"$300.00 is applied to {invoice.number}")
    dialog.get_by_label("Amount to send back").fill("100.00")
    dialog.get_by_label("Reason").select_option("complaint")
    dialog.get_by_role("button", name="Send $100.00 back").click()
    expect(owner.page.locator("[data-notices]")).to_contain_text("$100.00 is being sent back")
    expect(owner.page.locator("main")).to_contain_text("$100.00 of it is not confirmed yet")

    mail = postbox.wait_for_mail(invoice.email, about="sent $100.00 back to you")
    customer.goto(payment_link_in(mail, "r"))
    assert customer.url == receipt
    expect(customer.locator("main")).to_contain_text("sent $100.00 of it back to you")
    owner.page.reload()
    expect(owner.page.locator("main")).to_contain_text("The payment service confirmed the refund of $100.00")
    expect(owner.page.locator("main")).not_to_contain_text("not confirmed yet")
    customer.goto(invoice.hosted_link(postbox))
    expect(customer.get_by_role("button", name="Pay Now · $800.00")).to_be_visible()


def test_paid_invoice_is_voided_by_the_way_of_each_payment(
    owner: Member, phone: BrowserContext, postbox: Mailbox
) -> None:
    invoice = owner.sends_invoice("1,000.00")
    owner.requests("300.00")
    customer = phone.new_page()
    presses_pay(customer, invoice.request_link(postbox, "300.00"), "Pay $300.00")
    pays_at_the_sandbox(customer)
    sees_receipt(customer, "$300.00", "$700.00")
    owner.page.reload()
    owner.records_a_check("200.00")

    owner.page.get_by_label("More for this invoice").click()
    owner.page.get_by_role("link", name="Void Invoice…").click()
    page = owner.page.locator("main")
    online, check = (page.get_by_role("group", name=amount) for amount in ("$300.00", "$200.00"))
    online.get_by_label("What becomes of it").select_option("gateway")
    expect(check.get_by_label("Given back by")).to_be_hidden()
    check.get_by_label("What becomes of it").select_option("outside")
    check.get_by_label("Given back by").select_option("Check")
    page.get_by_label("Reason").select_option("canceled")
    page.get_by_role("button", name="Continue").click()
    expect(page).to_contain_text("The payment service sends $300.00 back")
    expect(page).to_contain_text("got $200.00 back by Check")
    page.get_by_role("button", name="Void Invoice and Send $300.00 Back").click()
    expect(owner.page.locator("[data-notices]")).to_contain_text("The invoice is void.")

    postbox.wait_for_mail(invoice.email, about="sent $300.00 back to you")
    customer.goto(invoice.hosted_link(postbox))
    expect(customer.get_by_role("heading", level=1)).to_contain_text("void")
