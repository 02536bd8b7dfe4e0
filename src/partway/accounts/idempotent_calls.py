"""Calls of programs that act once for each idempotency key: a claim before the act, and its answer after it.

    call = begin(organization, key="…", fingerprint="…", now=now)    raises KeyReused, CallInProgress
    if call.status is None: act, then finish, or give_up where the answer is not kept

The claim is committed before the act begins, so that of two requests at once one acts. A process that is killed in
between leaves a claim that runs out; the repetition gets the same row, whose id the act takes as its one-time key, so
that what it had committed is not done again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from partway.lib.sealing import digest

from .models import IdempotentCall, Organization

LIFETIME = timedelta(days=1)
# Longer than a request that waits for a gateway may take.
CLAIM = timedelta(minutes=2)


class KeyReused(Exception):
    """The key was used for another call: another method, path or body."""


class CallInProgress(Exception):
    """Another request is making this call; its answer is not known yet."""


def begin(organization: Organization, *, key: str, fingerprint: str, now: datetime) -> IdempotentCall:
    """Returns the call of this key: claimed for this request, or with the `status` of the answer that it had.

    One that an earlier request has begun `is_repeated`: it may have acted. Raises KeyReused or CallInProgress.
    """
    with transaction.atomic():
        try:
            row, is_new = IdempotentCall.objects.get_or_create(
                organization=organization,
                key_digest=digest(key),
                defaults={"fingerprint": fingerprint, "created_at": now, "claimed_until": now + CLAIM},
            )
        except IntegrityError:
            # Another request had the key when this one was to be inserted, and was refused before it could be read.
            raise CallInProgress from None
        if is_new:
            return row
        if row.fingerprint != fingerprint:
            raise KeyReused
        if row.status is not None:
            return row
        # A compare-and-set: of two repetitions one takes over a claim that has run out.
        expired = IdempotentCall.objects.filter(pk=row.pk, status=None, claimed_until=row.claimed_until)
        if now < row.claimed_until or not expired.update(claimed_until=now + CLAIM):
            raise CallInProgress
        row.claimed_until = now + CLAIM
        row.is_repeated = True
        return row


def finish(call: IdempotentCall, *, status: int, answer: dict[str, str]) -> None:
    """Stores the answer, which every repetition gets from now on."""
    call.status, call.answer = status, answer
    _claimed(call).update(status=status, sealed_answer=call.sealed_answer)


def give_up(call: IdempotentCall, *, now: datetime, keep: bool) -> None:
    """Lets a repetition act at once; `keep` where the act may have been committed, so that it finds what it did."""
    if keep:
        _claimed(call).update(claimed_until=now)
    else:
        _claimed(call).delete()


def delete_old(*, now: datetime, limit: int = 1_000) -> int:
    """Deletes calls of more than a day ago, at most `limit`; returns how many."""
    old = IdempotentCall.objects.filter(created_at__lte=now - LIFETIME).order_by("created_at")
    return IdempotentCall.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:limit])).delete()[0]


def _claimed(call: IdempotentCall) -> QuerySet[IdempotentCall]:
    return IdempotentCall.objects.filter(pk=call.pk, status=None, claimed_until=call.claimed_until)
