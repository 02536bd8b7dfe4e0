"""`verify` finds payments, calls and callbacks that do not fit together (P1 to P7)."""

from __future__ import annotations

import pytest

from partway.accounts.models import Organization
from partway.billing.models import Callback, Customer, Flag, GatewayCall, Payment
from partway.lib.clock import now
from tests import personas
from tests.billing.verification.damage import Case, again, names, over, past

WAITING = Payment.objects.filter(status="pending")
CAME_IN = Payment.objects.filter(status="succeeded")
UNWANTED = CAME_IN.filter(accepted=False)

DAMAGE: dict[str, Case] = {
    "two payments that are under way": (
        "P1",
        "pending beside an earlier one of inv_",
        past(Payment, "one_unsettled_payment_per_invoice", again(WAITING)),
    ),
    "a bank debit that nobody decided about": (
        "P3",
        "processing, and nobody decided",
        over(WAITING, status="processing"),
    ),
    "money that nobody decided about": ("P3", "succeeded, and nobody decided", over(CAME_IN, accepted=None)),
    "unwanted money without a flag": ("P3", "no flag was raised", over(CAME_IN, accepted=False)),
    "unwanted money that counts as wanted": (
        "P3",
        "accepted is True, which no event tells",
        over(UNWANTED, accepted=True),
    ),
    "wanted money that counts as unwanted": (
        "P3",
        "accepted is False, which no event tells",
        over(CAME_IN, accepted=False),
    ),
    "a flag that nobody dealt with": ("P3", "by “”, which no event tells", over(Flag, resolved_at=now())),
    "a checkout that nobody opened": ("P4", "no call started", over(CAME_IN, checkout_ref="co_1")),
    "a call that was not the first": ("P4", "start 2 of pay_", over(GatewayCall, attempt=2)),
    "a call answered with nothing": ("P4", "outcome “”", over(GatewayCall, answered_at=now())),
    "an answer at no time": ("P4", "outcome “done”, answered at None", over(GatewayCall, outcome="done")),
    "an unsettled payment that is settled": ("P5", "pending, settled at 20", over(WAITING, settled_at=now())),
    "a settled payment that is not": ("P5", "canceled, settled at None", over(WAITING, status="canceled")),
    "a failure without a reason": (
        "P5",
        "failed without a reason",
        over(WAITING, status="failed", settled_at=now()),
    ),
    "a callback that is done at no time": ("P7", "done, done at None", over(Callback, status="done")),
    "a callback that waits, and is done": ("P7", "waiting, done at 20", over(Callback, done_at=now())),
    "a callback done for nobody": (
        "P7",
        "co_unknown is no payment of ours",
        over(Callback, status="done", done_at=now()),
    ),
    "a callback that no human sees": (
        "P7",
        "there is no flag about gwa_",
        over(Callback, status="flagged", done_at=now()),
    ),
    "a flag about another payment": (
        "P7",
        "unwanted_payment is about pay_7, which is not its own",
        over(Flag, subject="pay_7"),
    ),
    "a flag about a checkout of others": (
        "P7",
        "unknown_callback is about gwa_7:co_7, which is not its own",
        over(Flag, kind="unknown_callback", payment=None, subject="gwa_7:co_7"),
    ),
}


@pytest.fixture
def callback(organization: Organization) -> Callback:
    """A report about a checkout that is not ours; it waits."""
    account, at = organization.gateway_accounts.get(), now()
    return Callback.objects.create(
        gateway_account=account, event_id="evt_1", checkout_ref="co_unknown", received_at=at, try_at=at
    )


@pytest.fixture
def call(waiting: Payment) -> GatewayCall:
    """The start of the waiting payment, under way."""
    return GatewayCall.objects.create(payment=waiting, act="start", attempt=1, started_at=now())


@pytest.fixture
def flagged(paid: Payment, call: GatewayCall, callback: Callback) -> None:
    """One payment came in, another waits, a third came in unwanted and stands on the Attention page."""
    Organization.objects.update(payments_enabled=False)
    personas.paid_part(personas.sent(paid.invoice.customer), 10_000)


@pytest.mark.parametrize("what", DAMAGE)
def test_it_finds(flagged: None, what: str) -> None:
    assert names(DAMAGE[what])


def test_it_finds_two_payments_of_a_deposit_under_way(waiting: Payment, dana: Customer) -> None:
    Payment.objects.filter(pk=waiting.pk).update(
        invoice=None, payment_request=None, quote=personas.accept(personas.quote(dana))
    )
    damage = past(Payment, "one_unsettled_payment_per_quote", again(WAITING))
    assert names(("P1", "pending beside an earlier one of quo_", damage))
