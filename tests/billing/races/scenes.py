"""What a race is about: fresh rows for every round, and what may be given before the two acts meet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from partway.accounts.models import Organization
from partway.billing import events
from partway.billing.documents import quotes
from partway.billing.events import Actor
from partway.billing.models import Customer, Invoice, Payment, PaymentRequest, Quote
from partway.billing.people import organizations
from partway.lib.clock import now as present
from tests import personas
from tests.billing.test_offline_payments import record
from tests.billing.world import Source, World


class Scene:
    """The rows of one round as people hold them: read before the race, so perhaps stale in it."""

    invoice: Invoice  # $1,000.00
    other: Invoice  # another one of the same customer, $1,000.00
    asked: PaymentRequest  # for $300.00 of the invoice
    quote: Quote  # $1,000.00 with a deposit of $300.00
    payment: Payment  # the one that the scene begins with
    called: str  # what the company calls about it first

    def __init__(self, world: World, organization: Organization, alice: Actor) -> None:
        self.world = world
        self.alice = alice
        self.organization = organization
        self.dana: Customer = personas.customer(organization)
        self.customer = events.customer_actor(self.dana)

    @property
    def document(self) -> Invoice | Quote:
        """What the payments of this round are for."""
        return self.quote if hasattr(self, "quote") else self.invoice


Given = Callable[[Scene], None]


def drafted(scene: Scene) -> None:
    """An invoice of $1,000.00 that was not sent yet."""
    scene.invoice = personas.draft(scene.dana)


def sent(scene: Scene) -> None:
    """A sent invoice of $1,000.00, nothing asked for yet."""
    scene.invoice = personas.sent(scene.dana)


def asked(scene: Scene) -> None:
    """An open request for $300.00 of it."""
    sent(scene)
    scene.asked = personas.ask(scene.invoice)


def expiring(scene: Scene) -> None:
    """One that expires in an hour."""
    sent(scene)
    scene.asked = personas.ask(scene.invoice, expires_at=present() + timedelta(hours=1))


def started(scene: Scene) -> None:
    """The customer sees the form of the request's checkout, and has not filled it in."""
    asked(scene)
    scene.payment = scene.world.start(scene.asked)


def authorized(scene: Scene) -> None:
    """The customer has filled it in with a good card; only the company knows yet."""
    asked(scene)
    _fill_in(scene, scene.asked)


def authorized_in_silence(scene: Scene) -> None:
    """The same, and the company will not answer when it is told to close the checkout."""
    authorized(scene)
    scene.world.go_wrong("error_before", act="close")


def authorized_in_time(scene: Scene) -> None:
    """The same as authorized, and the request expires in an hour."""
    expiring(scene)
    _fill_in(scene, scene.asked)


def authorized_in_full(scene: Scene) -> None:
    """A request is open, and the customer has paid all by Pay Now instead; only the company knows yet."""
    asked(scene)
    _fill_in(scene, scene.invoice)


def authorized_unasked(scene: Scene) -> None:
    """The customer has paid all by Pay Now, no request is open; only the company knows yet."""
    sent(scene)
    _fill_in(scene, scene.invoice)


def declined(scene: Scene) -> None:
    """The customer's first card was declined, and the checkout is still open; only the company knows yet."""
    asked(scene)
    _fill_in(scene, scene.asked, "declined")


def settled_debit(scene: Scene) -> None:
    """The customer has paid from a bank account, and the bank has settled it; only the company knows yet."""
    asked(scene)
    _fill_in(scene, scene.asked, "debit")
    scene.world.settle(scene.payment)


def in_credit(scene: Scene) -> None:
    """A check came in with $800.00 too much; two invoices of $1,000.00 are sent, and a part of one is asked for."""
    overpaid = personas.sent(scene.dana, 20_000)
    scene.payment = record(overpaid, 100_000, scene.alice, keep_rest_as_credit=True)
    scene.other = personas.sent(scene.dana)
    asked(scene)


def authorized_in_credit(scene: Scene) -> None:
    """The same, and the customer has paid the request with a card; only the company knows yet."""
    in_credit(scene)
    _fill_in(scene, scene.asked)


def checked(scene: Scene) -> None:
    """A check of $400.00 is recorded on the invoice."""
    sent(scene)
    scene.payment = record(scene.invoice, 40_000, scene.alice)


def unsent_quote(scene: Scene) -> None:
    """A quote of $1,000.00 that was not sent yet."""
    scene.quote = personas.quote_draft(scene.dana)


def offered(scene: Scene) -> None:
    """A sent quote with a deposit of $300.00."""
    scene.quote = personas.quote(scene.dana)


def accepted(scene: Scene) -> None:
    """The customer has accepted it."""
    offered(scene)
    scene.quote = personas.accept(scene.quote)


def deposit_authorized(scene: Scene) -> None:
    """The customer has paid the deposit with a card; only the company knows yet."""
    accepted(scene)
    _fill_in(scene, scene.quote)


def deposit_recorded(scene: Scene) -> None:
    """The deposit came by check."""
    accepted(scene)
    scene.payment = personas.pay_deposit(scene.quote)


def deposit_invoiced(scene: Scene) -> None:
    """The deposit came by check, and the invoice made of the quote is still a draft."""
    deposit_recorded(scene)
    scene.invoice = quotes.make_invoice(scene.quote, by=scene.alice, now=present())


def _fill_in(scene: Scene, source: Source, how: str = "good") -> None:
    scene.payment = scene.world.start(source)
    scene.world.pay(scene.payment, how)
    scene.called = {"good": "authorized", "declined": "declined", "debit": "processing"}[how]


GIVEN: dict[str, Given] = {
    "drafted": drafted,
    "sent": sent,
    "asked": asked,
    "expiring": expiring,
    "started": started,
    "authorized": authorized,
    "authorized in silence": authorized_in_silence,
    "authorized in time": authorized_in_time,
    "authorized in full": authorized_in_full,
    "authorized unasked": authorized_unasked,
    "declined": declined,
    "settled debit": settled_debit,
    "in credit": in_credit,
    "authorized in credit": authorized_in_credit,
    "checked": checked,
    "unsent quote": unsent_quote,
    "offered": offered,
    "accepted": accepted,
    "deposit authorized": deposit_authorized,
    "deposit recorded": deposit_recorded,
    "deposit invoiced": deposit_invoiced,
}


def staged(given: str, world: World, organization: Organization, alice: Actor) -> Scene:
    """A scene for one round; the round before may have switched payments off."""
    if not organization.payments_enabled:
        organizations.switch_payments(organization, on=True, by=alice, now=present())
    scene = Scene(world, organization, alice)
    GIVEN[given](scene)
    return scene
