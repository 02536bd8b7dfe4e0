"""What the steps of the tour share: the house, the people in it, where they have been, and what they do often."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from partway.worker.supervisor import House

from .postbox import Postbox, link_in
from .visitor import Page, Surprise, Visitor

OWNER = "owner@tour.example"
CUSTOMER = "casey@customer.example"
CARD = "4242424242424242"
_CONFIRMED_WITHIN_SECONDS = 20


@dataclass
class Tour:
    """Everything the steps share."""

    house: House
    owner: Visitor
    customer: Visitor
    post: Postbox
    places: dict[str, str] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """Where the organization's pages are."""
        return f"{self.house.address.url}/o/tour-plumbing"

    def invoice_page(self) -> Page:
        """The invoice that the story is about, as the owner sees it now."""
        return self.owner.open(self.places["invoice"]).must_answer(200)

    def quote_page(self) -> Page:
        """The quote as the owner sees it now."""
        return self.owner.open(self.places["quote"]).must_answer(200)

    def act(self, path: str, **typed: str) -> Page:
        """The owner opens the dialog at `path` of the organization and confirms it."""
        dialog = self.owner.open(f"{self.base}/{path}").must_answer(200)
        return self.owner.submit(dialog.form(to=f"/{path}"), **typed).must_answer(200)

    def request(self, amount: str) -> str:
        """The owner asks for a part; answers the payment link from the customer's mail."""
        self.act(f"invoices/{self.places['invoice_id']}/request/", amount_requested=amount, note="Thank you!")
        mail = self.post.next_to(CUSTOMER, about=f"${amount}")
        return link_in(mail, "p")

    def pay(self, link: str, *, amount: str) -> Page:
        """The customer presses Pay on the page at `link` and pays at the sandbox; answers the receipt page."""
        checkout = self.checkout(link, amount=amount)
        back = self.customer.submit(checkout.form(holding="number"), number=CARD)
        return self.confirmed(back)

    def checkout(self, link: str, *, amount: str) -> Page:
        """The gateway's page behind the Pay button of `link`."""
        page = self.customer.open(link).must_answer(200).must_say(amount)
        checkout = self.customer.submit(page.form(to="/pay/")).must_answer(200)
        if not checkout.url.startswith(self.house.address.sandbox_url):
            raise Surprise(f"Pay led to {checkout.url}")
        return checkout.must_say(amount, "no real money moves")

    def confirmed(self, page: Page) -> Page:
        """The receipt page once it no longer says that the payment is being confirmed."""
        give_up_at = time.monotonic() + _CONFIRMED_WITHIN_SECONDS
        while page.has_form("/state/") and time.monotonic() < give_up_at:
            self.customer.submit(page.form(to="/state/"))
            page = self.customer.open(page.url)
            time.sleep(0.2)
        return page.must_answer(200)
