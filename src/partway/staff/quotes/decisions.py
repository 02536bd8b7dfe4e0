"""Records a customer's yes or no that was given to a member, and withdraws a quote; each asks before it acts."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.translation import gettext

from partway.billing.documents import deposits, quote_decisions
from partway.billing.documents.quote_decisions import SpokenDecision

from ..access import get_quote_or_404
from ..confirm import confirm, unavailable_message
from ..context import MemberContext
from ..forms import DayField, StaffForm, text_field


class DecisionForm(StaffForm):
    """Who said it, when, and a note."""

    name = text_field()
    decided_on = DayField()
    note = text_field()


def record_acceptance(ctx: MemberContext, quote_id: str) -> HttpResponse:
    """Asks who accepted and when, then records it as if they had accepted by link."""
    quote = get_quote_or_404(ctx, quote_id)
    back = ctx.url("quote", quote.pk)

    def act(form: DecisionForm) -> HttpResponse:
        decision = SpokenDecision(**form.cleaned_data)
        done = quote_decisions.record_acceptance(quote, decision=decision, by=ctx.actor, now=ctx.now)
        notice = gettext("%(number)s is accepted. A confirmation is on its way to %(email)s.")
        return ctx.redirect(back, notice=notice % {"number": done.number, "email": done.customer.email})

    return confirm(
        ctx,
        quote,
        "staff/quotes/accept.html",
        form=DecisionForm(ctx.post_data, initial={"decided_on": ctx.today}),
        act=act,
        back=back,
        unavailable_reason=lambda: unavailable_message(
            quote_decisions.decision_unavailable_reason(quote, ctx.now)
        ),
    )


def record_decline(ctx: MemberContext, quote_id: str) -> HttpResponse:
    """Asks who declined, when and why, then records it as if they had declined by link."""
    quote = get_quote_or_404(ctx, quote_id)
    back = ctx.url("quote", quote.pk)

    def act(form: DecisionForm) -> HttpResponse:
        decision = SpokenDecision(**form.cleaned_data)
        done = quote_decisions.record_decline(quote, decision=decision, by=ctx.actor, now=ctx.now)
        notice = gettext("%(number)s is declined. It can no longer be accepted.")
        return ctx.redirect(back, notice=notice % {"number": done.number})

    return confirm(
        ctx,
        quote,
        "staff/quotes/decline.html",
        form=DecisionForm(ctx.post_data, initial={"decided_on": ctx.today}),
        act=act,
        back=back,
        unavailable_reason=lambda: unavailable_message(
            quote_decisions.decision_unavailable_reason(quote, ctx.now)
        ),
    )


class WithdrawForm(StaffForm):
    """The state that the page showed: a yes that came in the meantime makes it another decision."""

    shown_status = text_field()


def withdraw(ctx: MemberContext, quote_id: str) -> HttpResponse:
    """Asks before a sent quote ends and its link dies."""
    quote = get_quote_or_404(ctx, quote_id)
    back = ctx.url("quote", quote.pk)

    def act(form: WithdrawForm) -> HttpResponse:
        expected = form.cleaned_data["shown_status"]
        done = quote_decisions.withdraw(quote, expected_status=expected, by=ctx.actor, now=ctx.now)
        notice = gettext("%(number)s is withdrawn. It can no longer be accepted.")
        return ctx.redirect(back, notice=notice % {"number": done.number})

    return confirm(
        ctx,
        quote,
        "staff/quotes/withdraw.html",
        form=WithdrawForm(ctx.post_data),
        act=act,
        back=back,
        context=lambda: {"deposit_status": deposits.deposit_status(quote)},
        unavailable_reason=lambda: unavailable_message(quote_decisions.withdraw_unavailable_reason(quote)),
    )
