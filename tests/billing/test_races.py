"""A net under the tables of tests/billing/races: acts that nobody orders, swept across each other on real threads.

Beside it what those tables have no words for: several at once, and a company that is slow as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from partway.accounts.models import GatewayAccount, Organization
from partway.billing.checkouts.payability import CHECKOUT_LIFE
from partway.billing.documents import invoices
from partway.billing.errors import BillingError, PaymentRequestOpen
from partway.billing.events import Actor
from partway.billing.models import Customer, Event, Invoice, Payment, PaymentRequest
from partway.billing.payments.callbacks import receive_callback
from partway.billing.payments.refresh import refresh_payment
from partway.billing.people import organizations
from partway.billing.reconciliation import due_work
from partway.billing.requests import payment_requests
from partway.lib.clock import now as present
from tests import personas
from tests.billing.races.interleaving import Stop, interleave
from tests.billing.together import sweep, together
from tests.billing.world import World

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 10


@pytest.fixture(autouse=True)
def _no_throttle(settings: Settings) -> None:
    """One address pays for everybody here."""
    settings.PARTWAY_CHECKOUTS_PER_ADDRESS = 10_000


def refresh(payment: Payment) -> Payment:
    return refresh_payment(payment, now=present())


def asks(
    dana: Customer, rounds: int = ROUNDS, width_ms: float = 40
) -> Iterator[tuple[PaymentRequest, float]]:
    """A new request of $300.00 on a new invoice of $1,000.00 for each round."""
    for behind_ms in sweep(rounds, width_ms):
        yield personas.ask(personas.sent(dana)), behind_ms


def reconcile() -> None:
    """The worker, long after: everything that can be known is known."""
    later = present() + CHECKOUT_LIFE
    while due_work.ask_about_unsettled(now=later):
        pass


def kinds(*results: object) -> tuple[str, ...]:
    """What came out, in words."""
    return tuple(
        type(result).__name__ if isinstance(result, BillingError) else getattr(result, "status", "")
        for result in results
    )


def test_pay_and_cancel(world: World, dana: Customer, alice: Actor) -> None:
    for asked, behind_ms in asks(dana):
        payment = world.start(asked)
        world.pay(payment)
        _, canceled = together(
            lambda: refresh(payment),
            lambda: payment_requests.cancel(asked, by=alice, now=present()),
            behind_ms=behind_ms,
        )
        payment = refresh(payment)
        asked.refresh_from_db()
        assert (asked.status, payment.status, len(world.charged(payment)), *kinds(canceled)) in {
            ("canceled", "canceled", 0, "canceled"),
            ("paid", "succeeded", 1, "PaymentInProgress"),
            ("paid", "succeeded", 1, "TooLate"),
        }


def test_a_part_by_request_and_all_by_pay_now(world: World, dana: Customer) -> None:
    for asked, behind_ms in asks(dana):
        together(
            lambda: world.collect(asked),
            lambda: world.collect(asked.invoice),
            behind_ms=2 * behind_ms,
        )
        reconcile()
        invoice = Invoice.objects.get(pk=asked.invoice_id)
        asked.refresh_from_db()
        charges = [charge for payment in invoice.payments.all() for charge in world.charged(payment)]
        assert sum(charges) == invoice.amount_paid_minor <= invoice.total_minor
        assert asked.status == {30_000: "paid", 100_000: "canceled", 0: "open"}[sum(charges)]


def test_request_and_request(dana: Customer, alice: Actor) -> None:
    for behind_ms in sweep(ROUNDS, 12):
        invoice = personas.sent(dana)
        results = together(
            lambda: personas.ask(invoice, 30_000), lambda: personas.ask(invoice, 40_000), behind_ms=behind_ms
        )
        [made] = PaymentRequest.objects.filter(invoice=invoice)
        [refusal] = [result for result in results if isinstance(result, PaymentRequestOpen)]
        assert refusal.request == made


def test_many_drafts_sent_at_once_have_numbers_without_gaps(dana: Customer, alice: Actor) -> None:
    drafts = [personas.draft(dana) for _ in range(8)]
    together(*[lambda draft=draft: invoices.send(draft, by=alice, now=present()) for draft in drafts])
    numbers = Invoice.objects.order_by("number").values_list("number", flat=True)
    assert list(numbers) == [f"INV-{number:04d}" for number in range(1, 9)]


def test_callback_and_return_and_worker(world: World, dana: Customer) -> None:
    for asked, behind_ms in asks(dana, rounds=6, width_ms=30):
        payment = world.start(asked)
        world.pay(payment)
        heard = world.callback(payment, "authorized")
        together(
            lambda: receive_callback(world.account, body=heard.body, headers=heard.headers, now=present()),
            lambda: refresh(payment),
            lambda: receive_callback(world.account, body=heard.body, headers=heard.headers, now=present()),
            reconcile,
            behind_ms=behind_ms,
        )
        assert refresh(payment).status == "succeeded"
        assert Event.objects.filter(payment=payment, type="payment.succeeded").count() == 1


def test_a_slow_answer_leaves_alone_what_a_quick_one_got_paid(world: World, dana: Customer) -> None:
    asked = personas.ask(personas.sent(dana))
    world.go_wrong("error_before", act="capture")
    slow, quick, _ = interleave(
        lambda: world.start(asked), lambda: world.collect(asked), at=Stop("after start")
    )
    assert (*kinds(slow), quick.status) == ("NotPayable", "capturing")
    reconcile()
    assert (refresh(quick).status, world.charged(quick)) == ("succeeded", [30_000])


def test_a_request_canceled_while_its_checkout_is_opened_stays_unpayable(
    world: World, dana: Customer, alice: Actor
) -> None:
    asked = personas.ask(personas.sent(dana))
    started, canceled, _ = interleave(
        lambda: world.start(asked),
        lambda: payment_requests.cancel(asked, by=alice, now=present()),
        at=Stop("after start"),
    )
    assert kinds(started, canceled) == ("NotPayable", "canceled")
    assert [line["status"] for line in world.ledger().values()] == ["closed"]


def test_connect_and_connect(world: World, organization: Organization, alice: Actor) -> None:
    for behind_ms in sweep(4, 12):
        together(
            lambda: organizations.connect_sandbox(organization, by=alice, now=present()),
            lambda: organizations.connect_sandbox(organization, by=alice, now=present()),
            behind_ms=behind_ms,
        )
    assert organization.gateway_accounts.count() == 2 + 8
    assert GatewayAccount.objects.current(organization).count() == 1


def test_two_workers_never_ask_about_the_same_payment(world: World, dana: Customer) -> None:
    later = present() + timedelta(minutes=3)
    for behind_ms in sweep(4, 12):
        waiting = [world.start(personas.sent(dana)) for _ in range(3)]
        asked_about = together(
            lambda: due_work.ask_about_unsettled(now=later),
            lambda: due_work.ask_about_unsettled(now=later),
            behind_ms=behind_ms,
        )
        assert sum(asked_about) == len(waiting)
