"""Conditions that several kinds of mail share: whether a queued mail still holds when it is sent."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from partway.accounts.models import User
from partway.billing import outbox
from partway.billing.models import Event, Mail

from .content import required


def always(mail: Mail, *, now: datetime) -> bool:
    """Returns True: the mail reports a fact that nothing takes back."""
    return True


def unless_reversed(mail: Mail, *, now: datetime) -> bool:
    """Returns False once the payment is reversed, as when a check bounces."""
    return required(mail.payment).status != "reversed"


def unless_decided_anew(mail: Mail, *, now: datetime) -> bool:
    """Returns False once the dispute was won or lost again, or a later mail of this kind has another amount of it."""
    decided_anew = Q(type__in=("dispute.won", "dispute.lost")) | Q(mails__kind=mail.kind)
    decisions = Event.objects.filter(decided_anew, payment=mail.payment_id)
    last = decisions.filter(data__dispute=mail.data["dispute"]).order_by("created_at", "id").last()
    return last == mail.event


def unless_requester_left(mail: Mail, *, now: datetime) -> bool:
    """Returns False once the member whom the mail is for was removed; those queued before then were redirected."""
    # Without this, a notice that another transaction queued while the member was removed would still reach them.
    request = mail.payment_request
    return request is None or request.reply_to not in mail.to or outbox.requester(request) in mail.to


def while_user_is_active(mail: Mail, *, now: datetime) -> bool:
    """Returns whether the user may still sign in."""
    return User.objects.filter(pk=mail.data["user"], is_active=True).exists()
