"""Actions of members and customers in a browser, shared by the journeys."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page, expect

from partway.lib.money import parse_money
from partway.worker.demo import PASSWORD, SLUG
from partway.worker.supervisor import Supervisor
from partway.worker.tour.mailbox import Mailbox, payment_link_in

CARD = "4242424242424242"
_numbers = itertools.count(1)
# The cookies of members who have signed in, by installation and address: to sign in takes a second.
_cookies: dict[tuple[str, str], Any] = {}
_keys: dict[str, str] = {}  # of the API, by installation


@dataclass
class Member:
    """A member who is signed in, with their page."""

    supervisor: Supervisor
    page: Page

    @classmethod
    def signed_in(cls, supervisor: Supervisor, page: Page, email: str) -> Member:
        """Opens the overview as this member; a session that another journey has ended is begun anew."""
        key = (supervisor.config.url, email)
        page.context.add_cookies(_cookies.get(key, []))
        page.goto(f"{supervisor.config.url}/o/{SLUG}/")
        if "/signin/" in page.url:
            page.get_by_label("Email", exact=False).first.fill(email)
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url(f"**/o/{SLUG}/")
            _cookies[key] = page.context.cookies()
        expect(page.get_by_role("link", name="Invoices", exact=True)).to_be_visible()
        return cls(supervisor, page)

    def open(self, path: str) -> None:
        self.page.goto(f"{self.supervisor.config.url}/o/{SLUG}/{path}")

    def calls(self, path: str, **body: object) -> dict[str, Any]:
        """Sends a call to the API with a key that may collect; returns its response."""
        if (url := self.supervisor.config.url) not in _keys:
            _keys[url] = self.supervisor.run("keys", "create", "--organization", SLUG, "--scope", "collect")
        headers = {
            "Authorization": f"Bearer {_keys[url].strip()}",
            "Idempotency-Key": f"journey-{next(_numbers)}",
        }
        response = self.page.request.post(f"{url}/api/v1/{path}", headers=headers, data=body)
        assert response.ok, response.text()
        return dict(response.json())

    def has_new_customer(self) -> tuple[str, str]:
        """Adds a customer by a call; returns the id and the mail address."""
        number = next(_numbers)
        email = f"casey{number}@journey.example"
        return self.calls("customers", name=f"Casey {number}", email=email)["id"], email

    def sends_invoice(self, unit_amount: str = "1,000.00", currency: str = "USD") -> Invoice:
        """Sends an invoice of one line to a new customer by calls, a third of the work of its forms; opens its page."""
        customer, email = self.has_new_customer()
        amount = parse_money(unit_amount, currency, locale="en_US").amount_minor
        lines = [{"description": "Bathroom, second floor", "unit_amount": amount}]
        invoice = self.calls("invoices", customer=customer, currency=currency, lines=lines)["id"]
        number = self.calls(f"invoices/{invoice}/send")["number"]
        self.open(f"invoices/{invoice}/")
        return Invoice(self.page.url, number, email)

    def sends_quote(self) -> Quote:
        """Sends a quote of one line with a deposit of 30 % to a new customer by calls; opens its page."""
        customer, email = self.has_new_customer()
        lines = [{"description": "Kitchen, ground floor", "unit_amount": 100_000}]
        quote = self.calls("quotes", customer=customer, lines=lines, deposit={"percent": "30"})["id"]
        number = self.calls(f"quotes/{quote}/send")["number"]
        self.open(f"quotes/{quote}/")
        return Quote(self.page.url, number, email)

    def adds_customer(self) -> str:
        """Adds a customer with a unique mail address; returns the address."""
        number = next(_numbers)
        self.open("customers/new/")
        self.page.get_by_label("Name").fill(f"Casey {number}")
        self.page.get_by_label("Email", exact=False).first.fill(f"casey{number}@journey.example")
        self.page.get_by_role("button", name="Add customer").click()
        expect(self.page.get_by_role("heading", name=f"Casey {number}")).to_be_visible()
        return f"casey{number}@journey.example"

    def writes_invoice(self, unit_amount: str = "1,000.00", currency: str = "USD") -> Invoice:
        """Sends an invoice of one line to a new customer by their forms; its page is open afterwards."""
        email = self.adds_customer()
        self.open("invoices/new/")
        self.page.get_by_label("Find a customer").fill(email)
        self.page.get_by_role("radio", name=email).check()
        self.page.get_by_label("Currency").fill(currency)
        self.page.locator('[name="lines.0.description"]').fill("Bathroom, second floor")
        self.page.locator('[name="lines.0.unit_amount"]').fill(unit_amount)
        self.page.get_by_role("button", name="Save draft").click()
        self.page.get_by_role("link", name="Send", exact=True).click()
        self.page.get_by_role("dialog").get_by_role("button", name=re.compile("^Send")).click()
        title = self.page.locator("h1.page-title")
        expect(title).to_have_text(re.compile(r"FR-\d+"))
        return Invoice(self.page.url, title.inner_text(), email)

    def writes_quote(self) -> Quote:
        """Sends a quote of one line with a deposit to a new customer by their forms; its page is open afterwards."""
        email = self.adds_customer()
        self.page.get_by_role("link", name="New quote").click()
        self.page.locator('[name="lines.0.description"]').fill("Kitchen, ground floor")
        self.page.locator('[name="lines.0.unit_amount"]').fill("1,000.00")
        self.page.get_by_label("Deposit", exact=True).select_option("percent")
        self.page.get_by_label("Percent of the total").fill("30")
        self.page.get_by_role("button", name="Save draft").click()
        self.confirms("Send")
        title = self.page.locator("h1.page-title")
        expect(title).to_have_text(re.compile(r"QUO-\d+"))
        return Quote(self.page.url, title.inner_text(), email)

    def confirms(self, act: str) -> None:
        """Opens the dialog of an act and presses its button."""
        self.page.wait_for_load_state()  # before its script has run, the link leads to a page of its own
        self.page.get_by_role("link", name=act, exact=True).click()
        self.page.get_by_role("dialog").locator("[type=submit]").click()
        expect(self.page.get_by_role("dialog")).to_have_count(0)

    def opens_request_dialog(self) -> None:
        self.page.wait_for_load_state()
        self.page.get_by_role("link", name="Request Payment").click()
        expect(self.page.get_by_role("dialog")).to_be_visible()

    def requests(self, amount: str, note: str = "") -> None:
        """Requests a part in the dialog; the Requested Amount row appears."""
        self.opens_request_dialog()
        self.page.get_by_label("Amount Requested").fill(amount)
        self.page.get_by_label("Note").fill(note)
        self.page.get_by_role("dialog").get_by_role("button", name="Send").click()
        expect(self.page.get_by_role("heading", name="Requested Amount")).to_be_visible()

    def records_a_check(self, amount: str, *, keeps_rest: bool = False) -> None:
        """Records a payment in the dialog; on a phone its link is in the menu."""
        act = self.page.get_by_role("link", name="Record Payment")
        if not act.is_visible():
            self.page.get_by_label("More for this invoice").click()
        act.click()
        self.page.get_by_label("Amount (").fill(amount)
        if keeps_rest:
            self.page.get_by_label("Keep the rest").check()
        self.page.get_by_label("Paid by").select_option("Check")
        self.page.get_by_role("dialog").get_by_role("button", name=f"Record ${amount}").click()
        expect(self.page.locator("[data-notices]")).to_contain_text("is recorded")

    def writes_another_invoice(self, unit_amount: str) -> None:
        """Sends another invoice to the customer whose page is open."""
        self.page.get_by_role("link", name="New invoice").click()
        self.page.locator('[name="lines.0.description"]').fill("Bathroom, third floor")
        self.page.locator('[name="lines.0.unit_amount"]').fill(unit_amount)
        self.page.get_by_role("button", name="Save draft").click()
        self.confirms("Send")
        expect(self.page.locator("h1.page-title")).to_have_text(re.compile(r"FR-\d+"))

    def chooses(self, item: str) -> None:
        """Chooses an entry of the ⋮ menu of the open request."""
        self.page.get_by_label("More for this payment request").click()
        self.page.get_by_role("link", name=item).click()

    def cancels_the_request(self) -> None:
        self.chooses("Cancel Payment Request")
        self.page.get_by_role("dialog").get_by_role("button", name="Cancel Payment Request").click()
        expect(self.page.get_by_role("heading", name="Requested Amount")).to_have_count(0)


@dataclass(frozen=True)
class Invoice:
    """A sent invoice: the address of its page, its number, and the customer's mail address."""

    url: str
    number: str
    email: str

    def request_link(self, postbox: Mailbox, amount: str) -> str:
        return payment_link_in(postbox.wait_for_mail(self.email, about=f"${amount}"), "p")

    def hosted_link(self, postbox: Mailbox) -> str:
        return payment_link_in(postbox.wait_for_mail(self.email, about=self.number), "i")


