"""The pages that change a connection: a new key, the reports of the gateway, another account, and none any more."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.utils.translation import gettext

from partway.accounts.models import GatewayAccount
from partway.billing.checkouts.gateway_calls import callback_url
from partway.billing.models import Payment
from partway.billing.models.payments import RECEIVED_STATUSES
from partway.billing.people import gateway_accounts
from partway.delivery.messages.gateways import gateway_params
from partway.gateways.registry import GATEWAYS

from ..confirm import confirm
from ..context import MemberContext
from ..forms import StaffForm, strip_nul, text_field
from .gateways import (
    ConnectionForm,
    connect_account,
    connected_notice,
    connection_forms,
    platform_gateways,
)


class CallbackForm(StaffForm):
    """How the callbacks are set up: by the API, or by hand, and then with the secret that the gateway shows."""

    operation = text_field()
    secret = text_field(200)


def replace_key(ctx: MemberContext, account_id: str) -> HttpResponse:
    """Asks for a new key of the same account, which may be an earlier one."""
    account = _account_or_404(ctx, account_id)
    back, form = ctx.url("settings_payments"), StaffForm(ctx.post_data)
    typed = {**ctx.request.POST.dict(), "gateway": account.gateway} if ctx.is_post else None

    def act(_form: StaffForm) -> HttpResponse:
        credentials = ConnectionForm(account.gateway, typed).typed()
        gateway_accounts.replace_credentials(account, credentials=credentials, by=ctx.actor, now=ctx.now)
        notice = gettext("The new key is stored. You can delete the old one at %(gateway)s.")
        if account.is_current and not account.passes:
            notice = gettext(
                "The new key is stored, but something is missing: see below. Keep the old one until then."
            )
        return ctx.redirect(back, notice=notice % gateway_params(account.gateway))

    return confirm(
        ctx,
        account,
        "staff/settings/connection_key.html",
        form=form,
        act=act,
        back=back,
        context=lambda: {"connection": ConnectionForm(account.gateway, typed, form), **_params(account)},
    )


def callbacks(ctx: MemberContext, account_id: str) -> HttpResponse:
    """Makes the gateway report payments: by its API at a click, or by hand, with each step and what to copy."""
    account = _account_or_404(ctx, account_id)
    setup = GATEWAYS[account.gateway].callback_setup
    back = ctx.url("settings_payments")

    def act(form: CallbackForm) -> HttpResponse:
        if form.cleaned_data["operation"] == "secret":
            secret = form.cleaned_data["secret"]
            gateway_accounts.set_callback_secret(account, secret=secret, by=ctx.actor, now=ctx.now)
        else:
            gateway_accounts.set_up_callbacks(account, by=ctx.actor, now=ctx.now)
        notice = gettext("%(gateway_at_start)s reports payments here now. The connection was checked.")
        return ctx.redirect(back, notice=notice % gateway_params(account.gateway))

    return confirm(
        ctx,
        account,
        "staff/settings/connection_callbacks.html",
        form=CallbackForm(ctx.post_data),
        act=act,
        back=back,
        context=lambda: {
            "callback_url": callback_url(account),
            "events": setup.events if setup else (),
            "steps": [gettext(step) for step in setup.steps] if setup else [],
            "label": gettext(setup.field.label) if setup else "",
            **_params(account),
        },
        unavailable_reason=lambda: (
            ""
            if setup
            else gettext("Each payment says where it is reported to, so there is nothing to set up.")
        ),
    )


def change_account(ctx: MemberContext) -> HttpResponse:
    """Connects another account in place of the current one, and says what becomes of that one's payments."""
    account, back = _current_or_404(ctx), ctx.url("settings_payments")

    def act(form: StaffForm) -> HttpResponse:
        # A second click finds the account that the first has connected.
        if form.data.get("replaces") != account.pk:
            return ctx.redirect(back, notice=gettext("Another account is connected already."))
        return ctx.redirect(back, notice=connected_notice(connect_account(ctx)))

    form = StaffForm(ctx.post_data)
    return confirm(
        ctx,
        account,
        "staff/settings/connection_change.html",
        form=form,
        act=act,
        back=back,
        context=lambda: {
            "connection_forms": connection_forms(ctx.post_data, form),
            "platform_gateways": platform_gateways(),
            **_left_behind(account),
            **_params(account),
        },
    )


def disconnect(ctx: MemberContext) -> HttpResponse:
    """Asks before the connection ends, and names what then can no longer be paid."""
    account, back = _current_or_404(ctx), ctx.url("settings_payments")

    def act(_form: StaffForm) -> HttpResponse:
        gateway_accounts.disconnect(ctx.organization, by=ctx.actor, now=ctx.now)
        notice = gettext("%(gateway_at_start)s is disconnected, and online payments are off.")
        return ctx.redirect(back, notice=notice % gateway_params(account.gateway))

    return confirm(
        ctx,
        account,
        "staff/settings/connection_disconnect.html",
        form=StaffForm(ctx.post_data),
        act=act,
        back=back,
        context=lambda: {**_left_behind(account), **_params(account)},
    )


def _current_or_404(ctx: MemberContext) -> GatewayAccount:
    account = GatewayAccount.objects.current(ctx.organization).first()
    if account is None:
        raise Http404
    return account


def _account_or_404(ctx: MemberContext, account_id: str) -> GatewayAccount:
    accounts = GatewayAccount.objects.select_related("organization").filter(
        organization=ctx.organization,
        is_of_platform=False,  # which has neither a key nor an endpoint of its own
    )
    account = accounts.filter(pk=strip_nul(account_id)).first()
    if account is None:
        raise Http404
    return account


def _params(account: GatewayAccount) -> dict[str, object]:
    """Returns the names of the gateway, and its account, as every page here shows them."""
    definition = GATEWAYS[account.gateway]
    return {"account": account, "definition": definition, **gateway_params(account.gateway)}


def _left_behind(account: GatewayAccount) -> dict[str, int]:
    """Returns how many payments are under way at the account, and how many it took that may be refunded there."""
    payments = Payment.objects.filter(gateway_account=account)
    return {
        "open_count": payments.unsettled().count(),
        "received_count": payments.filter(status__in=RECEIVED_STATUSES).count(),
    }
