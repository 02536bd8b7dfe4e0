"""Onboarding: from the welcome link to the first paid request, by the button of the first steps alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from partway.worker.supervisor import Supervisor
from tests.journeys.browser_actions import Member

pytestmark = pytest.mark.browser

PASSWORD = "a long walk by the river"
MOST_CLICKS, MOST_TYPED_FIELDS = 14, 6
# Reports each click of a pointer (a key clicks without detail), and each field that a person typed into.
COUNTING_SCRIPT = """
addEventListener("click", (event) => event.detail && reportEffort("click", ""), true);
addEventListener("input", (event) => event.isTrusted && reportEffort("field", event.target.name), true);
"""


@dataclass
class Newcomer:
    """A new owner who follows the first steps of the overview; counts what it takes."""

    supervisor: Supervisor
    page: Page
    clicks: int = 0
    fields: set[str] = field(default_factory=set)

    def starts(self, name: str = "Evening & Co", email: str = "eve@evening.example") -> None:
        """Creates the organization and sets a password by the printed link."""
        named = ["--name", name, "--owner", email, "--owner-name", "Eve"]
        printed = self.supervisor.run("organizations", "create", *named)
        [welcome] = re.findall(r"https?://\S+/welcome/\S+", printed)
        self.page.context.expose_binding("reportEffort", lambda _source, kind, name: self._count(kind, name))
        self.page.context.add_init_script(COUNTING_SCRIPT)
        self.page.goto(welcome)
        for password in self.page.locator("[type=password]").all():
            password.fill(PASSWORD)
        self.page.locator("main [type=submit]").first.click()

    def _count(self, kind: str, name: str) -> None:
        if kind == "click":
            self.clicks += 1
        else:
            self.fields.add(name)

    def does_what_comes_next(self) -> str:
        """Presses the button of the next step and completes the page it opens; returns the button's label."""
        button = self.page.locator(".steps .button-primary")
        words = button.inner_text()
        expect(self.page.locator(".button-primary")).to_have_count(1)
        button.click()
        ACTS[words](self.page)
        return words


def sees_the_overview(page: Page) -> None:
    expect(page.locator("[data-notices]")).to_contain_text("Customers can pay online")


def invoices_a_new_customer(page: Page) -> None:
    page.get_by_label("Name of the new customer").fill("Nora Nightingale")
    page.get_by_label("Email address of the new customer").fill("nora@customer.example")
    page.locator('[name="lines.0.description"]').fill("Evening lights, installed")
    page.locator('[name="lines.0.unit_amount"]').fill("1000")
    page.locator(".form-actions").get_by_role("button", name="Save draft").click()
    page.get_by_role("link", name="Send", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("^Send")).click()
    expect(page.locator("h1.page-title")).to_have_text("INV-0001")
    page.get_by_role("link", name="Request Payment").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.locator("[data-remaining-suggestion]").first.click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("^Send")).click()
    expect(page.get_by_role("heading", name="Requested Amount")).to_be_visible()
    page.get_by_role("link", name="Overview").click()


def pays(page: Page) -> None:
    page.get_by_role("button", name="Pay $250.00").click()
    page.get_by_role("button", name=re.compile("^4242")).click()
    page.get_by_role("button", name=re.compile("^Pay")).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("$250.00", timeout=20_000)


ACTS: dict[str, Callable[[Page], None]] = {
    "Connect the sandbox": sees_the_overview,
    "Write an invoice": invoices_a_new_customer,
    "Open the payment link": pays,
}


def test_first_steps_lead_to_first_paid_request_in_few_clicks(
    supervisor: Supervisor, desktop: BrowserContext
) -> None:
    eve = Newcomer(supervisor, desktop.new_page())
    eve.starts()
    overview = eve.page.url
    assert [eve.does_what_comes_next() for _ in ACTS] == list(ACTS)
    assert eve.clicks <= MOST_CLICKS
    assert 1 < len(eve.fields) <= MOST_TYPED_FIELDS, eve.fields
    eve.page.goto(overview)
    expect(eve.page.locator(".steps")).to_have_count(0)
    expect(eve.page.get_by_role("link", name=re.compile("^Due"))).to_contain_text("$750.00")
    expect(eve.page.locator(".figure-green")).to_have_text("$250.00")


def test_demo_says_of_no_mail_that_it_was_not_sent(collector: Member) -> None:
    for customer in ("Juniper", "Marcus Feld", "Northside", "Eastgate", "Gable"):
        collector.open(f"invoices/?q={customer}")
        collector.page.locator("a.row-link").first.click()
        expect(collector.page.get_by_role("heading", name="Mails")).to_be_visible()
        expect(collector.page.locator("main")).not_to_contain_text("Not sent")
