"""The last steps of the tour with money: a stage that is paid online, and a part of it that is sent back."""

from __future__ import annotations

from .browser import TourFailed
from .mailbox import payment_link_in
from .session import CUSTOMER, Tour


def refund_stage(tour: Tour) -> str:
    """Request 200.00, which the customer pays; the owner sends 150.00 of it back."""
    receipt = tour.pay(tour.request("200.00"), amount="$200.00").assert_contains("$200.00", "$500.00").url
    tour.mailbox.wait_for_mail(CUSTOMER, about="$200.00")
    menu = next(link for link in tour.invoice_page().links if link.endswith("/gateway-refund/"))
    path = menu.partition("/o/tour-plumbing/")[2]
    page = tour.confirm_dialog(path, amount="150.00", reason="complaint")
    page.assert_contains("$150.00 is on its way back", "Total Amount Due $650.00")
    mail = tour.mailbox.wait_for_mail(CUSTOMER, about="sent $150.00 back to you")
    page = tour.customer.open(payment_link_in(mail, "r")).assert_status(200)
    page.assert_contains("sent $150.00 of it back to you")
    if page.url.rstrip("/") != receipt.partition("?")[0].rstrip("/"):
        raise TourFailed(f"The mail of the refund leads to another receipt: {page.url}")
    hosted = tour.customer.open(tour.saved["hosted"]).assert_status(200)
    hosted.assert_contains("Pay Now · $650.00")
    return "$650.00 is due, no request is open, and mail and receipt say that $150.00 was sent back"
