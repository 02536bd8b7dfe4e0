"""Retakes the pictures of README and guide: a new demo, the browser of the tests, and the stand-in for Stripe."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, sync_playwright

from partway.worker.demo import DEMO_USERS, PASSWORD, SLUG
from partway.worker.supervisor import Supervisor, SupervisorConfig, free_port
from partway.worker.tour.mailbox import Mailbox, payment_link_in
from tests.gateways.stripe_server.client import StandIn, running_stripe
from tests.support.browsers import launch

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 780}
CUSTOMER = "dana@whitfield.example"


def main() -> None:
    """Build the demo, walk to each page, and write its picture."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with (
        running_stripe() as stripe,
        _running_supervisor(stripe) as supervisor,
        sync_playwright() as playwright,
    ):
        browser = launch(playwright)
        _connecting(supervisor, browser, stripe)
        _at_the_desk(supervisor, browser)
        _on_the_phone(supervisor, browser)
        browser.close()


@contextmanager
def _running_supervisor(stripe: StandIn) -> Iterator[Supervisor]:
    with tempfile.TemporaryDirectory() as home:
        address = SupervisorConfig(Path(home), free_port(), free_port(), isolated=True)
        with Supervisor(address, {"PARTWAY_STRIPE_URL": stripe.url}) as supervisor:
            supervisor.run("migrate", "--verbosity", "0")
            supervisor.start_sandbox()
            supervisor.start_web()
            supervisor.run("demo_organization")
            supervisor.start_worker()
            yield supervisor


def _owner(supervisor: Supervisor, browser: Browser, scale: int) -> Page:
    page = browser.new_context(viewport=DESK, device_scale_factor=scale).new_page()
    page.goto(f"{supervisor.config.url}/signin/")
    page.locator("[name=email]").fill(DEMO_USERS["owner"][0])
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=password]").press("Enter")
    page.wait_for_url(f"**/o/{SLUG}/")
    return page


def _connecting(supervisor: Supervisor, browser: Browser, stripe: StandIn) -> None:
    page, settings = _owner(supervisor, browser, 1), f"{supervisor.config.url}/o/{SLUG}/settings/payments/"
    page.goto(f"{settings}account/")
    form = page.locator("form").filter(has=page.get_by_label("Secret or restricted key"))
    form.get_by_text("The permissions that a restricted key needs").click()
    _take(form, "key")
    page.get_by_label("Secret or restricted key").fill(stripe.open_account().test_key)
    form.get_by_role("button").last.click()
    page.wait_for_url(settings)
    _take(page.locator(".panel").first, "connection")
    page.get_by_role("link", name="Set up the reports").click()
    page.get_by_text("By hand, where the key may not").click()
    _take(page.locator(".panel").first, "reports")


def _at_the_desk(supervisor: Supervisor, browser: Browser) -> None:
    page = _owner(supervisor, browser, 2)
    page.goto(f"{supervisor.config.url}/o/{SLUG}/invoices/")
    _take(page, "invoices")
    page.goto(f"{supervisor.config.url}/o/{SLUG}/invoices/?q=Dana")
    page.get_by_role("link", name=re.compile("^FR-")).click()
    page.wait_for_load_state()
    _take(page, "invoice")
    page.goto(f"{supervisor.config.url}/o/{SLUG}/invoices/?q=Eastgate")
    page.get_by_role("link", name=re.compile("^FR-")).click()
    page.get_by_role("link", name="Request Payment").click()
    page.get_by_label("Amount Requested").fill("900")
    _take(page, "request")


def _on_the_phone(supervisor: Supervisor, browser: Browser) -> None:
    mailbox = Mailbox(supervisor.config.home)
    text = mailbox.wait_for_mail(CUSTOMER, about="$4,000.00")
    page = browser.new_context(viewport=PHONE, device_scale_factor=2, is_mobile=True).new_page()
    page.goto(payment_link_in(text, "p"))
    _take(page, "phone")


def _take(shown: Page | Locator, name: str) -> None:
    (shown if isinstance(shown, Page) else shown.page).evaluate("document.fonts.ready")
    path = PICTURES / f"{name}.png"
    shown.screenshot(path=path)
    print(path.relative_to(PICTURES.parent.parent))


if __name__ == "__main__":
    main()
