"""Disputes: the bank takes the money and a fee, and gives both back when the dispute is won."""

from __future__ import annotations

import pytest
import stripe

from tests.gateways.stripe_server.client import StandInAccount
from tests.gateways.stripe_server.conftest import pay, pay_and_capture

DAY = 86_400


def only_dispute(sdk: stripe.StripeClient) -> stripe.Dispute:
    [dispute] = sdk.v1.disputes.list().data
    return dispute


def moved(dispute: stripe.Dispute) -> list[tuple[str, int, int]]:
    return [(row.reporting_category, row.amount, row.fee) for row in dispute.balance_transactions]


@pytest.mark.parametrize(
    ("number", "reason", "status", "rows"),
    [
        ("4000000000000259", "fraudulent", "needs_response", [("dispute", -12_500, 1_500)]),
        ("4000000000002685", "product_not_received", "needs_response", [("dispute", -12_500, 1_500)]),
        ("4000000000001976", "fraudulent", "warning_needs_response", []),
    ],
)
def test_card_is_disputed_as_documented(
    sdk: stripe.StripeClient,
    account: StandInAccount,
    number: str,
    reason: str,
    status: str,
    rows: list[tuple[str, int, int]],
) -> None:
    charge = pay_and_capture(sdk, account, number)
    dispute = only_dispute(sdk)
    assert (dispute.charge, dispute.reason, dispute.status) == (charge.id, reason, status)
    assert moved(dispute) == rows
    assert sdk.v1.charges.retrieve(charge.id).disputed


def test_dispute_is_open_until_its_evidence_is_due(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    pay_and_capture(sdk, account, "4000000000000259")
    dispute = only_dispute(sdk)
    assert dispute.evidence_details.due_by == pytest.approx(dispute.created + 7 * DAY, abs=2)
    kinds = {event.type for event in sdk.v1.events.list({"limit": 2}).data}
    assert kinds == {"charge.dispute.created", "charge.dispute.funds_withdrawn"}


@pytest.mark.parametrize(
    ("text", "status", "category"),
    [("winning_evidence", "won", "dispute_reversal"), ("losing_evidence", "lost", "dispute")],
)
def test_evidence_decides_in_test_mode(
    sdk: stripe.StripeClient, account: StandInAccount, text: str, status: str, category: str
) -> None:
    pay_and_capture(sdk, account, "4000000000000259")
    sdk.v1.disputes.update(only_dispute(sdk).id, {"evidence": {"uncategorized_text": text}})
    dispute = only_dispute(sdk)
    assert (dispute.status, moved(dispute)[-1][0]) == (status, category)
    assert sdk.v1.events.list().data[0].type == "charge.dispute.closed"
    for act in (sdk.v1.disputes.close, sdk.v1.disputes.update):
        with pytest.raises(stripe.InvalidRequestError, match="already closed"):
            act(dispute.id)


@pytest.mark.parametrize(
    ("text", "status", "rows"),
    [
        ("losing_evidence", "warning_closed", []),
        ("escalate_inquiry_evidence", "needs_response", [("dispute", -12_500, 1_500)]),
    ],
)
def test_inquiry_moves_money_only_when_it_is_escalated(
    sdk: stripe.StripeClient,
    account: StandInAccount,
    text: str,
    status: str,
    rows: list[tuple[str, int, int]],
) -> None:
    pay_and_capture(sdk, account, "4000000000001976")
    sdk.v1.disputes.update(only_dispute(sdk).id, {"evidence": {"uncategorized_text": text}})
    assert (only_dispute(sdk).status, moved(only_dispute(sdk))) == (status, rows)


def test_charge_can_be_disputed_in_parts(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    pay_and_capture(sdk, account, "4000004040000079")
    assert [dispute.amount for dispute in sdk.v1.disputes.list().data] == [6_250, 6_250]


def test_won_dispute_returns_the_money_and_the_fee(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    pay_and_capture(sdk, account, "4000000000000259")
    account.control("decide_dispute", id=only_dispute(sdk).id, outcome="won")
    assert moved(only_dispute(sdk)) == [("dispute", -12_500, 1_500), ("dispute_reversal", 12_500, -1_500)]
    account.control("decide_dispute", id=only_dispute(sdk).id, outcome="lost")
    assert moved(only_dispute(sdk))[2:] == [("dispute", -12_500, 1_500)]


def test_won_dispute_returns_what_is_still_away(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    pay_and_capture(sdk, account, "4000000000000259")
    account.control("decide_dispute", id=only_dispute(sdk).id, outcome="lost")
    account.control("return_part", id=only_dispute(sdk).id, amount=2_500)
    account.control("decide_dispute", id=only_dispute(sdk).id, outcome="won")
    assert [row.amount for row in only_dispute(sdk).balance_transactions] == [-12_500, 2_500, 10_000]


def test_part_of_a_charge_can_be_disputed(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    charge = pay_and_capture(sdk, account)
    account.control("dispute", id=charge.id, amount=2_500, reason="duplicate")
    dispute = only_dispute(sdk)
    assert (dispute.amount, dispute.reason, moved(dispute)) == (
        *(2_500, "duplicate"),
        [("dispute", -2_500, 1_500)],
    )


def test_late_return_of_a_bank_debit_is_a_lost_dispute(
    sdk: stripe.StripeClient, account: StandInAccount
) -> None:
    intent = pay(sdk, account, method="us_bank_account", account="000555555559")
    account.control("shift_clock", seconds=5 * DAY)
    assert sdk.v1.payment_intents.retrieve(intent.id).status == "succeeded"
    dispute = only_dispute(sdk)
    assert (dispute.status, dispute.reason, dispute.evidence_details.due_by) == (
        *("lost", "debit_not_authorized", None),
    )
    assert sdk.v1.balance.retrieve().pending[0].amount == 12_500 - 200 - 12_500 - 1_500
