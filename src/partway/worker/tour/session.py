"""The session of a tour: its installation and browsers, the URLs saved by earlier steps, and actions that repeat."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from partway.gateways.registry import DEMO_GATEWAY, GATEWAYS
from partway.worker.supervisor import Supervisor

from .browser import HttpBrowser, Page, TourFailed
from .mailbox import Mailbox, payment_link_in

OWNER = "owner@tour.example"
CUSTOMER = "casey@customer.example"
CARD = GATEWAYS[DEMO_GATEWAY].test_card
_CONFIRMATION_TIMEOUT_SECONDS = 20


@dataclass
class Tour:
    """The state that the steps share; `saved` holds URLs and ids by name."""

    supervisor: Supervisor
    owner: HttpBrowser
    customer: HttpBrowser
    mailbox: Mailbox
    saved: dict[str, str] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """The URL under which the organization's pages are."""
        return f"{self.supervisor.config.url}/o/tour-plumbing"

    def invoice_page(self) -> Page:
        """Opens the current invoice as the owner."""
        return self.owner.open(self.saved["invoice"]).assert_status(200)

    def quote_page(self) -> Page:
        """Opens the quote as the owner."""
        return self.owner.open(self.saved["quote"]).assert_status(200)

    def confirm_dialog(self, path: str, **typed: str) -> Page:
        """Opens the dialog at `path` of the organization as the owner, submits it and returns the next page."""
        dialog = self.owner.open(f"{self.base}/{path}").assert_status(200)
        return self.owner.submit(dialog.form(to=f"/{path}"), **typed).assert_status(200)

    def request(self, amount: str) -> str:
        """Requests a part as the owner; returns the payment link from the customer's mail."""
        self.confirm_dialog(
            f"invoices/{self.saved['invoice_id']}/request/", amount_requested=amount, note="Thank you!"
        )
        mail = self.mailbox.wait_for_mail(CUSTOMER, about=f"${amount}")
        return payment_link_in(mail, "p")

    def pay(self, link: str, *, amount: str) -> Page:
        """Pays with a card as the customer, from the page at `link`; returns the receipt page."""
        checkout = self.checkout(link, amount=amount)
        back = self.customer.submit(checkout.form(with_field="number"), number=CARD)
        return self.confirmed(back)

    def checkout(self, link: str, *, amount: str) -> Page:
        """Presses Pay on the page at `link` and returns the gateway's checkout page."""
        page = self.customer.open(link).assert_status(200).assert_contains(amount)
        # Its own form: the page of an invoice also has that of its open request.
        checkout = self.customer.submit(page.form(to=f"{urlsplit(link).path}pay/")).assert_status(200)
        if not checkout.url.startswith(self.supervisor.config.sandbox_url):
            raise TourFailed(f"Pay led to {checkout.url}")
        return checkout.assert_contains(amount, "no real money moves")

    def confirmed(self, page: Page) -> Page:
        """Reloads the receipt page until it no longer says that the payment is being confirmed."""
        deadline = time.monotonic() + _CONFIRMATION_TIMEOUT_SECONDS
        while page.has_form("/state/") and time.monotonic() < deadline:
            self.customer.submit(page.form(to="/state/"))
            page = self.customer.open(page.url)
            time.sleep(0.2)
        return page.assert_status(200)
