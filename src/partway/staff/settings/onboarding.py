"""The pages by which an owner connects without a key: an account is made, and the gateway asks for the rest itself."""

from __future__ import annotations

from babel import Locale
from django.conf import settings
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext

from partway.accounts.models import GatewayAccount
from partway.billing.errors import BillingError
from partway.billing.people import gateway_accounts, platform_accounts
from partway.delivery.formats import current_locale
from partway.delivery.messages import error_message
from partway.delivery.messages.gateways import gateway_params
from partway.gateways.registry import GATEWAYS

from ..confirm import confirm
from ..context import MemberContext
from ..forms import StaffForm, strip_nul, text_field


class OnboardingForm(StaffForm):
    """Country and address that the account is made with; the gateway asks for everything else, and for these again."""

    country = text_field(2)
    email = text_field()


def open_account(ctx: MemberContext, gateway: str) -> HttpResponse:
    """Asks for country and mail address, prefilled, and makes the account."""
    definition = platform_accounts.platforms().get(gateway)
    if definition is None:
        raise Http404
    organization, params = ctx.organization, gateway_params(gateway)

    def act(form: OnboardingForm) -> HttpResponse:
        typed = form.cleaned_data
        account = platform_accounts.open_account(
            organization,
            gateway=gateway,
            country=typed["country"],
            email=typed["email"],
            by=ctx.actor,
            now=ctx.now,
        )
        notice = gettext("%(gateway_at_start)s is connected. Customers can pay online.")
        if not account.passes:
            notice = gettext(
                "Your account is made. Continue at %(gateway)s, which asks for what it needs to know."
            )
        return ctx.redirect(ctx.url("settings_payments"), notice=notice % params)

    names = Locale.parse(current_locale()).territories
    region = organization.locale.rpartition("_")[2]
    prefilled = {"country": region if region in definition.countries else "", "email": organization.email}
    return confirm(
        ctx,
        organization,
        "staff/settings/onboarding.html",
        form=OnboardingForm(ctx.post_data, initial=prefilled),
        act=act,
        back=ctx.url("settings_payments"),
        context=lambda: {
            "countries": sorted(
                ((code, names.get(code, code)) for code in definition.countries), key=lambda one: one[1]
            ),
            "definition": GATEWAYS[gateway],
            **params,
        },
    )


def proceed(ctx: MemberContext, account_id: str) -> HttpResponse:
    """Leads to the gateway's pages, from ours, and from theirs where the link has expired.

    A link and no form, because our pages let no form lead to another site.
    """
    account = _account_or_404(ctx, account_id)
    try:
        url = platform_accounts.onboarding_url(
            account,
            return_url=f"{settings.PARTWAY_URL}{ctx.url('gateway_onboarded', account.pk)}",
            refresh_url=f"{settings.PARTWAY_URL}{ctx.url('gateway_onboarding', account.pk)}",
        )
    except BillingError as error:
        return ctx.redirect(ctx.url("settings_payments"), notice=error_message(error))
    return HttpResponseRedirect(url)


def returned(ctx: MemberContext, account_id: str) -> HttpResponse:
    """Asks how the account stands when its owner comes back from the gateway, finished or not."""
    account = _account_or_404(ctx, account_id)
    try:
        passes = gateway_accounts.check(account, now=ctx.now)
    except BillingError as error:
        return ctx.redirect(ctx.url("settings_payments"), notice=error_message(error))
    notice = gettext("%(gateway_at_start)s has all that it needs. Switch online payments on below.")
    if not passes:
        notice = gettext(
            "%(gateway_at_start)s still needs something: see below. You can continue at any time."
        )
    return ctx.redirect(ctx.url("settings_payments"), notice=notice % gateway_params(account.gateway))


def _account_or_404(ctx: MemberContext, account_id: str) -> GatewayAccount:
    account = (
        GatewayAccount.objects.current(ctx.organization)
        .select_related("organization")
        .filter(pk=strip_nul(account_id), is_of_platform=True)
        .first()
    )
    if account is None:
        raise Http404
    return account
