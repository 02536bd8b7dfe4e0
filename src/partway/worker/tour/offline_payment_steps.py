"""Steps of the tour with a check that cancels the open request, and that the bank then returns."""

from __future__ import annotations

from .browser import TourFailed
from .mailbox import payment_link_in
from .session import CUSTOMER, Tour


def record_check(tour: Tour) -> str:
    """Request 300.00 of INV-0002, then record a check of 500.00."""
    link = tour.saved["overtaken"] = tour.request("300.00")
    page = tour.confirm_dialog(
        f"invoices/{tour.saved['invoice_id']}/payment/", amount="500.00", method="Check", reference="No. 118"
    )
    page.assert_contains("The payment of $500.00 is recorded.", "Its open request for $300.00 was canceled")
    page.assert_contains("Total Amount Due $200.00")
    tour.saved["check"] = payment_link_in(tour.mailbox.wait_for_mail(CUSTOMER, about="$500.00"), "r")
    tour.customer.open(tour.saved["check"]).assert_status(200).assert_contains(
        "You paid", "$500.00", "by check"
    )
    if tour.customer.open(link).assert_status(410).has_form("/pay/"):
        raise TourFailed("A request that no longer fits can still be paid.")
    return (
        "$200.00 is due, the request is canceled and its link no longer works; the customer has a receipt "
        "for $500.00"
    )


def reverse_check(tour: Tour) -> str:
    """The check bounces: the owner reverses the payment."""
    menu = next((link for link in tour.invoice_page().links if link.endswith("/reverse/")), "")
    path = menu.partition("/o/tour-plumbing/")[2]
    page = tour.confirm_dialog(path, reason="The bank returned it.").assert_contains(
        "is due again on INV-0002"
    )
    page.assert_contains("Reversed", "The bank returned it.", "Total Amount Due $700.00")
    receipt = (
        tour.customer.open(tour.saved["check"])
        .assert_status(200)
        .assert_contains("Your payment was reversed")
    )
    if "You paid" in receipt.text or "bank returned" in receipt.text:
        raise TourFailed(
            f"The receipt of a reversed payment still thanks, or tells the reason: {receipt.text}"
        )
    hosted = tour.customer.open(tour.saved["hosted"]).assert_status(200)
    hosted.assert_contains("Pay Now · $700.00", "Check reversed", "−$500.00")
    tour.customer.open(tour.saved["overtaken"]).assert_status(410)
    return "$700.00 is due again, the receipt says that it was reversed, and the request stays canceled"
