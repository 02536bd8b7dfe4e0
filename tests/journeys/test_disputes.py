"""A dispute in real browsers: opened and lost at the company, on the Attention page, and taken as a loss."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, expect

from partway.worker.tour.mailbox import Mailbox
from tests.journeys.browser_actions import Member, pays_at_the_sandbox, presses_pay, sees_receipt
from tests.support.accessibility import violations

pytestmark = pytest.mark.browser

GOOD = "4242 4242 4242 4242"
OFFICE = "billing@fieldstone.example"


def test_dispute_is_lost_and_taken_as_a_loss(owner: Member, phone: BrowserContext, postbox: Mailbox) -> None:
    invoice = owner.sends_invoice("1,000.00")
    owner.requests("300.00")
    customer = phone.new_page()
    presses_pay(customer, invoice.request_link(postbox, "300.00"), "Pay $300.00")
    checkout = customer.url
    pays_at_the_sandbox(customer, GOOD)
    sees_receipt(customer, "$300.00", "$700.00")
    receipt = customer.url

    customer.goto(checkout)
    customer.get_by_role("button", name="Dispute $300.00").click()
    expect(customer.locator("main")).to_contain_text("A dispute of $300.00 is open.")
    postbox.wait_for_mail(OFFICE, about="disputes $300.00 of a payment")
    owner.page.goto(invoice.url.partition("/invoices/")[0] + "/attention/")
    entry = owner.page.locator(".alert-row").filter(has_text=invoice.number)
    expect(entry).to_contain_text("asks $300.00 of this payment back")
    expect(entry).to_contain_text("7 days left")

    customer.get_by_role("button", name="The customer wins").click()
    expect(customer.locator("main")).to_contain_text("The dispute of $300.00 was lost.")
    postbox.wait_for_mail(OFFICE, about="The dispute about $300.00 was lost")
    owner.page.goto(invoice.url)
    expect(owner.page.locator("main")).to_contain_text("$1,000.00")
    expect(owner.page.locator("main")).to_contain_text("$300.00 taken back")
    owner.page.goto(invoice.url.partition("/invoices/")[0] + "/attention/")
    entry.get_by_role("link", name="Take as a Loss…").click()
    dialog = owner.page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"No longer due on {invoice.number}")
    assert violations(owner.page, "dialog") == []
    dialog.get_by_role("button", name="Take $300.00 as a Loss").click()
    expect(owner.page.locator("[data-notices]")).to_contain_text("$300.00 is a loss now")

    customer.goto(receipt)
    expect(customer.locator("main")).to_contain_text("Your bank took $300.00 of it back")
    customer.goto(invoice.hosted_link(postbox))
    expect(customer.get_by_role("button", name="Pay Now · $700.00")).to_be_visible()
