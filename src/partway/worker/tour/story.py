"""The story the tour tells: an invoice for 1,000.00 collected in stages, then a quote with a deposit and a check."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from partway.worker.supervisor import Supervisor, SupervisorConfig, SupervisorError, free_port

from . import offline_story, quote_story
from .postbox import Mailbox, payment_link_in
from .tourist import CARD, CUSTOMER, OWNER, Tour
from .visitor import HttpBrowser, TourFailed

_PASSWORD = "the tour's long password"  # noqa: S105 - of a house that is thrown away


def main(arguments: list[str]) -> int:
    """Run the tour against a throw-away home; answers the exit status."""
    parser = argparse.ArgumentParser(prog="partway tour", description=__doc__)
    parser.add_argument("--database-url", default="", help="an empty database to use instead of SQLite")
    options = parser.parse_args(arguments)
    home = Path(tempfile.mkdtemp(prefix="partway-tour-"))
    began = time.monotonic()
    try:
        _run(
            Supervisor(SupervisorConfig(home, free_port(), free_port(), options.database_url, isolated=True))
        )
    except (TourFailed, SupervisorError) as error:
        print(f"✗  {error}\n\nThe tour's home is kept, with its logs: {home}", file=sys.stderr)
        return 1
    shutil.rmtree(home)
    print(f"The tour is complete: {len(STEPS)} steps in {time.monotonic() - began:.0f} seconds.")
    return 0


def _run(supervisor: Supervisor) -> None:
    with supervisor, HttpBrowser() as owner, HttpBrowser() as customer:
        tour = Tour(supervisor, owner, customer, Mailbox(supervisor.address.home))
        for number, step in enumerate(STEPS, start=1):
            checked = step(tour)
            print(f"{number:2}  {step.__doc__}\n      ✓ {checked}", flush=True)


# The steps. The docstring says what is done, the answer what was checked.


def _start_processes(tour: Tour) -> str:
    """Start a web server, a worker and the sandbox on an empty home."""
    tour.supervisor.run("migrate", "--verbosity", "0")
    tour.supervisor.start_sandbox()
    tour.supervisor.start_web()
    tour.supervisor.start_worker()
    page = tour.owner.open(f"{tour.supervisor.address.url}/")
    page.assert_status(200).form(with_field="password")
    return "the front page asks for a sign-in"


def _create_organization(tour: Tour) -> str:
    """The operator creates Tour Plumbing; its owner sets a password by the link."""
    printed = tour.supervisor.run("organizations", "create", "--name", "Tour Plumbing", "--owner", OWNER)
    welcome = next(word for word in printed.split() if "/welcome/" in word)
    page = tour.owner.open(welcome).assert_status(200)
    again = {"again": _PASSWORD} if "again" in page.form(with_field="password").fields else {}
    home = tour.owner.submit(page.form(with_field="password"), password=_PASSWORD, **again).assert_status(200)
    home.assert_contains("Tour Plumbing")
    tour.owner.open(welcome).assert_status(404)
    return "the owner is signed in, and the welcome link worked once"


def _enable_payments(tour: Tour) -> str:
    """The owner connects the sandbox and enables payments."""
    address = f"{tour.base}/settings/payments/"
    for act, message in (("connect", "The sandbox is connected"), ("switch", "Customers can pay online")):
        page = tour.owner.open(address).assert_status(200)
        form = page.form(with_field="act", value=act)
        tour.owner.submit(form).assert_status(200).assert_contains(message)
    return "the settings say that customers can pay online"


def _send_the_invoice(tour: Tour) -> str:
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
    draft = tour.owner.submit(editor, **lines).assert_status(200).assert_contains("InvoiceDraft", "$1,000.00")
    tour.saved["invoice"] = draft.url
    tour.saved["invoice_id"] = draft.url.rstrip("/").rpartition("/")[2]
    tour.confirm_dialog(f"invoices/{tour.saved['invoice_id']}/send/").assert_contains("INV-0001", "Sent")
    tour.saved["hosted"] = payment_link_in(tour.mailbox.wait_for_mail(CUSTOMER, about="INV-0001"), "i")
    tour.customer.open(tour.saved["hosted"]).assert_status(200).assert_contains("Pay Now · $1,000.00")
    return "INV-0001 is sent; the mail's link shows it with Pay Now · $1,000.00"


def _first_stage(tour: Tour) -> str:
    """Request 300.00, read the mail, pay by its link."""
    link = tour.saved["first"] = tour.request("300.00")
    tour.pay(link, amount="$300.00").assert_contains("$300.00", "$700.00")
    tour.invoice_page().assert_contains("$700.00")
    mail = tour.mailbox.wait_for_mail(CUSTOMER, about="$300.00")
    if "$700.00" not in mail:
        raise TourFailed(f"The receipt mail does not say what is left: {mail}")
    return "the receipt says $300.00 paid and $700.00 left; so do the mail and the invoice"


def _the_paid_link_is_dead(tour: Tour) -> str:
    """Open the link of the paid request again."""
    page = tour.customer.open(tour.saved["first"]).assert_status(410)
    if page.has_form("/pay/") or "$" in page.text:
        raise TourFailed(f"A paid link still shows an amount or a button: {page.text}")
    return "it says that it was paid, shows no amount, and has no button"


def _resend_and_cancel(tour: Tour) -> str:
    """Request 200.00, resend it, then cancel it while the customer has its checkout open."""
    link = tour.request("200.00")
    request_id = _request_id(tour)
    tour.confirm_dialog(f"requests/{request_id}/resend/")
    again = payment_link_in(tour.mailbox.wait_for_mail(CUSTOMER, about="$200.00"), "p")
    if again != link:
        raise TourFailed("The mail sent again has another link.")
    form = tour.customer.open(link).form(to="/pay/")
    checkout = tour.checkout(link, amount="$200.00")
    tour.confirm_dialog(f"requests/{request_id}/cancel/")
    tour.customer.open(link).assert_status(410).assert_contains("canceled")
    tour.customer.submit(form).assert_status(410)
    tour.customer.submit(checkout.form(with_field="number"), number=CARD).assert_status(410)
    tour.invoice_page().assert_contains("$700.00")
    return "both mails had the same link; after Cancel page, Pay and the open checkout all refuse; $700.00 is still due"


def _request_id(tour: Tour) -> str:
    """Which request the menu on the invoice page is about."""
    link = next((link for link in tour.invoice_page().links if "/requests/" in link), "")
    return link.partition("/requests/")[2].partition("/")[0]


def _pay_now_instead(tour: Tour) -> str:
    """Request 400.00, open its checkout, then pay the whole invoice by Pay Now instead."""
    link = tour.request("400.00")
    checkout = tour.checkout(link, amount="$400.00")
    tour.pay(tour.saved["hosted"], amount="$700.00").assert_contains("$700.00")
    tour.customer.open(link).assert_status(410)
    tour.customer.submit(checkout.form(with_field="number"), number=CARD).assert_status(410)
    tour.invoice_page().assert_contains("Paid", "$0.00")
    return "$700.00 was charged, the request is canceled, its checkout closed, and the invoice is paid"


def _verify_the_books(tour: Tour) -> str:
    """Recompute the books."""
    return tour.supervisor.run("verify").strip().splitlines()[-1]


STEPS: tuple[Callable[[Tour], str], ...] = (
    _start_processes,
    _create_organization,
    _enable_payments,
    _send_the_invoice,
    _first_stage,
    _the_paid_link_is_dead,
    _resend_and_cancel,
    _pay_now_instead,
    quote_story.send_the_quote,
    quote_story.accept_the_quote,
    quote_story.a_part_is_refused,
    quote_story.pay_the_deposit,
    quote_story.make_the_invoice,
    offline_story.record_a_check,
    offline_story.reverse_it,
    _verify_the_books,
)
