"""A customer's browser over real HTTP: our page, the gateway's checkout, and back."""

from __future__ import annotations

import html
import re
from urllib.parse import urljoin, urlsplit

import httpx

from partway.accounts.models import Organization
from tests.support.sandbox_server import SandboxServer

GOOD_CARD = {"number": "4242424242424242"}
DECLINED_CARD = {"number": "4000000000000002"}
BANK_DEBIT = {"method": "bank_debit", "account": "000123456789"}

_FORM = re.compile(r'<form[^>]*action="([^"]*)"[^>]*>(.*?)</form>', re.DOTALL)
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)"')


def without_versions(page: str) -> str:
    """Returns a page without the digests in the addresses of its files."""
    return re.sub(r"/static/\w+/", "/static/", page)


class CustomerBrowser:
    """One browser, with its cookies, that follows no redirect by itself."""

    def __init__(self, sandbox_server: SandboxServer, organization: Organization) -> None:
        self.sandbox_server = sandbox_server
        self.organization = organization
        self._browser = httpx.Client(trust_env=False, timeout=30)

    def __enter__(self) -> CustomerBrowser:
        return self

    def __exit__(self, *_: object) -> None:
        self._browser.close()

    def set_forwarded_for(self, *forwarded_for: str) -> None:
        """Sends X-Forwarded-For; the last entry is the nearest proxy's."""
        self._browser.headers["x-forwarded-for"] = ", ".join(forwarded_for)

    def open(self, url: str) -> httpx.Response:
        """Gets a page."""
        return self._browser.get(url)

    def submit(self, page: httpx.Response, ending: str, **changes: str) -> httpx.Response:
        """Submits the form of `page` whose action has this end, as a browser without JavaScript does."""
        for action, inside in _FORM.findall(page.text):
            if action.endswith(ending):
                fields = {name: html.unescape(value) for name, value in _HIDDEN.findall(inside)}
                return self._browser.post(urljoin(str(page.url), action), data={**fields, **changes})
        raise AssertionError(f"no form for {ending} on this page:\n{page.text}")

    def press_pay(self, url: str) -> httpx.Response:
        """Opens a page and presses Pay for what the page itself is about; an invoice's may offer its request too."""
        return self.submit(self.open(url), f"{urlsplit(url).path}pay/")

    def pay(self, url: str, how: dict[str, str]) -> str:
        """Opens a page, presses Pay, and pays at the checkout; returns the address it leads back to."""
        checkout = self.press_pay(url).headers["location"]
        response = self.sandbox_server.submit_form(f"{checkout}/pay", **how)
        return response.headers.get("location", "")
