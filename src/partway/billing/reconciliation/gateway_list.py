"""Reads the gateway's own list, and settles what it knows and we do not (DESIGN P5, P6).

A crash between a call and its answer leaves a checkout of which we have the payment's row and not its name; a restored
backup leaves checkouts of which we have nothing. Both stand in the list, under the reference that we gave them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice

import structlog
from django.db.models import Q

from partway.accounts.models import GatewayAccount
from partway.gateways.protocol import CheckoutStatus, CheckoutSummary, OutcomeUnknown, RefundStatus, Refused
from partway.lib.money import Money

from .. import alerts
from ..checkouts import gateway_calls
from ..models import Payment
from ..payments.refresh import close_orphan, record_checkout_ref, refresh_payment

log = structlog.get_logger(__name__)

_EVERY = timedelta(minutes=5)
_AFTER_REFUSAL = timedelta(hours=6)
# Clocks differ, and a change may show in the list a little late: each reading goes back this far.
_OVERLAP = timedelta(hours=1)
# From here on a human should know: what is not reported is found in no other way.
_TOO_LONG = timedelta(days=1)
_BATCH = 100
_TAKEN = (CheckoutStatus.AUTHORIZED, CheckoutStatus.PROCESSING, CheckoutStatus.CAPTURED)


def reconcile_gateway_lists(*, now: datetime, limit: int = 5) -> int:
    """Read on where the time has come; answers how many payments were found to differ from what we knew."""
    due = GatewayAccount.objects.filter(reconcile_at__lte=now).order_by("reconcile_at")[:limit]
    return sum(_read(account, now) for account in due if _claim(account, now + _EVERY))


def _claim(account: GatewayAccount, then: datetime) -> bool:
    """Whoever moves the next reading on reads now."""
    mine = GatewayAccount.objects.filter(pk=account.pk, reconcile_at=account.reconcile_at)
    return bool(mine.update(reconcile_at=then))


def _read(account: GatewayAccount, now: datetime) -> int:
    since = (account.reconciled_until or account.created_at) - _OVERLAP
    row = GatewayAccount.objects.filter(pk=account.pk)
    answers: list[bool | None] = []
    trouble = ""
    try:
        for batch in _batches(gateway_calls.gateway_for_account(account).list_since(since)):
            answers += [_compared(line, payment, account, now) for line, payment in _known(batch, account)]
    except Refused as refusal:
        log.warning("gateway refuses its list", account=account.pk, why=refusal.message)
        row.update(reconcile_at=now + _AFTER_REFUSAL)
        trouble = f"it refuses. {refusal.message}"
    except OutcomeUnknown as error:  # the next reading begins where this one began
        log.warning("gateway gave no list", account=account.pk, why=str(error))
        trouble = "there is no answer."
    else:
        if None not in answers:
            row.update(reconciled_until=now)
        else:
            trouble = "it lists payments, and does not tell what became of them."
    _tell_if_unread(account, trouble, now)
    return answers.count(True)


def _tell_if_unread(account: GatewayAccount, trouble: str, now: datetime) -> None:
    """A list that stays unread is told to the organization until it is read, or nothing can come of it any more."""
    if not trouble:
        alerts.auto_resolve(
            "gateway_list_unavailable", account.pk, resolution="The list is read again.", now=now
        )
    elif not account.is_current and not Payment.objects.unsettled().filter(gateway_account=account).exists():
        alerts.auto_resolve(
            "gateway_list_unavailable", account.pk, resolution="It was replaced, and owes no answer.", now=now
        )
    elif now > (account.reconciled_until or account.created_at) + _TOO_LONG:
        message = f"For over a day nobody could read the payment service’s list of payments: {trouble}"
        alerts.raise_for_organization(
            "gateway_list_unavailable", account.pk, account.organization_id, message=message, now=now
        )


def _compared(
    line: CheckoutSummary, payment: Payment | None, account: GatewayAccount, now: datetime
) -> bool | None:
    """Whether it differed; None when nobody could say, so that it must be read once more."""
    try:
        return _compare(line, payment, account, now)
    except (Refused, OutcomeUnknown) as error:
        log.warning("gateway lists, but does not tell", ref=line.ref, why=str(error))
        return None


def _batches(lines: Iterator[CheckoutSummary]) -> Iterator[list[CheckoutSummary]]:
    while batch := list(islice(lines, _BATCH)):
        yield batch


def _known(
    batch: list[CheckoutSummary], account: GatewayAccount
) -> Iterable[tuple[CheckoutSummary, Payment | None]]:
    """Each line with our payment: by the gateway's name for it, or by ours where we never learned the gateway's."""
    refs, references = [line.ref for line in batch], [line.reference for line in batch]
    rows = Payment.objects.filter(gateway_account=account).filter(
        Q(checkout_ref__in=refs) | Q(checkout_ref="", pk__in=references)
    )
    ours = {payment.checkout_ref or payment.pk: payment for payment in rows}
    return [(line, ours.get(line.ref) or ours.get(line.reference)) for line in batch]


def _compare(line: CheckoutSummary, payment: Payment | None, account: GatewayAccount, now: datetime) -> bool:
    """Settle what differs; True if something did."""
    if payment is not None and not payment.checkout_ref:  # a line before this one may have told the name
        payment.refresh_from_db(fields=["status", "checkout_ref"])
    if payment is None or payment.checkout_ref not in ("", line.ref):
        return _alert_unmatched_checkout(line, account, now)
    if payment.status == "succeeded":
        return _alert_amount_mismatch(line, payment, now)
    if payment.is_unsettled or line.state.status == CheckoutStatus.CAPTURED:
        return _refresh(line, payment, now)
    if line.state.status in (CheckoutStatus.OPEN, CheckoutStatus.AUTHORIZED):
        close_orphan(payment, line.ref, now=now)
        return True
    return False


def _refresh(line: CheckoutSummary, payment: Payment, now: datetime) -> bool:
    """Ask once more about this one, through the function in which every report ends."""
    if payment.checkout_ref and line.state.status == CheckoutStatus.OPEN:
        return False  # it waits for its customer, as we thought
    before = payment.status, payment.checkout_ref
    if not payment.checkout_ref and line.state.status != CheckoutStatus.OPEN:
        record_checkout_ref(payment, line.ref)  # a start must not be repeated to learn what the list says
    fresh = refresh_payment(payment, now=now)
    return (fresh.status, fresh.checkout_ref) != before


def _alert_unmatched_checkout(line: CheckoutSummary, account: GatewayAccount, now: datetime) -> bool:
    """Money under a reference that only Partway gives, on a checkout that no payment here has or can still have.

    As after a restored backup, or when a second checkout was opened under the reference of the first.
    """
    if line.state.status not in _TAKEN or not line.reference.startswith("pay_"):
        return False
    # The same account may be connected a second time, or by a second organization: then others know of it.
    if Payment.objects.filter(Q(checkout_ref=line.ref) | Q(pk=line.reference, checkout_ref="")).exists():
        return False
    amount = line.state.captured or line.state.authorized
    taken = f"{amount} was taken" if line.state.captured else "A payment was begun"
    message = (
        f"{taken} at the payment service for {line.reference}, and these books know nothing of {line.ref}."
    )
    alerts.raise_for_organization(
        "unmatched_checkout", line.ref, account.organization_id, message=message, now=now
    )
    return True


def _alert_amount_mismatch(line: CheckoutSummary, payment: Payment, now: datetime) -> bool:
    """Booked, and the gateway tells another story now: nothing is changed by itself, a human is told."""
    state = line.state
    if state.captured is not None and state.captured != payment.captured:
        message = f"{payment.captured} is booked, and the payment service says it took {state.captured}. Check it there."
        alerts.raise_for_payment("booked_amount_mismatch", payment, message=message, now=now)
        return True
    refunds = [refund.amount for refund in state.refunds if refund.status != RefundStatus.FAILED]
    if refunds:
        back = Money(sum(amount.amount_minor for amount in refunds), refunds[0].currency)
        message = f"{back} of {payment.captured} was sent back at the payment service. Partway does not book refunds yet."
        alerts.raise_for_payment("refunded_at_gateway", payment, message=message, now=now)
        return True
    return False
