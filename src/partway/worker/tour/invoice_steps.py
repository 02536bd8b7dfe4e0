"""The first steps of the tour: an organization, and an invoice for 1,000.00 that is collected in stages.

The docstring of a step says what it does, its return value what it checked.
"""

from __future__ import annotations

from partway.gateways.registry import DEMO_GATEWAY, GATEWAYS

from .browser import TourFailed
from .mailbox import payment_link_in
from .session import CARD, CUSTOMER, OWNER, Tour

PASSWORD = "the tour's long password"  # noqa: S105 - of an installation that is thrown away


def start_processes(tour: Tour) -> str:
    """Start a web server, a worker and the sandbox on an empty home."""
    tour.supervisor.run("migrate", "--verbosity", "0")
    tour.supervisor.start_sandbox()
    tour.supervisor.start_web()
    tour.supervisor.start_worker()
    page = tour.owner.open(f"{tour.supervisor.config.url}/")
    page.assert_status(200).form(with_field="password")
    return "the front page asks for a sign-in"


def create_organization(tour: Tour) -> str:
    """The operator creates Tour Plumbing; its owner sets a password by the link."""
    printed = tour.supervisor.run("organizations", "create", "--name", "Tour Plumbing", "--owner", OWNER)
    welcome = next(word for word in printed.split() if "/welcome/" in word)
    page = tour.owner.open(welcome).assert_status(200)
    form = page.form(with_field="password")
    passwords = {name: PASSWORD for name in ("password", "repeated_password") if name in form.fields}
    home = tour.owner.submit(form, **passwords).assert_status(200)
    home.assert_contains("Tour Plumbing")
    tour.owner.open(welcome).assert_status(404)
    return "the owner is signed in, and the welcome link worked once"


def enable_payments(tour: Tour) -> str:
    """The owner connects a payment service, which enables payments."""
    address = f"{tour.base}/settings/payments/"
    connection = tour.owner.open(address).assert_status(200).form(with_field="gateway", value=DEMO_GATEWAY)
    connected = tour.owner.submit(connection).assert_status(200)
    connected.assert_contains(f"{GATEWAYS[DEMO_GATEWAY].phrase} is connected".capitalize())
    connected.assert_contains("Customers can pay online")
    return "the settings say that customers can pay online"


def send_invoice(tour: Tour) -> str:
    """The owner writes an invoice for 1,000.00 to a new customer and sends it."""
    page = tour.owner.open(f"{tour.base}/customers/new/")
    customer = tour.owner.submit(
        page.form(with_field="email"), name="Casey Lane", email=CUSTOMER
    ).assert_status(200)
    customer_id = customer.url.rstrip("/").rpartition("/")[2]
    tour.saved["customer_id"] = customer_id
    editor = tour.owner.open(f"{tour.base}/invoices/new/?customer={customer_id}").form(with_field="due_on")
    lines = {
        "lines.0.description": "Bathroom, second floor",
        "lines.0.quantity": "4",
        "lines.0.unit_amount": "250.00",
    }
    draft = tour.owner.submit(editor, **lines).assert_status(200).assert_contains("Draft", "$1,000.00")
    tour.saved["invoice"] = draft.url
    tour.saved["invoice_id"] = draft.url.rstrip("/").rpartition("/")[2]
    tour.confirm_dialog(f"invoices/{tour.saved['invoice_id']}/send/").assert_contains("INV-0001", "Sent")
    tour.saved["hosted"] = payment_link_in(tour.mailbox.wait_for_mail(CUSTOMER, about="INV-0001"), "i")
    # As the page's script reports it: first of the owner, who is signed in, then of the customer.
    for browser in (tour.owner, tour.customer):
        if "opened the invoice" in tour.invoice_page().text:
            raise TourFailed("The customer is said to have opened the invoice, which only the owner did.")
        page = browser.open(tour.saved["hosted"]).assert_status(200).assert_contains("Pay Now · $1,000.00")
        browser.submit(page.form(to="/opened/")).assert_status(204)
    tour.invoice_page().assert_contains("Casey Lane opened the invoice")
    return (
        "INV-0001 is sent; the mail's link shows it with Pay Now · $1,000.00, and the customer has opened it"
    )


def pay_first_stage(tour: Tour) -> str:
    """Request 300.00, read the mail, pay by its link."""
    link = tour.saved["first"] = tour.request("300.00")
    tour.pay(link, amount="$300.00").assert_contains("$300.00", "$700.00")
    tour.invoice_page().assert_contains("$700.00")
    mail = tour.mailbox.wait_for_mail(CUSTOMER, about="$300.00")
    if "$700.00" not in mail:
        raise TourFailed(f"The receipt mail does not say what is left: {mail}")
    return "the receipt says $300.00 paid and $700.00 left; so do the mail and the invoice"


def open_paid_link(tour: Tour) -> str:
    """Open the link of the paid request again."""
    page = tour.customer.open(tour.saved["first"]).assert_status(200).assert_contains("You paid", "$300.00")
    if page.has_form("/pay/") or not any("/r/" in link for link in page.links):
        raise TourFailed(f"A paid link can still be paid, or does not lead to the receipt: {page.text}")
    return "it says what was paid and when, leads to the receipt, and has no button to pay"


def resend_and_cancel(tour: Tour) -> str:
    """Request 200.00, resend it, then cancel it while the customer has its checkout open."""
    link = tour.request("200.00")
    menu = next((link for link in tour.invoice_page().links if "/requests/" in link), "")
    request_id = menu.partition("/requests/")[2].partition("/")[0]
    tour.confirm_dialog(f"requests/{request_id}/resend/")
    resent = payment_link_in(tour.mailbox.wait_for_mail(CUSTOMER, about="$200.00"), "p")
    if resent != link:
        raise TourFailed("The mail sent again has another link.")
    form = tour.customer.open(link).form(to="/pay/")
    checkout = tour.checkout(link, amount="$200.00")
    tour.confirm_dialog(f"requests/{request_id}/cancel/")
    tour.customer.open(link).assert_status(410).assert_contains("canceled")
    tour.customer.submit(form).assert_status(410)
    tour.customer.submit(checkout.form(with_field="number"), number=CARD).assert_status(410)
    tour.invoice_page().assert_contains("$700.00")
    return "both mails had the same link; after Cancel page, Pay and the open checkout all refuse; $700.00 is still due"


def pay_now(tour: Tour) -> str:
    """Request 400.00, open its checkout, then pay the whole invoice by Pay Now instead."""
    link = tour.request("400.00")
    checkout = tour.checkout(link, amount="$400.00")
    tour.pay(tour.saved["hosted"], amount="$700.00").assert_contains("$700.00")
    tour.customer.open(link).assert_status(200).assert_contains("was paid")
    tour.customer.submit(checkout.form(with_field="number"), number=CARD).assert_status(410)
    tour.invoice_page().assert_contains("Paid", "$0.00")
    return "$700.00 was charged, the request is canceled, its checkout closed, and the invoice is paid"


def verify(tour: Tour) -> str:
    """Recompute the books."""
    return tour.supervisor.run("verify").strip().splitlines()[-1]
