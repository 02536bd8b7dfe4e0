"""A customer's phone: a real browser, driven from a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from playwright.sync_api import Page, sync_playwright

from tests.support.browsers import launch

SCREEN = {"width": 360, "height": 640}

T = TypeVar("T")


def on_phone(act: Callable[[Page], T]) -> T:
    """Returns the result of `act` on a phone; fails on any script error and any violation of the page's policy.

    Playwright runs an event loop in its thread, in which Django refuses database queries.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(_visit, act).result()


def _visit(act: Callable[[Page], T]) -> T:
    console_errors: list[str] = []
    with sync_playwright() as playwright:
        browser = launch(playwright)
        phone = browser.new_context(viewport=SCREEN, has_touch=True, is_mobile=True)
        phone.set_default_timeout(10_000)
        page = phone.new_page()
        page.on(
            "console",
            lambda message: console_errors.append(message.text) if message.type == "error" else None,
        )
        page.on("pageerror", lambda error: console_errors.append(str(error)))
        found = act(page)
        browser.close()
    assert console_errors == []
    return found
