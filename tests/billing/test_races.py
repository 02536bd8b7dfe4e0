"""Two acts at the same moment, in both orders: one right outcome, and nobody is charged who should not be.

Each test sweeps the second act across the first, round after round, on real threads and connections.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from partway.accounts.models import GatewayAccount, Organization
from partway.billing import invoices, organizations, payment_requests, payments, reconciliation
from partway.billing.errors import BillingError, NotPayable, PaymentInProgress, PaymentRequestOpen, TooLate
from partway.billing.events import Actor
from partway.billing.models import Customer, Event, Invoice, Payment, PaymentRequest
from partway.lib.clock import now as present
from partway.lib.money import Money
from tests import personas
from tests.billing.together import sweep, together
from tests.billing.world import World

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 10


@pytest.fixture(autouse=True)
def _no_throttle(settings: Settings) -> None:
    """One address pays for everybody here."""
    settings.PARTWAY_CHECKOUTS_PER_ADDRESS = 10_000


def refresh(payment: Payment) -> Payment:
    return payments.refresh(payment, now=present())


def asks(
    dana: Customer, rounds: int = ROUNDS, width_ms: float = 40
) -> Iterator[tuple[PaymentRequest, float]]:
    """A new request of $300.00 on a new invoice of $1,000.00 for each round."""
    for behind_ms in sweep(rounds, width_ms):
        yield personas.ask(personas.sent(dana)), behind_ms


def reconcile() -> None:
    """The worker, long after: everything that can be known is known."""
    later = present() + payments.CHECKOUT_LIFE
    while reconciliation.ask_about_unsettled(now=later):
        pass


def kinds(*results: object) -> tuple[str, ...]:
    """What came out, in words that can be counted."""
    return tuple(
        type(result).__name__ if isinstance(result, BillingError) else getattr(result, "status", "")
        for result in results
    )


def test_pay_and_pay_by_the_same_link(world: World, dana: Customer) -> None:
    for asked, behind_ms in asks(dana):
        first, second = together(
            lambda: world.start(asked), lambda: world.start(asked), behind_ms=behind_ms / 4
        )
        assert first.checkout_url == second.checkout_url
        answers = together(lambda: world.pay(first), lambda: world.pay(second))
        assert sorted(answer.status_code for answer in answers) == [303, 409]
        together(lambda: refresh(first), lambda: refresh(second), behind_ms=behind_ms)
        assert refresh(first).status == "succeeded"
        assert world.charged(first) == [30_000]


def test_pay_and_cancel(world: World, dana: Customer, alice: Actor) -> None:
    seen: Counter[tuple[str, ...]] = Counter()
    for asked, behind_ms in asks(dana, rounds=14):
        payment = world.start(asked)
        world.pay(payment)
        _, canceled = together(
            lambda: refresh(payment),
            lambda: payment_requests.cancel(asked, by=alice, now=present()),
            behind_ms=behind_ms,
        )
        payment = refresh(payment)
        asked.refresh_from_db()
        outcome = (asked.status, payment.status, len(world.charged(payment)), *kinds(canceled))
        seen[outcome] += 1
        assert outcome in {
            ("canceled", "canceled", 0, "canceled"),
            ("paid", "succeeded", 1, "PaymentInProgress"),
            ("paid", "succeeded", 1, "TooLate"),
        }
    assert len(seen) > 1, seen


def test_pay_and_void(world: World, dana: Customer, alice: Actor) -> None:
    seen: Counter[tuple[str, int]] = Counter()
    for asked, behind_ms in asks(dana):
        payment = world.start(asked)
        world.pay(payment)
        together(
            lambda: refresh(payment),
            lambda: invoices.void(asked.invoice, by=alice, now=present()),
            behind_ms=behind_ms,
        )
        payment = refresh(payment)
        outcome = (Invoice.objects.get(pk=asked.invoice_id).status, len(world.charged(payment)))
        seen[outcome] += 1
        assert outcome in {("void", 0), ("sent", 1)}
    assert len(seen) > 1, seen


def test_a_part_by_request_and_all_by_pay_now(world: World, dana: Customer) -> None:
    seen: Counter[tuple[str, int]] = Counter()
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
        seen[asked.status, sum(charges)] += 1
    assert len(seen) > 1, seen


def test_a_part_authorized_and_all_by_pay_now(world: World, dana: Customer) -> None:
    seen: Counter[str] = Counter()
    for asked, behind_ms in asks(dana):
        part = world.start(asked)
        world.pay(part)
        _, full = together(
            lambda: refresh(part),
            lambda: world.start(asked.invoice),
            behind_ms=behind_ms,
        )
        end = refresh(part).status
        seen[end] += 1
        assert (end, *kinds(full)) in {
            ("canceled", "pending"),
            ("canceled", "PaymentInProgress"),  # while the first is being closed
            ("succeeded", "NotPayable"),
            ("succeeded", "PaymentInProgress"),
        }
    assert set(seen) == {"canceled", "succeeded"}, seen


def test_request_and_request(dana: Customer, alice: Actor) -> None:
    for behind_ms in sweep(ROUNDS, 12):
        invoice = personas.sent(dana)
        results = together(
            lambda: personas.ask(invoice, 30_000), lambda: personas.ask(invoice, 40_000), behind_ms=behind_ms
        )
        [made] = PaymentRequest.objects.filter(invoice=invoice)
        [refusal] = [result for result in results if isinstance(result, PaymentRequestOpen)]
        assert refusal.request == made


def test_the_same_form_twice_makes_one_request(dana: Customer, alice: Actor) -> None:
    for number, behind_ms in enumerate(sweep(ROUNDS, 12)):
        invoice = personas.sent(dana)
        ask = payment_requests.Ask(Money(30_000, "USD"), to=(dana.email,), form_key=f"form-{number}")
        first, second = together(
            lambda: payment_requests.create(invoice, ask=ask, by=alice, now=present()),
            lambda: payment_requests.create(invoice, ask=ask, by=alice, now=present()),
            behind_ms=behind_ms,
        )
        assert first == second


def test_request_and_void(dana: Customer, alice: Actor) -> None:
    for behind_ms in sweep(ROUNDS, 12):
        invoice = personas.sent(dana)
        together(
            lambda: personas.ask(invoice),
            lambda: invoices.void(invoice, by=alice, now=present()),
            behind_ms=behind_ms,
        )
        assert Invoice.objects.get(pk=invoice.pk).status == "void"
        assert not PaymentRequest.objects.open().filter(invoice=invoice).exists()


def test_cancel_and_cancel(dana: Customer, alice: Actor) -> None:
    for asked, behind_ms in asks(dana, width_ms=12):
        results = together(
            lambda: payment_requests.cancel(asked, by=alice, now=present()),
            lambda: payment_requests.cancel(asked, by=alice, now=present()),
            behind_ms=behind_ms,
        )
        assert kinds(*results) == ("canceled", "canceled")
        assert Event.objects.filter(payment_request=asked, type="payment_request.canceled").count() == 1


def test_cancel_and_expire(dana: Customer, alice: Actor) -> None:
    for asked, behind_ms in asks(dana, width_ms=12):
        PaymentRequest.objects.filter(pk=asked.pk).update(expires_at=present())
        together(
            lambda: payment_requests.cancel(asked, by=alice, now=present()),
            lambda: payment_requests.expire(asked, now=present()),
            behind_ms=behind_ms,
        )
        ends = ["payment_request.canceled", "payment_request.expired"]
        assert Event.objects.filter(payment_request=asked, type__in=ends).count() == 1


def test_resend_and_cancel(dana: Customer, alice: Actor) -> None:
    for asked, behind_ms in asks(dana, width_ms=12):
        resent, _ = together(
            lambda: payment_requests.resend(asked, by=alice, now=present()),
            lambda: payment_requests.cancel(asked, by=alice, now=present()),
            behind_ms=behind_ms,
        )
        assert asked.mails.count() == (1 if isinstance(resent, TooLate) else 2)


def test_send_and_send(dana: Customer, alice: Actor) -> None:
    drafts = [personas.draft(dana) for _ in range(ROUNDS)]
    for draft, behind_ms in zip(drafts, sweep(ROUNDS, 12), strict=True):
        results = together(
            lambda: invoices.send(draft, by=alice, now=present()),
            lambda: invoices.send(draft, by=alice, now=present()),
            behind_ms=behind_ms,
        )
        assert sorted(kinds(*results)) == ["Conflict", "sent"]
    numbers = Invoice.objects.order_by("number").values_list("number", flat=True)
    assert list(numbers) == [f"INV-{number:04d}" for number in range(1, ROUNDS + 1)]


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
            lambda: payments.receive(world.account, body=heard.body, headers=heard.headers, now=present()),
            lambda: refresh(payment),
            lambda: payments.receive(world.account, body=heard.body, headers=heard.headers, now=present()),
            reconcile,
            behind_ms=behind_ms,
        )
        assert refresh(payment).status == "succeeded"
        assert Event.objects.filter(payment=payment, type="payment.succeeded").count() == 1


def test_a_busy_link_says_so(world: World, dana: Customer) -> None:
    world.go_wrong("hang", act="capture", delay=0.3)
    asked = personas.ask(personas.sent(dana))
    payment = world.start(asked)
    world.pay(payment)
    _, second = together(lambda: refresh(payment), lambda: world.start(asked), behind_ms=120)
    assert isinstance(second, PaymentInProgress | NotPayable)
    assert world.charged(payment) == [30_000]


def test_a_slow_answer_leaves_alone_what_a_quick_one_got_paid(world: World, dana: Customer) -> None:
    asked = personas.ask(personas.sent(dana))
    world.go_wrong("hang", act="start", delay=1)
    world.go_wrong("error_before", act="capture")
    slow, quick = together(lambda: world.start(asked), lambda: world.collect(asked), behind_ms=300)
    assert (*kinds(slow), quick.status) == ("NotPayable", "capturing")
    reconcile()
    assert (refresh(quick).status, world.charged(quick)) == ("succeeded", [30_000])


def test_a_request_canceled_while_its_checkout_is_opened_stays_unpayable(
    world: World, dana: Customer, alice: Actor
) -> None:
    asked = personas.ask(personas.sent(dana))
    world.go_wrong("hang", act="start", delay=1)
    started, canceled = together(
        lambda: world.start(asked),
        lambda: payment_requests.cancel(asked, by=alice, now=present()),
        behind_ms=300,
    )
    assert kinds(started, canceled) == ("NotPayable", "canceled")
    assert [line["status"] for line in world.ledger().values()] == ["closed"]


def test_pay_and_payments_switched_off(world: World, dana: Customer, alice: Actor) -> None:
    seen: Counter[tuple[str, int]] = Counter()
    for asked, behind_ms in asks(dana):
        payment = world.start(asked)
        world.pay(payment)
        together(
            lambda: refresh(payment),
            lambda: organizations.switch_payments(dana.organization, on=False, by=alice, now=present()),
            behind_ms=behind_ms,
        )
        organizations.switch_payments(dana.organization, on=True, by=alice, now=present())
        outcome = (refresh(payment).status, len(world.charged(payment)))
        seen[outcome] += 1
        assert outcome in {("succeeded", 1), ("canceled", 0)}
    assert len(seen) > 1, seen


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
            lambda: reconciliation.ask_about_unsettled(now=later),
            lambda: reconciliation.ask_about_unsettled(now=later),
            behind_ms=behind_ms,
        )
        assert sum(asked_about) == len(waiting)
