"""Onboarding: from `organizations create` to the first paid request, by the button of the first steps alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from partway.worker.supervisor import Supervisor
from tests.journeys.browser_actions import pays_at_the_sandbox

pytestmark = pytest.mark.browser

PASSWORD = "a long walk by the river"


@dataclass
class Newcomer:
    """A new owner who follows the first steps of the overview."""

    supervisor: Supervisor
    page: Page

    def starts(self) -> str:
        """Creates the organization and sets a password by the printed link; returns the address of the overview."""
        named = ["--name", "Evening & Co", "--owner", "eve@evening.example", "--owner-name", "Eve"]
        printed = self.supervisor.run("organizations", "create", *named)
        overview, welcome = re.findall(r"https?://\S+", printed)
        self.page.goto(welcome)
        for field in self.page.locator("[type=password]").all():
            field.fill(PASSWORD)
        self.page.locator("main [type=submit]").first.click()
        return overview

    def does_what_comes_next(self, overview: str) -> str:
        """Presses the button of the next step and completes the page it opens; returns the button's label."""
        self.page.goto(overview)
        button = self.page.locator(".steps .button-primary")
        words = button.inner_text()
        expect(self.page.locator(".button-primary")).to_have_count(1)
        button.click()
        ACTS[words](self.page)
        return words


def completes_the_profile(page: Page) -> None:
    page.get_by_label("Address", exact=False).last.fill("1 Evening Lane")
    page.get_by_role("button", name="Save").first.click()
    expect(page.locator("[data-notices]")).to_contain_text("Saved")


def connects(page: Page) -> None:
    page.get_by_role("button", name="Connect the sandbox").click()
    expect(page.locator("[data-notices]")).to_contain_text("connected")


def switches_on(page: Page) -> None:
    page.get_by_role("button", name="Switch online payments on").click()
    expect(page.locator("[data-notices]")).to_contain_text("Customers can pay online")


def adds_a_customer(page: Page) -> None:
    page.get_by_label("Name").fill("Nora Nightingale")
    page.get_by_label("Email", exact=False).first.fill("nora@customer.example")
    page.get_by_role("button", name="Add customer").click()
    expect(page.get_by_role("heading", name="Nora Nightingale")).to_be_visible()


def writes_an_invoice(page: Page) -> None:
    page.get_by_label("Customer").select_option(index=1)
    page.locator('[name="lines.0.description"]').fill("Evening lights, installed")
    page.locator('[name="lines.0.unit_amount"]').fill("1000")
    page.locator(".form-actions").get_by_role("button", name="Save draft").click()
    expect(page.locator("[data-notices]")).to_contain_text("saved")


def sends_the_draft(page: Page) -> None:
    page.locator("main").get_by_role("button", name=re.compile("^Send")).click()
    expect(page.locator("h1.page-title")).to_have_text("INV-0001")


def requests_a_payment(page: Page) -> None:
    page.get_by_label("Amount Requested").fill("300")
    page.locator("main").get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="Requested Amount")).to_be_visible()


def pays(page: Page) -> None:
    page.get_by_role("button", name="Pay $300.00").click()
    pays_at_the_sandbox(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("$300.00", timeout=20_000)


ACTS: dict[str, Callable[[Page], None]] = {
    "Complete the profile": completes_the_profile,
    "Connect a payment service": connects,
    "Switch online payments on": switches_on,
    "Add a customer": adds_a_customer,
    "Write an invoice": writes_an_invoice,
    "Send the draft": sends_the_draft,
    "Request a payment": requests_a_payment,
    "Open the payment link": pays,
}


def test_first_steps_checklist_leads_to_first_paid_request(
    supervisor: Supervisor, desktop: BrowserContext
) -> None:
    eve = Newcomer(supervisor, desktop.new_page())
    overview = eve.starts()
    assert [eve.does_what_comes_next(overview) for _ in ACTS] == list(ACTS)
    eve.page.goto(overview)
    expect(eve.page.locator(".steps")).to_have_count(0)
    expect(eve.page.get_by_role("link", name=re.compile("^Due"))).to_contain_text("$700.00")
    expect(eve.page.locator(".figure-green")).to_have_text("$300.00")
