"""The second half of the tour: a quote with a deposit of 30 %, which nobody can pay in part."""

from __future__ import annotations

from .postbox import link_in
from .tourist import CARD, CUSTOMER, OWNER, Tour
from .visitor import Surprise


def send_the_quote(tour: Tour) -> str:
    """The owner writes a quote for 1,000.00 with a deposit of 30 % and sends it."""
    editor = tour.owner.open(f"{tour.base}/quotes/new/?customer={tour.places['customer_id']}")
    typed = {
        "lines.0.description": "Kitchen, ground floor",
        "lines.0.quantity": "1",
        "lines.0.unit_amount": "1000.00",
        "deposit_kind": "percent",
        "deposit_percent": "30",
    }
    draft = tour.owner.submit(editor.form(holding="valid_until"), **typed).must_answer(200)
    draft.must_say("Draft", "$1,000.00", "$300.00")
    tour.places["quote"] = draft.url
    tour.places["quote_id"] = draft.url.rstrip("/").rpartition("/")[2]
    tour.act(f"quotes/{tour.places['quote_id']}/send/").must_say("QUO-0001", "Sent")
    tour.places["offer"] = link_in(tour.post.next_to(CUSTOMER, about="QUO-0001"), "q")
    page = tour.customer.open(tour.places["offer"]).must_answer(200)
    if page.must_say("$1,000.00", "$300.00", "$700.00").has_form("/pay/"):
        raise Surprise("A quote that nobody accepted can be paid.")
    return (
        "QUO-0001 is sent; its page shows $1,000.00 and the deposit of $300.00, and nothing can be paid yet"
    )


def accept_the_quote(tour: Tour) -> str:
    """The customer types a name and accepts."""
    page = tour.customer.open(tour.places["offer"])
    refused = tour.customer.submit(page.form(to="/accept/"), name=" ").must_answer(422)
    accepted = tour.customer.submit(refused.form(to="/accept/"), name="Casey Lane").must_answer(200)
    accepted.must_say("Accepted", "Pay $300.00").form(to="/pay/")
    tour.post.next_to(OWNER, about="accepted QUO-0001")
    tour.quote_page().must_say("Casey Lane", "Due")
    return "without a name it is refused; with one it is accepted, the owner has a mail, and $300.00 is due"


def a_part_is_refused(tour: Tour) -> str:
    """The customer forges 100.00 in the form; the owner tries to request 100.00 of the quote."""
    form = tour.customer.open(tour.places["offer"]).form(to="/pay/")
    if "amount_minor" in form.fields:
        raise Surprise("The form of a deposit has an amount.")
    checkout = tour.customer.submit(form, amount_minor="10000", amount="100.00").must_answer(200)
    checkout.must_say("$300.00")
    if "$100.00" in checkout.text:
        raise Surprise(f"The checkout asks for the forged amount: {checkout.text}")
    tour.owner.open(f"{tour.base}/invoices/{tour.places['quote_id']}/request/").must_answer(404)
    tour.quote_page().must_say("A deposit is only paid as a whole")
    return "the checkout still asks for $300.00; the quote's page offers no request and says why"


def pay_the_deposit(tour: Tour) -> str:
    """The customer pays the deposit."""
    page = tour.customer.open(tour.places["offer"]).must_say("Pay $300.00")
    checkout = tour.customer.submit(page.form(to="/pay/")).must_say("$300.00")
    receipt = tour.confirmed(tour.customer.submit(checkout.form(holding="number"), number=CARD))
    receipt.must_say("Deposit of quote", "QUO-0001", "$300.00", "$700.00")
    mail = tour.post.next_to(CUSTOMER, about="quote QUO-0001")
    if "$700.00" not in mail or "invoice QUO" in mail:
        raise Surprise(f"The receipt mail does not tell of the deposit: {mail}")
    if tour.customer.open(tour.places["offer"]).must_say("paid").has_form("/pay/"):
        raise Surprise("A deposit that was paid can be paid again.")
    tour.quote_page().must_say("Paid")
    return "receipt and mail say deposit of quote QUO-0001, $300.00, $700.00 left; it cannot be paid twice"


def make_the_invoice(tour: Tour) -> str:
    """The owner makes an invoice of the quote and sends it."""
    draft = tour.act(f"quotes/{tour.places['quote_id']}/invoice/").must_say("Draft", "$1,000.00", "QUO-0001")
    tour.places["invoice"] = draft.url
    tour.places["invoice_id"] = draft.url.rstrip("/").rpartition("/")[2]
    sent = tour.act(f"invoices/{tour.places['invoice_id']}/send/").must_say(
        "INV-0002", "Deposit of $300.00 from QUO-0001"
    )
    sent.must_say("$700.00")
    tour.places["hosted"] = link_in(tour.post.next_to(CUSTOMER, about="INV-0002"), "i")
    tour.customer.open(tour.places["hosted"]).must_answer(200).must_say(
        "Pay Now · $700.00", "deposit of QUO-0001"
    )
    tour.quote_page().must_say("Invoiced", "INV-0002")
    return "INV-0002 has the deposit of $300.00 on it as soon as it is sent; $700.00 is due"
