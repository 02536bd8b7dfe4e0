"""The story the tour tells: an invoice for 1,000.00 collected in stages, then a quote with a deposit and a check."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from partway.worker.supervisor import Address, House, HouseError, free_port

from . import offline_story, quote_story
from .postbox import Postbox, link_in
from .tourist import CARD, CUSTOMER, OWNER, Tour
from .visitor import Surprise, Visitor

_PASSWORD = "the tour's long password"  # noqa: S105 - of a house that is thrown away


def main(arguments: list[str]) -> int:
    """Run the tour against a throw-away home; answers the exit status."""
    parser = argparse.ArgumentParser(prog="partway tour", description=__doc__)
    parser.add_argument("--database-url", default="", help="an empty database to use instead of SQLite")
    options = parser.parse_args(arguments)
    home = Path(tempfile.mkdtemp(prefix="partway-tour-"))
    began = time.monotonic()
    try:
        _run(House(Address(home, free_port(), free_port(), options.database_url, alone=True)))
    except (Surprise, HouseError) as error:
        print(f"✗  {error}\n\nThe tour's home is kept, with its logs: {home}", file=sys.stderr)
        return 1
    shutil.rmtree(home)
    print(f"The tour is complete: {len(STEPS)} steps in {time.monotonic() - began:.0f} seconds.")
    return 0


def _run(house: House) -> None:
    with house, Visitor() as owner, Visitor() as customer:
        tour = Tour(house, owner, customer, Postbox(house.address.home))
        for number, step in enumerate(STEPS, start=1):
            checked = step(tour)
            print(f"{number:2}  {step.__doc__}\n      ✓ {checked}", flush=True)


# The steps. The docstring says what is done, the answer what was checked.


def _open_the_house(tour: Tour) -> str:
    """Start a web server, a worker and the sandbox on an empty home."""
    tour.house.run("migrate", "--verbosity", "0")
    tour.house.start_sandbox()
    tour.house.start_web()
    tour.house.start_worker()
    page = tour.owner.open(f"{tour.house.address.url}/")
    page.must_answer(200).form(holding="password")
    return "the front page asks for a sign-in"


def _found_the_organization(tour: Tour) -> str:
    """The operator creates Tour Plumbing; its owner sets a password by the link."""
    printed = tour.house.run("organizations", "create", "--name", "Tour Plumbing", "--owner", OWNER)
    welcome = next(word for word in printed.split() if "/welcome/" in word)
    page = tour.owner.open(welcome).must_answer(200)
    again = {"again": _PASSWORD} if "again" in page.form(holding="password").fields else {}
    home = tour.owner.submit(page.form(holding="password"), password=_PASSWORD, **again).must_answer(200)
    home.must_say("Tour Plumbing")
    tour.owner.open(welcome).must_answer(404)
    return "the owner is signed in, and the welcome link worked once"


def _enable_payments(tour: Tour) -> str:
    """The owner connects the sandbox and enables payments."""
    address = f"{tour.base}/settings/payments/"
    for act, words in (("connect", "The sandbox is connected"), ("switch", "Customers can pay online")):
        page = tour.owner.open(address).must_answer(200)
        form = page.form(holding="act", value=act)
        tour.owner.submit(form).must_answer(200).must_say(words)
    return "the settings say that customers can pay online"


def _send_the_invoice(tour: Tour) -> str:
    """The owner writes an invoice for 1,000.00 to a new customer and sends it."""
    page = tour.owner.open(f"{tour.base}/customers/new/")
    customer = tour.owner.submit(page.form(holding="email"), name="Casey Lane", email=CUSTOMER).must_answer(
        200
    )
    customer_id = customer.url.rstrip("/").rpartition("/")[2]
    tour.places["customer_id"] = customer_id
    editor = tour.owner.open(f"{tour.base}/invoices/new/?customer={customer_id}").form(holding="due_on")
    lines = {
        "lines.0.description": "Bathroom, second floor",
        "lines.0.quantity": "4",
        "lines.0.unit_amount": "250.00",
    }
    draft = tour.owner.submit(editor, **lines).must_answer(200).must_say("Draft", "$1,000.00")
    tour.places["invoice"] = draft.url
    tour.places["invoice_id"] = draft.url.rstrip("/").rpartition("/")[2]
    tour.act(f"invoices/{tour.places['invoice_id']}/send/").must_say("INV-0001", "Sent")
    tour.places["hosted"] = link_in(tour.post.next_to(CUSTOMER, about="INV-0001"), "i")
    tour.customer.open(tour.places["hosted"]).must_answer(200).must_say("Pay Now · $1,000.00")
    return "INV-0001 is sent; the mail's link shows it with Pay Now · $1,000.00"


def _first_stage(tour: Tour) -> str:
    """Request 300.00, read the mail, pay by its link."""
    link = tour.places["first"] = tour.request("300.00")
    tour.pay(link, amount="$300.00").must_say("$300.00", "$700.00")
    tour.invoice_page().must_say("$700.00")
    mail = tour.post.next_to(CUSTOMER, about="$300.00")
    if "$700.00" not in mail:
        raise Surprise(f"The receipt mail does not say what is left: {mail}")
    return "the receipt says $300.00 paid and $700.00 left; so do the mail and the invoice"


def _the_paid_link_is_dead(tour: Tour) -> str:
    """Open the link of the paid request again."""
    page = tour.customer.open(tour.places["first"]).must_answer(410)
    if page.has_form("/pay/") or "$" in page.text:
        raise Surprise(f"A paid link still shows an amount or a button: {page.text}")
    return "it says that it was paid, shows no amount, and has no button"


def _resend_and_cancel(tour: Tour) -> str:
    """Request 200.00, resend it, then cancel it while the customer has its checkout open."""
    link = tour.request("200.00")
    request_id = _request_id(tour)
    tour.act(f"requests/{request_id}/resend/")
    again = link_in(tour.post.next_to(CUSTOMER, about="$200.00"), "p")
    if again != link:
        raise Surprise("The mail sent again has another link.")
    form = tour.customer.open(link).form(to="/pay/")
    checkout = tour.checkout(link, amount="$200.00")
    tour.act(f"requests/{request_id}/cancel/")
    tour.customer.open(link).must_answer(410).must_say("canceled")
    tour.customer.submit(form).must_answer(410)
    tour.customer.submit(checkout.form(holding="number"), number=CARD).must_answer(410)
    tour.invoice_page().must_say("$700.00")
    return "both mails had the same link; after Cancel page, Pay and the open checkout all refuse; $700.00 is still due"


def _request_id(tour: Tour) -> str:
    """Which request the menu on the invoice page is about."""
    link = next((link for link in tour.invoice_page().links if "/requests/" in link), "")
    return link.partition("/requests/")[2].partition("/")[0]


def _pay_now_instead(tour: Tour) -> str:
    """Request 400.00, open its checkout, then pay the whole invoice by Pay Now instead."""
    link = tour.request("400.00")
    checkout = tour.checkout(link, amount="$400.00")
    tour.pay(tour.places["hosted"], amount="$700.00").must_say("$700.00")
    tour.customer.open(link).must_answer(410)
    tour.customer.submit(checkout.form(holding="number"), number=CARD).must_answer(410)
    tour.invoice_page().must_say("Paid", "$0.00")
    return "$700.00 was charged, the request is canceled, its checkout closed, and the invoice is paid"


def _verify_the_books(tour: Tour) -> str:
    """Recompute the books."""
    return tour.house.run("verify").strip().splitlines()[-1]


STEPS: tuple[Callable[[Tour], str], ...] = (
    _open_the_house,
    _found_the_organization,
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
