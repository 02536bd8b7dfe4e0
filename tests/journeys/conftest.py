"""A whole house as real processes, and real browsers to visit it: nothing here touches the database directly."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from partway.worker.supervisor import Address, House, free_port
from partway.worker.tour.postbox import Postbox
from tests.browsers import launch
from tests.journeys.people import Member

PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 860}


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    address = Address(tmp_path_factory.mktemp("house"), free_port(), free_port(), alone=True)
    with House(address) as house:
        house.run("migrate", "--verbosity", "0")
        house.start_sandbox()
        house.start_web()
        house.run("demo_organization")
        house.start_worker()
        yield house


@pytest.fixture(autouse=True)
def books(house: House) -> Iterator[None]:
    """Every journey may move money, so the books are verified after each."""
    yield
    house.run("verify")


@pytest.fixture(scope="session")
def postbox(house: House) -> Postbox:
    return Postbox(house.address.home)


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
def desk(browser: Browser) -> Iterator[BrowserContext]:
    """A member's browser."""
    with Watched(browser.new_context(viewport=DESKTOP)) as context:
        yield context


@pytest.fixture
def phone(browser: Browser) -> Iterator[BrowserContext]:
    """A customer's phone."""
    with Watched(browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)) as context:
        yield context


@pytest.fixture
def collector(house: House, desk: BrowserContext) -> Member:
    return Member.signed_in(house, desk.new_page(), "carl@demo.example")


@pytest.fixture
def owner(house: House, desk: BrowserContext) -> Member:
    return Member.signed_in(house, desk.new_page(), "olivia@demo.example")


class Watched:
    """A context in which any script error or refused content fails the journey."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.complaints: list[str] = []

    def __enter__(self) -> BrowserContext:
        self.context.set_default_timeout(10_000)
        self.context.on("page", self._watch)
        return self.context

    def _watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self._note(message.type, message.text))

    def _note(self, kind: str, text: str) -> None:
        # A refused form answers 4xx, which the console reports too; that is no script error.
        if kind == "error" and "Failed to load resource" not in text:
            self.complaints.append(text)

    def __exit__(self, *_: object) -> None:
        self.context.close()
        assert self.complaints == []
