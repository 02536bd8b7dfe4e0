"""Every page and dialog that an owner can reach has no violation of the rules of axe-core, in both themes."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urlsplit

import pytest
from django.urls import resolve
from playwright.sync_api import Page, expect

from partway.staff import urls
from partway.worker.demo import SLUG
from tests.journeys.browser_actions import Member
from tests.staff.test_access import routes
from tests.support.accessibility import violations
from tests.support.sandbox_server import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.long(60)]

# What is no page: files, a button, what scripts ask for, and the body of a mail, which is in a frame.
FILES = {
    *("invoice_pdf", "quote_pdf", "customer_statement_pdf", "logo_image"),
    *("invoices_csv", "payments_csv", "payments_xlsx", "payouts_csv", "payouts_xlsx"),
    *("journal_csv", "journal_xlsx", "journal_quickbooks"),
}
PARTS = {"attention_resolve", "inbox_body", "invoice_live", "quote_live", "settings_locale", "settings_logo"}
PARTS |= {"gateway_open_account", "gateway_onboarding", "gateway_onboarded"}  # lead to the gateway

# In states that other tests bring about; they look for violations themselves.
ELSEWHERE = {"dispute_loss", "journal_reopen", "gateway_key", "gateway_callbacks"}

LINK = re.compile(r'<a\b([^>]*?)\bhref="(/(?:o|profile)/[^"#?]*)[^"]*"([^>]*)>')
LINKS_OF_ROUTE, LINKS_OF_LIST = 3, 6
STATES = {
    "invoices": ["draft", "sent", "paid", "void", "written_off"],
    "quotes": ["draft", "sent", "accepted"],
}


def reachable(page: Page, base: str, first: str) -> tuple[dict[str, str], set[str]]:
    """Follows the links from `first` and from the lists of each state, a few of each route on each page.

    Returns a path of each route by its name, and the names of dialogs.
    """
    # By number, the demo's own rows come first, however many the journeys before this one have added.
    lists = [
        f"/o/{SLUG}/{kind}/?status={status}&sort=number"
        for kind, states in STATES.items()
        for status in states
    ]
    waiting, paths, dialogs = [first, *lists], dict[str, str](), set[str]()
    queued = set(waiting)
    while waiting:
        followed: list[str] = []
        url = waiting.pop(0)
        limit = LINKS_OF_LIST if url in lists else LINKS_OF_ROUTE
        html = page.request.get(f"{base}{url}").text()
        for before, href, after in LINK.findall(html):
            path, name = unescape(href), str(resolve(unescape(href)).url_name)
            paths.setdefault(name, path)
            if "hx-get" in before + after:
                dialogs.add(name)
            elif path not in queued and name not in FILES and followed.count(name) < limit:
                followed.append(name)
                queued.add(path)
                waiting.append(path)
    return {name: path for name, path in paths.items() if name not in FILES}, dialogs


def add_rows_that_the_demo_has_not(owner: Member) -> str:
    """Adds a draft of a quote, an invitation, a key, an endpoint with a test, a checked file, and an overpaid invoice.

    The invoice's customer has another name now. Returns the path of the invoice.
    """
    page = owner.page
    owner.open("quotes/new/")
    page.get_by_label("Customer", exact=True).select_option(index=2)  # after the choice of a new customer
    page.locator('[name="lines.0.description"]').fill("Kitchen")
    page.locator('[name="lines.0.unit_amount"]').fill("100")
    page.get_by_role("button", name="Save draft").click()
    owner.open("settings/members/invite/")
    page.get_by_label("Email").fill("kim@journey.example")
    page.locator("main [type=submit]").click()
    owner.open("settings/keys/new/")
    page.get_by_label("Name").fill("Job management")
    page.locator("main [type=submit]").click()
    owner.open("settings/webhooks/new/")
    page.get_by_label("Address").fill("https://192.0.2.1/hooks")
    page.locator("main [type=submit]").click()
    expect(page.locator(".field-error")).to_be_visible()  # no address of the public internet
    page.get_by_label("Address").fill("https://jobs.journey.example/hooks")
    page.locator("main [type=submit]").click()
    page.get_by_role("link", name="Done").click()
    page.get_by_role("link", name="Send a test").click()
    page.get_by_role("button", name="Send the test").click()
    expect(page.get_by_role("heading", name="webhook_endpoint.tested")).to_be_visible()
    owner.open("imports/new/?kind=customers")
    people = b"id,name,email\n7,Ann Reed,ann@reed.example\n"
    page.set_input_files("[type=file]", {"name": "file.csv", "mimeType": "text/csv", "buffer": people})
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_role("link", name="Import 1 row")).to_be_visible()
    path = urlsplit(owner.sends_invoice().url).path
    owner.records_a_check("1,100.00", keeps_rest=True)
    page.locator("main .page-header a").first.click()
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Name").fill("Casey of another name")
    page.get_by_role("dialog").locator("[type=submit]").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    return path


def wait_for_payout(owner: Member) -> None:
    """Waits until the sandbox has paid out what the customers of the demo paid."""
    wait_until(
        lambda: owner.open("payouts/") or owner.page.locator(".row-link").count(), interval_seconds=0.5
    )


def test_no_page_and_no_dialog_violates_a_rule_of_accessibility(owner: Member) -> None:
    page, base = owner.page, owner.supervisor.config.url
    wait_for_payout(owner)
    paths, dialogs = reachable(page, base, add_rows_that_the_demo_has_not(owner))
    assert {str(route.name) for route in routes(urls._organization)} <= {*paths, *FILES, *PARTS, *ELSEWHERE}
    found = {}
    page.on("dialog", lambda asked: asked.accept())  # whether to leave what the refused dialog holds
    # A dialog is a page too: in the frame of the page that is not found.
    pages = {name: path for name, path in paths.items() if name not in dialogs}
    for name, path in {**pages, "not found": f"/o/{SLUG}/nothing/"}.items():
        page.goto(f"{base}{path}")
        found[name] = violations(page)
    # On a page of few elements, because axe reads what is around the dialog too.
    owner.open("nothing/")
    for name in sorted(dialogs):
        page.evaluate("path => htmx.ajax('GET', path, '#dialog-content')", paths[name])
        expect(page.locator("dialog[open] h1")).to_be_visible()
        found[f"dialog {name}"] = violations(page, "dialog")
        if name == "request_new":
            page.get_by_role("button", name="Send request").click()
            expect(page.locator("dialog [data-summary]")).to_be_focused()
            found["refused dialog"] = violations(page, "dialog")
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)
    assert {name: nodes for name, nodes in found.items() if nodes} == {}


def test_violation_of_a_rule_is_found(owner: Member) -> None:
    owner.page.evaluate("document.getElementById('main').append(new Image())")
    owner.page.evaluate("document.getElementById('main').style.color = '#999'")
    rules = {violation.split(":")[0] for violation in violations(owner.page)}
    assert rules >= {"image-alt", "color-contrast"}


def test_contrast_that_is_too_low_in_one_theme_is_found_on_a_page_known_as_right(owner: Member) -> None:
    assert violations(owner.page) == []
    owner.page.evaluate(
        """() => {
            const style = new CSSStyleSheet();
            style.replaceSync("@media (prefers-color-scheme: dark) { h1 { color: #333 !important; } }");
            document.adoptedStyleSheets = [style];
        }"""
    )
    [violation] = violations(owner.page)
    assert violation.startswith("dark color-contrast: <h1")
