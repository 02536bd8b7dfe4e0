"""Collecting in stages in real browsers: a collector on a desktop, a customer on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, expect

from partway.worker.tour.mailbox import Mailbox
from tests.journeys.browser_actions import Member, pays_at_the_sandbox, presses_pay, sees_receipt

pytestmark = pytest.mark.browser


def test_invoice_is_collected_in_stages(collector: Member, phone: BrowserContext, postbox: Mailbox) -> None:
    invoice = collector.writes_invoice("1,000.00")
    hosted = invoice.hosted_link(postbox)
    customer = phone.new_page()

    collector.requests("300.00", note="For the material.")
    presses_pay(customer, invoice.request_link(postbox, "300.00"), "Pay $300.00")
    # The collector's page follows without a reload: the mail is sent, the link opened, a checkout begun, then paid.
    page = collector.page.locator("main")
    expect(page).to_contain_text("is at the checkout for $300.00", timeout=20_000)
    expect(page.locator(".open-request-details")).to_contain_text("Sent")
    expect(page.locator(".open-request-details")).to_contain_text("Opened")
    pays_at_the_sandbox(customer)
    sees_receipt(customer, "$300.00", "$700.00")
    expect(page).to_contain_text("Partially paid", timeout=20_000)

    collector.requests("200.00")
    link = invoice.request_link(postbox, "200.00")
    collector.chooses("Resend Payment Link")
    collector.page.get_by_role("dialog").get_by_role("button", name="Resend").click()
    assert invoice.request_link(postbox, "200.00") == link
    collector.cancels_the_request()
    customer.goto(link)
    expect(customer.get_by_role("heading", level=1)).to_contain_text("canceled")

    collector.requests("400.00")
    presses_pay(customer, hosted, "Pay Now · $700.00")
    pays_at_the_sandbox(customer)
    sees_receipt(customer, "$700.00", "$0.00")
    customer.goto(invoice.request_link(postbox, "400.00"))
    expect(customer.get_by_role("button")).to_have_count(0)
    collector.page.goto(invoice.url)
    expect(collector.page.locator("main")).to_contain_text("Paid")
    expect(collector.page.get_by_role("heading", name="Requested Amount")).to_have_count(0)


def test_remaining_due_follows_each_keystroke(collector: Member) -> None:
    collector.sends_invoice("1,000.00")
    collector.opens_request_dialog()
    rest = collector.page.get_by_label("Remaining Due")
    for typed, shown in (("3", "$997.00"), ("30", "$970.00"), ("300", "$700.00"), ("300.5", "$699.50")):
        collector.page.get_by_label("Amount Requested").fill(typed)
        expect(rest).to_have_text(shown)


def test_remaining_due_is_right_for_yen_and_dinar(collector: Member) -> None:
    for currency, total, typed, shown in (
        ("JPY", "100000", "333", "99,667"),
        ("KWD", "100", "33.33", "66.670"),
    ):
        collector.sends_invoice(total, currency)
        collector.opens_request_dialog()
        collector.page.get_by_label("Amount Requested").fill(typed)
        expect(collector.page.get_by_label("Remaining Due")).to_contain_text(shown)


def test_refused_request_amount_is_marked_and_kept(collector: Member) -> None:
    collector.sends_invoice("1,000.00")
    collector.opens_request_dialog()
    amount = collector.page.get_by_label("Amount Requested")
    amount.fill("1000.01")
    collector.page.get_by_role("textbox", name="Cc (optional)", exact=True).fill("not an address")
    collector.page.get_by_role("dialog").get_by_role("button", name="Send").click()
    expect(amount).to_have_attribute("aria-invalid", "true")
    expect(amount).to_have_value("1000.01")
    expect(collector.page.get_by_role("dialog")).to_contain_text("at most $1,000.00")
    expect(collector.page.get_by_role("dialog")).to_contain_text("“not an address”")


def test_second_tab_names_open_request(collector: Member, desktop: BrowserContext) -> None:
    invoice = collector.sends_invoice("1,000.00")
    second = Member(collector.supervisor, desktop.new_page())
    second.page.goto(invoice.url)
    second.opens_request_dialog()
    collector.requests("300.00")
    second.page.get_by_label("Amount Requested").fill("200")
    second.page.get_by_role("dialog").get_by_role("button", name="Send").click()
    expect(second.page.get_by_role("dialog")).to_contain_text("A request for $300.00 is already open")


def test_copy_link_copies_the_payment_link(
    collector: Member, desktop: BrowserContext, postbox: Mailbox
) -> None:
    desktop.grant_permissions(["clipboard-read", "clipboard-write"])
    invoice = collector.sends_invoice("1,000.00")
    collector.requests("300.00")
    collector.chooses("Copy link")
    link = invoice.request_link(postbox, "300.00")
    collector.page.wait_for_function(
        "link => navigator.clipboard.readText().then(text => text === link)", arg=link
    )
