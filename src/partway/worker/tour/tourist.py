"""What the steps of the tour share: the house, the people in it, where they have been, and what they do often."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from partway.worker.supervisor import Supervisor

from .postbox import Mailbox, payment_link_in
from .visitor import HttpBrowser, Page, TourFailed

OWNER = "owner@tour.example"
CUSTOMER = "casey@customer.example"
CARD = "4242424242424242"
_CONFIRMED_WITHIN_SECONDS = 20


@dataclass
class Tour:
    """Everything the steps share."""

    supervisor: Supervisor
    owner: HttpBrowser
    customer: HttpBrowser
    mailbox: Mailbox
    saved: dict[str, str] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """Where the organization's pages are."""
        return f"{self.supervisor.address.url}/o/tour-plumbing"

    def invoice_page(self) -> Page:
        """The invoice that the story is about, as the owner sees it now."""
        return self.owner.open(self.saved["invoice"]).assert_status(200)

    def quote_page(self) -> Page:
        """The quote as the owner sees it now."""
        return self.owner.open(self.saved["quote"]).assert_status(200)

    def confirm_dialog(self, path: str, **typed: str) -> Page:
        """The owner opens the dialog at `path` of the organization and confirms it."""
        dialog = self.owner.open(f"{self.base}/{path}").assert_status(200)
        return self.owner.submit(dialog.form(to=f"/{path}"), **typed).assert_status(200)

    def request(self, amount: str) -> str:
        """The owner asks for a part; answers the payment link from the customer's mail."""
        self.confirm_dialog(
            f"invoices/{self.saved['invoice_id']}/request/", amount_requested=amount, note="Thank you!"
        )
        mail = self.mailbox.wait_for_mail(CUSTOMER, about=f"${amount}")
        return payment_link_in(mail, "p")

    def pay(self, link: str, *, amount: str) -> Page:
        """The customer presses Pay on the page at `link` and pays at the sandbox; answers the receipt page."""
        checkout = self.checkout(link, amount=amount)
        back = self.customer.submit(checkout.form(with_field="number"), number=CARD)
        return self.confirmed(back)

    def checkout(self, link: str, *, amount: str) -> Page:
        """The gateway's page behind the Pay button of `link`."""
        page = self.customer.open(link).assert_status(200).assert_contains(amount)
        checkout = self.customer.submit(page.form(to="/pay/")).assert_status(200)
        if not checkout.url.startswith(self.supervisor.address.sandbox_url):
            raise TourFailed(f"Pay led to {checkout.url}")
        return checkout.assert_contains(amount, "no real money moves")

    def confirmed(self, page: Page) -> Page:
        """The receipt page once it no longer says that the payment is being confirmed."""
        give_up_at = time.monotonic() + _CONFIRMED_WITHIN_SECONDS
        while page.has_form("/state/") and time.monotonic() < give_up_at:
            self.customer.submit(page.form(to="/state/"))
            page = self.customer.open(page.url)
            time.sleep(0.2)
        return page.assert_status(200)
