"""A customer's phone: a real browser, driven from a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import cache
from typing import TypeVar

from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.browsers import WITHOUT_MOVEMENT, launch

SCREEN = {"width": 360, "height": 640}

T = TypeVar("T")


def on_phone(act: Callable[[Page], T], *, opens_error_pages: bool = False) -> T:
    """Returns the result of `act` on a phone; fails on any script error and any violation of the page's policy.

    The browser reports each response of 400 and above as an error too, unless `opens_error_pages`.

    Playwright runs an event loop in its thread, in which Django refuses database queries.
    """
    console_errors, found = _thread.submit(_visit, act).result()
    if opens_error_pages:
        console_errors = [each for each in console_errors if "responded with a status of 4" not in each]
    assert not console_errors, console_errors
    return found


def close() -> None:
    """Ends the browser that the visits have shared."""
    _thread.submit(_stack.close).result()


_thread = ThreadPoolExecutor(1)
_stack = ExitStack()


@cache
def _browser() -> Browser:
    browser = launch(_stack.enter_context(sync_playwright()))
    _stack.callback(browser.close)
    return browser


def _visit(act: Callable[[Page], T]) -> tuple[list[str], T]:
    console_errors: list[str] = []
    with _browser().new_context(viewport=SCREEN, has_touch=True, is_mobile=True, **WITHOUT_MOVEMENT) as phone:
        phone.set_default_timeout(10_000)
        page = phone.new_page()
        page.on(
            "console",
            lambda message: console_errors.append(message.text) if message.type == "error" else None,
        )
        page.on("pageerror", lambda error: console_errors.append(str(error)))
        return console_errors, act(page)
