"""Closes the journal up to a day, and opens it again."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpResponse
from django.utils.translation import gettext

from partway.billing.journal import closing
from partway.billing.journal.calendar import Calendar
from partway.delivery.formats import format_date

from ..confirm import confirm, unavailable_message
from ..context import MemberContext
from ..forms import DayField, StaffForm, text_field


class CloseForm(StaffForm):
    """The last day to close; `closed` is the one that the page showed as closed."""

    through = DayField()
    closed = DayField(required=False)


class ReopenForm(StaffForm):
    """The first day to open, and why."""

    since = DayField()
    reason = text_field()
    closed = DayField(required=False)


def close(ctx: MemberContext) -> HttpResponse:
    """Asks up to which day; the end of last month is suggested, and yesterday where that is closed."""
    closed = Calendar.of(ctx.organization).closed_through()
    last_month = ctx.today.replace(day=1) - timedelta(days=1)
    is_open = closed is None or closed < last_month
    suggested = last_month if is_open else ctx.today - timedelta(days=1)
    form = CloseForm(ctx.post_data, initial={"through": suggested, "closed": closed})

    def act(form: CloseForm) -> HttpResponse:
        typed = form.cleaned_data
        row = closing.close(
            ctx.organization,
            through=typed["through"],
            expected=typed["closed"],
            by=ctx.actor,
            now=ctx.now,
        )
        notice = gettext("The journal is closed through %(day)s.") % {"day": format_date(row.through)}
        return ctx.redirect(ctx.url("journal"), notice=notice)

    return confirm(
        ctx,
        ctx.organization,
        "staff/journal/close.html",
        form=form,
        act=act,
        back=ctx.url("journal"),
        context=lambda: {"closed": Calendar.of(ctx.organization).closed_through()},
    )


def reopen(ctx: MemberContext) -> HttpResponse:
    """Asks from which day on, and why."""
    closed = Calendar.of(ctx.organization).closed_through()
    first = {"since": closed.replace(day=1) if closed else None, "closed": closed}

    def act(form: ReopenForm) -> HttpResponse:
        typed = form.cleaned_data
        closing.reopen(
            ctx.organization,
            since=typed["since"],
            reason=typed["reason"],
            expected=typed["closed"],
            by=ctx.actor,
            now=ctx.now,
        )
        notice = gettext("The journal is open again from %(day)s on.") % {"day": format_date(typed["since"])}
        return ctx.redirect(ctx.url("journal"), notice=notice)

    return confirm(
        ctx,
        ctx.organization,
        "staff/journal/reopen.html",
        form=ReopenForm(ctx.post_data, initial=first),
        act=act,
        back=ctx.url("journal"),
        context=lambda: {"closed": Calendar.of(ctx.organization).closed_through()},
        unavailable_reason=lambda: unavailable_message(closing.unavailable_reason(ctx.organization)),
    )
