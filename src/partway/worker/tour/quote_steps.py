"""Steps of the tour with a quote whose deposit of 30 % can only be paid in full."""

from __future__ import annotations

from .browser import TourFailed
from .mailbox import payment_link_in
from .session import CARD, CUSTOMER, OWNER, Tour


def send_quote(tour: Tour) -> str:
    """The owner writes a quote for 1,000.00 with a deposit of 30 % and sends it."""
    editor = tour.owner.open(f"{tour.base}/quotes/new/?customer={tour.saved['customer_id']}")
    typed = {
        "lines.0.description": "Kitchen, ground floor",
        "lines.0.quantity": "1",
        "lines.0.unit_amount": "1000.00",
        "deposit_kind": "percent",
        "deposit_percent": "30",
    }
    draft = tour.owner.submit(editor.form(with_field="valid_until"), **typed).assert_status(200)
    draft.assert_contains("Draft", "$1,000.00", "$300.00")
    tour.saved["quote"] = draft.url
    tour.saved["quote_id"] = draft.url.rstrip("/").rpartition("/")[2]
    tour.confirm_dialog(f"quotes/{tour.saved['quote_id']}/send/").assert_contains("QUO-0001", "Sent")
    tour.saved["offer"] = payment_link_in(tour.mailbox.wait_for_mail(CUSTOMER, about="QUO-0001"), "q")
    page = tour.customer.open(tour.saved["offer"]).assert_status(200)
    if page.assert_contains("$1,000.00", "$300.00", "$700.00").has_form("/pay/"):
        raise TourFailed("A quote that is not accepted can be paid.")
    return (
        "QUO-0001 is sent; its page shows $1,000.00 and the deposit of $300.00, and nothing can be paid yet"
    )


def accept_quote(tour: Tour) -> str:
    """The customer types a name and accepts."""
    page = tour.customer.open(tour.saved["offer"])
    refused = tour.customer.submit(page.form(to="/accept/"), name=" ").assert_status(422)
    accepted = tour.customer.submit(refused.form(to="/accept/"), name="Casey Lane").assert_status(200)
    accepted.assert_contains("Accepted", "Pay $300.00").form(to="/pay/")
    tour.mailbox.wait_for_mail(OWNER, about="accepted QUO-0001")
    tour.quote_page().assert_contains("Casey Lane", "Due")
    return "without a name it is refused; with one it is accepted, the owner has a mail, and $300.00 is due"


def refuse_part_of_deposit(tour: Tour) -> str:
    """The customer forges 100.00 in the form; the owner tries to request 100.00 of the quote."""
    form = tour.customer.open(tour.saved["offer"]).form(to="/pay/")
    if "amount_minor" in form.fields:
        raise TourFailed("The form of a deposit has an amount.")
    checkout = tour.customer.submit(form, amount_minor="10000", amount="100.00").assert_status(200)
    checkout.assert_contains("$300.00")
    if "$100.00" in checkout.text:
        raise TourFailed(f"The checkout asks for the forged amount: {checkout.text}")
    tour.owner.open(f"{tour.base}/invoices/{tour.saved['quote_id']}/request/").assert_status(404)
    tour.quote_page().assert_contains("A deposit is only paid as a whole")
    return "the checkout still asks for $300.00; the quote's page offers no request and says why"


def pay_deposit(tour: Tour) -> str:
    """The customer pays the deposit."""
    page = tour.customer.open(tour.saved["offer"]).assert_contains("Pay $300.00")
    checkout = tour.customer.submit(page.form(to="/pay/")).assert_contains("$300.00")
    receipt = tour.confirmed(tour.customer.submit(checkout.form(with_field="number"), number=CARD))
    receipt.assert_contains("Deposit of quote", "QUO-0001", "$300.00", "$700.00")
    mail = tour.mailbox.wait_for_mail(CUSTOMER, about="quote QUO-0001")
    if "$700.00" not in mail or "invoice QUO" in mail:
        raise TourFailed(f"The receipt mail does not tell of the deposit: {mail}")
    if tour.customer.open(tour.saved["offer"]).assert_contains("paid").has_form("/pay/"):
        raise TourFailed("A deposit that was paid can be paid again.")
    tour.quote_page().assert_contains("Paid")
    return "receipt and mail say deposit of quote QUO-0001, $300.00, $700.00 left; it cannot be paid twice"


def create_invoice(tour: Tour) -> str:
    """The owner makes an invoice of the quote and sends it."""
    draft = tour.confirm_dialog(f"quotes/{tour.saved['quote_id']}/invoice/").assert_contains(
        "Draft", "$1,000.00", "QUO-0001"
    )
    tour.saved["invoice"] = draft.url
    tour.saved["invoice_id"] = draft.url.rstrip("/").rpartition("/")[2]
    sent = tour.confirm_dialog(f"invoices/{tour.saved['invoice_id']}/send/").assert_contains(
        "INV-0002", "Deposit of $300.00 from QUO-0001"
    )
    sent.assert_contains("$700.00")
    tour.saved["hosted"] = payment_link_in(tour.mailbox.wait_for_mail(CUSTOMER, about="INV-0002"), "i")
    tour.customer.open(tour.saved["hosted"]).assert_status(200).assert_contains(
        "Pay Now · $700.00", "deposit of QUO-0001"
    )
    tour.quote_page().assert_contains("Invoiced", "INV-0002")
    return "INV-0002 has the deposit of $300.00 on it as soon as it is sent; $700.00 is due"
