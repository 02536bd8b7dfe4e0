"""What every crash finds: a sent invoice of $1,000.00 with an open request for $300.00, and the people around it."""

from __future__ import annotations

import itertools
from datetime import timedelta
from email.message import EmailMessage
from typing import NamedTuple
from urllib.parse import urlsplit

from partway.accounts.models import GatewayAccount, Organization, Role
from partway.billing import links
from partway.billing.checkouts import gateway_calls
from partway.billing.models import Callback, Mail, Payment
from partway.billing.receivables import offline_payments
from partway.billing.receivables.offline_payments import OfflinePayment
from partway.gateways.sandbox import create_account
from partway.lib.clock import now as present
from partway.lib.clock import today
from partway.worker.tour.visitor import HttpBrowser, Page
from tests.support import incremental_verify, personas
from tests.support.gateway_driver import GatewayDriver
from tests.support.sandbox_server import wait_until

from .installation import Installation

CARD = "4242424242424242"
_numbers = itertools.count(1)


class Outcome(NamedTuple):
    """What became of the request and its payment, as our books and the company's tell it."""

    request: str
    payment: str
    charged: list[int]  # by the company, each time
    booked: int  # on the invoice
    receipts: int


PAID = Outcome("paid", "succeeded", [30_000], 30_000, 1)
CANCELED = Outcome("canceled", "canceled", [], 0, 0)


class CrashScenario:
    """An organization of its own, so that nothing that a former scene left behind comes between."""

    def __init__(self, installation: Installation, alice: HttpBrowser, dana: HttpBrowser) -> None:
        self.installation = installation
        self.alice = alice  # owns the organization
        self.dana = dana  # owes
        self.slug = f"alder-{next(_numbers)}"
        self.organization = Organization.objects.create(
            slug=self.slug,
            name="Alder Joinery",
            email=f"billing@{self.slug}.example",
            payments_enabled=True,
        )
        personas.member(self.organization, "Alice", Role.OWNER)
        self.account = _account(self.organization, installation)
        self.gateway_driver = GatewayDriver(installation.sandbox_server, None, self.account)
        self.address = f"dana@{self.slug}.example"
        self.invoice = personas.sent_invoice(personas.customer(self.organization, email=self.address))
        self.request = personas.request_payment(self.invoice)

    # The customer

    @property
    def link(self) -> str:
        """The payment link that was mailed."""
        return links.request_url(self.request)

    def dana_opens(self, link: str) -> Page:
        """A page of ours in the customer's browser."""
        return self.dana.open(link).assert_status(200)

    def dana_pays(self) -> None:
        """She presses Pay, pays at the company, and comes back."""
        checkout = self.dana.submit(self.dana_opens(self.link).form(to="/pay/")).assert_status(200)
        self.dana.submit(checkout.form(holding="number"), number=CARD).assert_status(200)

    # The member

    def alice_signs_in(self) -> None:
        """With address and password, as everybody does."""
        page = self.alice.open(f"{self.installation.supervisor.address.url}/signin/")
        typed = {"email": f"alice@{self.slug}.example", "password": personas.PASSWORD}
        self.alice.submit(page.form(holding="password"), **typed).assert_status(200).assert_contains(
            "Alder Joinery"
        )

    def alice_opens(self, path: str) -> Page:
        """A page of ours in the member's browser."""
        return self.alice.open(self.installation.supervisor.address.url + path).assert_status(200)

    def path(self, rest: str) -> str:
        """Where a page of the organization is."""
        return f"/o/{self.slug}/{rest}"

    def record_check_in_full(self) -> Payment:
        """A check over the whole invoice, which the owner has recorded."""
        by = personas.owner_actor(self.organization)
        paid_on = today(present(), self.organization.time_zone)
        offline = OfflinePayment(self.invoice.amount_due, "Check", paid_on)
        return offline_payments.record(self.invoice, offline=offline, by=by, now=present())

    # The company

    def start(self) -> Payment:
        """The customer has pressed Pay, and has the company's checkout open."""
        return self.gateway_driver.start(self.request, address=None)

    def authorize(self) -> Payment:
        """The customer has paid; whoever of us hears of it first will take the money."""
        payment = self.start()
        self.gateway_driver.pay(payment)
        return payment

    def drop_all_callbacks(self) -> None:
        """Every callback of the company is lost from now on, so that none does the work of the one that is killed."""
        self.gateway_driver.inject_fault("callback_lost", count=50)

    def deliver_one_callback(self) -> None:
        """Only the next callback arrives, for the same reason."""
        self.gateway_driver.inject_fault("callback_late", delay=0)
        self.drop_all_callbacks()

    # What became of it

    def wait_until_settled(self) -> None:
        """Until nobody has anything left to find out."""
        unsettled = self.organization.payments.unsettled()
        waiting = Callback.objects.filter(gateway_account=self.account, status="waiting")
        wait_until(lambda: not unsettled.exists() and not waiting.exists(), rest_seconds=0.05)

    def outcome(self, payment: Payment | None = None) -> Outcome:
        """How a payment has ended, by itself the only one."""
        payment = self.organization.payments.get(**({"pk": payment.pk} if payment else {}))
        self.request.refresh_from_db()
        self.invoice.refresh_from_db()
        receipts = Mail.objects.for_organization(self.organization).filter(kind="receipt").count()
        charged = self.gateway_driver.captures_of(payment)
        return Outcome(self.request.status, payment.status, charged, self.invoice.amount_paid_minor, receipts)

    def mails(self) -> list[EmailMessage]:
        """Every arrival of a mail with the payment link, once no mail waits any more."""
        waiting = Mail.objects.filter(status="queued")
        wait_until(lambda: not waiting.exists(), rest_seconds=0.05)
        arrived = self.installation.mail_server.to(self.address, about="$300.00")
        return [one for one in arrived if self.link in _text(one)]

    def assert_consistent(self) -> None:
        """However it went, the books are right, and the company's ledger agrees with them."""
        self.wait_until_settled()
        assert incremental_verify.differences() == []
        self.gateway_driver.assert_ledger_matches_books()


def _account(owner: Organization, installation: Installation) -> GatewayAccount:
    """An account at the company, whose list nobody reads before the test says so."""
    account = GatewayAccount(
        organization=owner, gateway="sandbox", reconcile_at=present() + timedelta(days=1)
    )
    account.credentials = create_account(
        installation.sandbox_server.url, owner.name, gateway_calls.callback_url(account)
    )
    account.save()
    return account


def path_of(link: str) -> str:
    """The path of an address."""
    return urlsplit(link).path


def _text(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    return str(body.get_content()) if body else ""
