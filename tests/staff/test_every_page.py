"""Each page and dialog of a member, visited once in a real browser: long texts fit each width, axe finds nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.urls import get_resolver, resolve
from playwright.sync_api import Page, expect
from pytest_django import Settings

from partway.accounts.models import GatewayAccount, Member, Organization, Role
from partway.gateways.registry import GATEWAYS
from tests.support import layout, long_texts
from tests.support.accessibility import violations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# What is no page: files, buttons, what scripts ask for, and the body of a mail, which is in a frame.
NOT_PAGES = {
    *("staff:invoice_pdf", "staff:quote_pdf", "staff:invoices_csv", "staff:logo_image", "staff:inbox_body"),
    *("staff:payments_csv", "staff:payments_xlsx", "staff:customer_statement_pdf"),
    *("staff:payouts_csv", "staff:payouts_xlsx"),
    *("staff:journal_csv", "staff:journal_xlsx", "staff:journal_quickbooks"),
    *("staff:attention_resolve", "staff:settings_locale", "staff:settings_logo"),
    *("staff:invoice_live", "staff:quote_live"),
    *(
        "staff:gateway_open_account",
        "staff:gateway_onboarding",
        "staff:gateway_onboarded",
    ),  # lead to the gateway
}
LINKS = """() => [...document.querySelectorAll('a[href^="/"]')].map(
    (link) => [link.getAttribute("href"), link.hasAttribute("hx-get")])"""


@pytest.fixture
def owner(page: Page, organization: Organization, settings: Settings, tmp_path: Path) -> Page:
    """Bob's page, now an owner of an organization with long texts everywhere."""
    settings.PARTWAY_HOME = tmp_path
    Organization.objects.update(next_invoice_number=99_999_999)
    long_texts.create(organization)
    # At a gateway whose account has a key and reports that are set up, which are pages of their own.
    [code] = [code for code, gateway in GATEWAYS.items() if gateway.callback_setup]
    [account] = GatewayAccount.objects.filter(organization=organization)
    account.gateway, account.credentials = code, dict(GATEWAYS[code].sample_credentials)
    account.save()
    Member.objects.filter(user__email="bob@alder.example").update(role=Role.OWNER)
    return page


def kind_of(path: str) -> str:
    """Returns the route of a path; of documents, which differ by their state, each is a kind of its own."""
    match = resolve(urlsplit(path).path)
    document = (
        f" {[*match.kwargs.values()][-1]}" if match.view_name in ("staff:invoice", "staff:quote") else ""
    )
    return match.view_name + document


def test_every_page_and_dialog_fits_every_width_and_passes_axe(
    owner: Page, days_share: Callable[[Sequence[Any]], Sequence[Any]]
) -> None:
    """Every page that links of the owner's pages lead to, one of each kind and each state of a document.

    All are opened, because they lead to others.
    """
    looked_at = {*days_share(range(1_000))}
    paths: dict[str, str] = {}
    dialogs, waiting, found = set[str](), ["/o/alder/", "/profile/"], []
    while waiting:
        path = waiting.pop(0)
        kind = kind_of(path)
        if kind in paths or kind in NOT_PAGES:
            continue
        paths[kind] = path
        owner.goto(path)
        if len(paths) in looked_at:
            # What opens as a dialog is a page only without scripts, in a frame that every page has.
            rules = {} if kind in dialogs else {"also": violations}
            found += layout.overflowing(owner, **rules)
        links = owner.evaluate(LINKS)
        waiting += [link for link, _ in links]
        dialogs |= {kind_of(link) for link, opens_dialog in links if opens_dialog}
    pages = {
        f"staff:{name}" for name in get_resolver("partway.staff.urls").reverse_dict if isinstance(name, str)
    }
    assert pages - {kind.split()[0] for kind in paths} == NOT_PAGES
    # Lists that found nothing, as they are before anything is unfolded; the last is of few elements, for the dialogs.
    for path in ("invoices/?q=nothing", "payments/?q=nothing", "quotes/?q=nothing", "nothing/"):
        owner.goto(f"/o/alder/{path}")
        found += [f"{path}: {each}" for each in violations(owner)]
    for kind in days_share(sorted(dialogs)):
        found += found_in_dialog(owner, kind, paths[kind])
    assert not found, "\n".join(found)


def found_in_dialog(owner: Page, kind: str, path: str) -> list[str]:
    """Opens a dialog on the page that is open, which has few elements, because axe reads what is around it too."""
    owner.evaluate("path => htmx.ajax('GET', path, '#dialog-content')", path)
    expect(owner.locator("dialog[open] h1")).to_be_visible()
    found = violations(owner, "dialog")
    if kind == "staff:request_new":
        owner.get_by_role("button", name="Send request").dispatch_event("click")
        expect(owner.locator("dialog [data-summary]")).to_be_focused()
        found += violations(owner, "dialog")
    owner.evaluate("document.querySelector('dialog[open]').close()")
    expect(owner.locator("dialog[open]")).to_have_count(0)
    return [f"dialog {path}: {each}" for each in found]


def test_violation_of_a_rule_is_found(page: Page) -> None:
    page.goto("/o/alder/")
    page.evaluate("document.getElementById('main').append(new Image())")
    page.evaluate("document.getElementById('main').style.color = '#999'")
    rules = {violation.split(":")[0] for violation in violations(page)}
    assert rules >= {"image-alt", "color-contrast"}


def test_contrast_that_is_too_low_in_one_theme_is_found_on_a_page_known_as_right(page: Page) -> None:
    page.goto("/o/alder/")
    assert violations(page) == []
    page.evaluate(
        """() => {
            const style = new CSSStyleSheet();
            style.replaceSync("@media (prefers-color-scheme: dark) { h1 { color: #333 !important; } }");
            document.adoptedStyleSheets = [style];
        }"""
    )
    [violation] = violations(page)
    assert violation.startswith("dark color-contrast: <h1")
