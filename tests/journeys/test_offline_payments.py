"""Offline payments in real browsers: recorded, kept as credit, applied, and reversed."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, expect

from partway.worker.supervisor import Supervisor
from partway.worker.tour.mailbox import Mailbox, payment_link_in
from tests.journeys.browser_actions import Member

pytestmark = pytest.mark.browser


def test_check_cancels_open_request_and_is_reversed(
    owner: Member, phone: BrowserContext, postbox: Mailbox
) -> None:
    invoice = owner.sends_invoice("1,000.00")
    owner.requests("300.00")
    link = invoice.request_link(postbox, "300.00")
    owner.records_a_check("800.00")
    notices = owner.page.locator("[data-notices]")
    expect(notices).to_contain_text("Its open request for $300.00 was canceled")
    customer = phone.new_page()
    customer.goto(link)
    expect(customer.get_by_role("button")).to_have_count(0)

    receipt = payment_link_in(postbox.wait_for_mail(invoice.email, about="$800.00"), "r")
    customer.goto(receipt)
    expect(customer.locator("main")).to_contain_text("You paid")
    owner.page.get_by_label("More for the payment of $800.00").click()
    owner.page.get_by_role("link", name="Reverse Payment…").click()
    owner.page.get_by_label("Reason").fill("The bank returned it.")
    owner.page.get_by_role("dialog").get_by_role("button", name="Reverse $800.00").click()
    expect(notices).to_contain_text(f"$800.00 is due again on {invoice.number}.")
    customer.reload()
    expect(customer.get_by_role("heading", level=1)).to_have_text("Your payment was reversed")
    expect(customer.locator("main")).to_contain_text("use the link in the mail of the invoice")
    customer.goto(invoice.hosted_link(postbox))
    expect(customer.locator("main")).to_contain_text("Check reversed")


def test_overpayment_kept_as_credit_pays_next_invoice(supervisor: Supervisor, phone: BrowserContext) -> None:
    """The same on a phone."""
    collector = Member.signed_in(supervisor, phone.new_page(), "carl@demo.example")
    first = collector.sends_invoice("500.00")
    collector.records_a_check("700.00", keeps_rest=True)
    expect(collector.page.locator("[data-notices]")).to_contain_text("$200.00 of it is credit")
    collector.page.get_by_role("link", name="Casey").first.click()
    expect(collector.page.locator("main")).to_contain_text("$200.00 credit")
    collector.writes_another_invoice("900.00")
    collector.page.get_by_role("link", name="Apply Credit").first.click()
    collector.page.get_by_role("dialog").get_by_role("button", name="Apply $200.00").click()
    expect(collector.page.locator("main")).to_contain_text("Partially paid")
    expect(collector.page.locator("main")).to_contain_text(f"Credit from {first.number}")
