"""The scenario of each crash test: a sent invoice of $1,000.00 with an open request for $300.00."""

from __future__ import annotations

import itertools
from datetime import timedelta
from email.message import EmailMessage
from typing import NamedTuple
from urllib.parse import urlsplit

from partway.accounts.models import Organization, Role
from partway.billing import links
from partway.billing.models import Callback, Mail, Payment
from partway.billing.receivables import offline_payments
from partway.billing.receivables.offline_payments import OfflinePayment
from partway.lib.clock import now as present
from partway.lib.clock import today
from partway.worker.tour.browser import HttpBrowser, Page
from tests.support import incremental_verify, personas
from tests.support.sandbox_server import wait_until

from .installation import Installation

CARD = "4242424242424242"
_numbers = itertools.count(1)


class Outcome(NamedTuple):
    """The outcome of the request and its payment, from our books and the gateway's ledger."""

    request: str
    payment: str
    charged: list[int]  # each charge in the gateway's ledger
    booked: int  # allocated to the invoice
    receipts: int


PAID = Outcome("paid", "succeeded", [30_000], 30_000, 1)
CANCELED = Outcome("canceled", "canceled", [], 0, 0)


class CrashScenario:
    """An organization of its own, so that no earlier scenario can interfere."""

    def __init__(self, installation: Installation, alice: HttpBrowser, dana: HttpBrowser) -> None:
        self.installation = installation
        self.alice = alice  # the owner's browser
        self.dana = dana  # the customer's browser
        self.slug = f"alder-{next(_numbers)}"
        self.organization = Organization.objects.create(
            slug=self.slug,
            name="Alder Joinery",
            email=f"billing@{self.slug}.example",
            payments_enabled=True,
        )
        personas.member(self.organization, "Alice", Role.OWNER)
        tomorrow = present() + timedelta(days=1)  # so that its lists are not read before the test says so
        self.gateway_driver = installation.connect(
            self.organization, reconcile_at=tomorrow, payouts_due_at=tomorrow
        )
        self.account = self.gateway_driver.account
        self.address = f"dana@{self.slug}.example"
        self.invoice = personas.sent_invoice(personas.customer(self.organization, email=self.address))
        self.request = personas.request_payment(self.invoice)

    # Actions of the customer

    @property
    def link(self) -> str:
        """Returns the payment link from the mail."""
        return links.request_url(self.request)

    def dana_opens(self, link: str) -> Page:
        """Opens a page in the customer's browser."""
        return self.dana.open(link).assert_status(200)

    def dana_pays(self) -> None:
        """Presses Pay, pays at the gateway, and returns to the receipt page."""
        checkout = self.dana.submit(self.dana_opens(self.link).form(to="/pay/")).assert_status(200)
        self.dana.submit(checkout.form(with_field="number"), number=CARD).assert_status(200)

    # Actions of the member

    def alice_signs_in(self) -> None:
        """Signs in with address and password."""
        page = self.alice.open(f"{self.installation.supervisor.config.url}/signin/")
        typed = {"email": f"alice@{self.slug}.example", "password": personas.PASSWORD}
        self.alice.submit(page.form(with_field="password"), **typed).assert_status(200).assert_contains(
            "Alder Joinery"
        )

    def alice_opens(self, path: str) -> Page:
        """Opens a page in the member's browser."""
        return self.alice.open(self.installation.supervisor.config.url + path).assert_status(200)

    def path(self, rest: str) -> str:
        """Returns the URL of a page of the organization."""
        return f"/o/{self.slug}/{rest}"

    def record_check_in_full(self) -> Payment:
        """Records a check over the whole invoice as the owner."""
        by = personas.owner_actor(self.organization)
        paid_on = today(present(), self.organization.time_zone)
        offline = OfflinePayment("Check", paid_on, amount=self.invoice.amount_due)
        return offline_payments.record(self.invoice, offline=offline, by=by, now=present())

    # Events at the gateway

    def start(self) -> Payment:
        """Starts a payment, whose checkout is then open."""
        return self.gateway_driver.start(self.request, address=None)

    def authorize(self) -> Payment:
        """Starts a payment and pays its checkout; the first process that learns of it captures the money."""
        payment = self.start()
        self.gateway_driver.pay(payment)
        return payment

    def drop_all_callbacks(self) -> None:
        """Loses every callback from now on, so that none does the work of the killed process."""
        self.gateway_driver.inject_fault("callback_lost", count=50)

    def deliver_one_callback(self) -> None:
        """Loses every callback after the next one."""
        self.gateway_driver.inject_fault("callback_late", delay=0)
        self.drop_all_callbacks()

    # The outcome

    def wait_until_settled(self) -> None:
        """Waits until nothing is unsettled or pending."""
        unsettled = self.organization.payments.unsettled()
        waiting = Callback.objects.filter(gateway_account=self.account, status="pending")
        wait_until(lambda: not unsettled.exists() and not waiting.exists(), interval_seconds=0.05)

    def outcome(self, payment: Payment | None = None) -> Outcome:
        """Returns the outcome of the only payment."""
        payment = self.organization.payments.get(**({"pk": payment.pk} if payment else {}))
        self.request.refresh_from_db()
        self.invoice.refresh_from_db()
        receipts = Mail.objects.for_organization(self.organization).filter(kind="receipt").count()
        charged = self.gateway_driver.captures_of(payment)
        return Outcome(self.request.status, payment.status, charged, self.invoice.amount_paid_minor, receipts)

    def mails(self) -> list[EmailMessage]:
        """Returns every received mail with the payment link, once no mail is queued."""
        waiting = Mail.objects.filter(status="queued")
        wait_until(lambda: not waiting.exists(), interval_seconds=0.05)
        arrived = self.installation.mail_server.to(self.address, about="$300.00")
        return [one for one in arrived if self.link in _text(one)]

    def assert_consistent(self) -> None:
        """Asserts that the books are right and agree with the gateway's ledger."""
        self.wait_until_settled()
        assert incremental_verify.differences() == []
        self.gateway_driver.assert_ledger_matches_books()


def path_of(link: str) -> str:
    """Returns the path of a URL."""
    return urlsplit(link).path


def _text(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    return str(body.get_content()) if body else ""
