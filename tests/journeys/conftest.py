"""An installation as real processes, and real browsers; nothing here uses the database directly."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from partway.worker.supervisor import Supervisor, SupervisorConfig, free_port
from partway.worker.tour.mailbox import Mailbox
from tests.gateways.stripe_server.client import StandIn
from tests.journeys.browser_actions import Member
from tests.support.browsers import WITHOUT_MOVEMENT, launch

PHONE_VIEWPORT = {"width": 360, "height": 740}
DESKTOP_VIEWPORT = {"width": 1280, "height": 860}


@pytest.fixture(scope="session")
def supervisor(tmp_path_factory: pytest.TempPathFactory, stand_in: StandIn) -> Iterator[Supervisor]:
    address = SupervisorConfig(tmp_path_factory.mktemp("supervisor"), free_port(), free_port(), isolated=True)
    with Supervisor(address, {"PARTWAY_STRIPE_URL": stand_in.url}) as supervisor:
        supervisor.run("migrate", "--verbosity", "0")
        supervisor.start_sandbox()
        supervisor.start_web()
        supervisor.run("demo_organization")
        supervisor.start_worker()
        yield supervisor
        supervisor.run("verify")  # the books, in which any of the journeys may have moved money


@pytest.fixture(scope="session")
def postbox(supervisor: Supervisor) -> Mailbox:
    return Mailbox(supervisor.config.home)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = launch(playwright)
    yield browser
    browser.close()


@pytest.fixture
def desktop(browser: Browser) -> Iterator[BrowserContext]:
    """A member's browser."""
    with ConsoleErrorGuard(browser.new_context(viewport=DESKTOP_VIEWPORT, **WITHOUT_MOVEMENT)) as context:
        yield context


@pytest.fixture
def phone(browser: Browser) -> Iterator[BrowserContext]:
    """A customer's phone."""
    with ConsoleErrorGuard(
        browser.new_context(viewport=PHONE_VIEWPORT, has_touch=True, is_mobile=True, **WITHOUT_MOVEMENT)
    ) as context:
        yield context


@pytest.fixture
def collector(supervisor: Supervisor, desktop: BrowserContext) -> Member:
    return Member.signed_in(supervisor, desktop.new_page(), "carl@demo.example")


@pytest.fixture
def owner(supervisor: Supervisor, desktop: BrowserContext) -> Member:
    return Member.signed_in(supervisor, desktop.new_page(), "olivia@demo.example")


class ConsoleErrorGuard:
    """A context in which any script error or refused content fails the journey."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.console_errors: list[str] = []

    def __enter__(self) -> BrowserContext:
        self.context.set_default_timeout(10_000)
        self.context.on("page", self._watch)
        return self.context

    def _watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.console_errors.append(str(error)))
        page.on("console", lambda message: self._note(message.type, message.text))

    def _note(self, kind: str, text: str) -> None:
        # A refused form is a 4xx response, which the console reports too; that is no script error.
        if kind == "error" and "Failed to load resource" not in text:
            self.console_errors.append(text)

    def __exit__(self, *_: object) -> None:
        self.context.close()
        assert self.console_errors == []
