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
from partway.billing.verification import verify
from partway.gateways.sandbox import provision
from partway.lib.clock import now as present
from partway.lib.clock import today
from partway.worker.tour.visitor import Page, Visitor
from tests import personas
from tests.billing.world import World
from tests.gateways.company import eventually

from .town import Town

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


class Scene:
    """An organization of its own, so that nothing that a former scene left behind comes between."""

    def __init__(self, town: Town, alice: Visitor, dana: Visitor) -> None:
        self.town = town
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
        self.account = _account(self.organization, town)
        self.world = World(town.company, None, self.account)
        self.address = f"dana@{self.slug}.example"
        self.invoice = personas.sent(personas.customer(self.organization, email=self.address))
        self.request = personas.ask(self.invoice)

    # The customer

    @property
    def link(self) -> str:
        """The payment link that was mailed."""
        return links.request_url(self.request)

    def dana_opens(self, link: str) -> Page:
        """A page of ours in the customer's browser."""
        return self.dana.open(link).must_answer(200)

    def dana_collects(self) -> None:
        """She presses Pay, pays at the company, and comes back."""
        checkout = self.dana.submit(self.dana_opens(self.link).form(to="/pay/")).must_answer(200)
        self.dana.submit(checkout.form(holding="number"), number=CARD).must_answer(200)

    # The member

    def alice_signs_in(self) -> None:
        """With address and password, as everybody does."""
        page = self.alice.open(f"{self.town.house.address.url}/signin/")
        typed = {"email": f"alice@{self.slug}.example", "password": personas.PASSWORD}
        self.alice.submit(page.form(holding="password"), **typed).must_answer(200).must_say("Alder Joinery")

    def alice_opens(self, path: str) -> Page:
        """A page of ours in the member's browser."""
        return self.alice.open(self.town.house.address.url + path).must_answer(200)

    def path(self, rest: str) -> str:
        """Where a page of the organization is."""
        return f"/o/{self.slug}/{rest}"

    def check_for_all(self) -> Payment:
        """A check over the whole invoice, which the owner has recorded."""
        by = personas.actor_of(self.organization)
        paid_on = today(present(), self.organization.time_zone)
        offline = OfflinePayment(self.invoice.amount_due, "Check", paid_on)
        return offline_payments.record(self.invoice, offline=offline, by=by, now=present())

    # The company

    def start(self) -> Payment:
        """The customer has pressed Pay, and has the company's checkout open."""
        return self.world.start(self.request, address=None)

    def authorize(self) -> Payment:
        """The customer has paid; whoever of us hears of it first will take the money."""
        payment = self.start()
        self.world.pay(payment)
        return payment

    def nothing_is_reported(self) -> None:
        """Every callback of the company is lost from now on, so that none does the work of the one that is killed."""
        self.world.go_wrong("callback_lost", count=50)

    def one_thing_is_reported(self) -> None:
        """Only the next callback arrives, for the same reason."""
        self.world.go_wrong("callback_late", delay=0)
        self.nothing_is_reported()

    # What became of it

    def comes_to_rest(self) -> None:
        """Until nobody has anything left to find out."""
        unsettled = self.organization.payments.unsettled()
        waiting = Callback.objects.filter(gateway_account=self.account, status="waiting")
        eventually(lambda: not unsettled.exists() and not waiting.exists(), rest_seconds=0.05)

    def outcome(self, payment: Payment | None = None) -> Outcome:
        """How a payment has ended, by itself the only one."""
        payment = self.organization.payments.get(**({"pk": payment.pk} if payment else {}))
        self.request.refresh_from_db()
        self.invoice.refresh_from_db()
        receipts = Mail.objects.of(self.organization).filter(kind="receipt").count()
        charged = self.world.charged(payment)
        return Outcome(self.request.status, payment.status, charged, self.invoice.amount_paid_minor, receipts)

    def mails(self) -> list[EmailMessage]:
        """Every arrival of a mail with the payment link, once no mail waits any more."""
        waiting = Mail.objects.filter(status="queued")
        eventually(lambda: not waiting.exists(), rest_seconds=0.05)
        arrived = self.town.postbox.to(self.address, about="$300.00")
        return [one for one in arrived if self.link in _text(one)]

    def ends(self) -> None:
        """However it went, the books are right, and the company's ledger agrees with them."""
        self.comes_to_rest()
        assert [str(difference) for difference in verify()] == []
        self.world.agrees()


def _account(owner: Organization, town: Town) -> GatewayAccount:
    """An account at the company, whose list nobody reads before the test says so."""
    account = GatewayAccount(organization=owner, gateway="sandbox", list_at=present() + timedelta(days=1))
    account.credentials = provision(town.company.url, owner.name, gateway_calls.callback_url(account))
    account.save()
    return account


def path_of(link: str) -> str:
    """The path of an address."""
    return urlsplit(link).path


def _text(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    return str(body.get_content()) if body else ""