@dataclass(frozen=True)
class Quote:
    """A sent quote: the address of its page, its number, and the customer's mail address."""

    url: str
    number: str
    email: str

    def link(self, postbox: Mailbox) -> str:
        return payment_link_in(postbox.wait_for_mail(self.email, about=self.number), "q")


def accepts(page: Page, link: str, name: str) -> None:
    """Opens a quote, types a name and accepts it."""
    page.goto(link)
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name=re.compile("^Accept")).click()
    expect(page.locator("main")).to_contain_text("Accepted")


def presses_pay(page: Page, link: str, words: str) -> None:
    """Opens a link and presses Pay, which leads to the sandbox."""
    page.goto(link)
    page.get_by_role("button", name=words).click()
    expect(page.get_by_label("Card number")).to_be_visible()


def pays_at_the_sandbox(page: Page, card: str = CARD) -> None:
    """Fills in the card form and submits it."""
    page.get_by_label("Card number").fill(card)
    page.get_by_role("button", name=re.compile("^Pay")).first.click()


def sees_receipt(page: Page, paid: str, left: str) -> None:
    """Waits until the payment is confirmed; returns the text of the receipt."""
    expect(page.locator("main")).to_contain_text(paid)
    expect(page.locator("main")).to_contain_text(left)
    expect(page.get_by_role("heading", level=1)).not_to_contain_text("confirming", timeout=20_000)
