"""Settings of payments: the payment service, online payments on or off, expiry of links, other modes of payment."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import Exists, OuterRef
from django.http import HttpResponse
from django.utils.translation import gettext, ngettext

from partway.accounts.models import GatewayAccount
from partway.billing.checkouts.gateway_calls import test_gateway_of
from partway.billing.errors import BillingError, GatewayNotReady
from partway.billing.models import Invoice, Payment, PaymentRequest, Quote
from partway.billing.people import gateway_accounts, organizations, payment_modes, return_urls
from partway.delivery.messages.connections import connection_notes
from partway.delivery.messages.gateways import gateway_at_start
from partway.delivery.receipt_figures import method_label
from partway.gateways.registry import GATEWAYS

from ..confirm import confirm
from ..context import MemberContext
from ..forms import ConcurrentEditForm, StaffForm, WholeNumberField, text_field
from .gateways import connect_account, connected_notice, connection_forms, earlier_accounts, platform_gateways

_NAMED = 10  # open requests that the question names one by one


class PaymentSettingsForm(ConcurrentEditForm):
    """One of the forms of the page; `operation` says which."""

    operation = text_field()
    gateway = text_field()
    request_expires_days = WholeNumberField(required=False)
    modes = text_field()
    return_urls = text_field()


def payments(ctx: MemberContext) -> HttpResponse:
    """The page of the forms; each is sent alone, and the others show what is stored."""
    stored = {
        "request_expires_days": str(ctx.organization.request_expires_days or ""),
        "modes": "\n".join(ctx.organization.payment_modes),
        "return_urls": "\n".join(ctx.organization.return_urls),
    }
    form = PaymentSettingsForm({**stored, **ctx.request.POST.dict()} if ctx.is_post else None, initial=stored)
    if form.is_valid():
        try:
            if operation := OPERATIONS.get(form.cleaned_data["operation"]):
                notice = operation(ctx, form)
                # Once payments are on, the overview has the next of the first steps, and else the day's work.
                is_begun = operation in (connect, switch_on) and ctx.organization.payments_enabled
                back = ctx.url("organization" if is_begun else "settings_payments")
                return ctx.redirect(back, notice=notice)
            form.refuse(gettext("This page has no such form. Open it again."), status=422)
        except BillingError as error:
            form.add_billing_error(error)
    context = {
        "form": form,
        "unprintable": form.unprintable_in({"modes": gettext("Modes of payment")}),
        "earlier_accounts": earlier_accounts(ctx),
        "connection_forms": connection_forms(ctx.post_data, form),
        "platform_gateways": platform_gateways(),
        "may_take_payments": organizations.may_take_payments(ctx.organization),
        **account_context(ctx, form),
    }
    return ctx.render("staff/settings/payments.html", context, status=form.status)


def account_context(ctx: MemberContext, form: PaymentSettingsForm) -> dict[str, object]:
    """Returns what the page shows of the current account: the report on its connection, and its methods."""
    account = gateway_accounts.current_account(ctx.organization)
    if account is None:
        return {"account": None}
    known = gateway_accounts.available_methods(account)
    # What was chosen stays on the page when it is refused.
    refused = "methods" in form.errors
    chosen = ctx.request.POST.getlist("methods") if refused else account.methods or known
    return {
        "account": account,
        "connected": GATEWAYS[account.gateway],
        "is_test": bool(test_gateway_of(account)),
        "notes": connection_notes(account, ctx.organization.time_zone),
        "initial_methods": " ".join(account.methods or known),
        "methods": [(method, method_label(method), method in chosen) for method in known],
    }


def switch_off(ctx: MemberContext) -> HttpResponse:
    """Asks before online payments are switched off, and names the links that stop working."""
    back = ctx.url("settings_payments")

    def act(_form: StaffForm) -> HttpResponse:
        organizations.set_payments_enabled(ctx.organization, on=False, by=ctx.actor, now=ctx.now)
        return ctx.redirect(back, notice=gettext("Online payments are off. No payment link can be paid now."))

    def links_that_stop() -> dict[str, object]:
        requests = PaymentRequest.objects.for_organization(ctx.organization).open()
        paid_deposits = Payment.objects.deposits().filter(quote=OuterRef("pk"))
        accepted = Quote.objects.for_organization(ctx.organization).filter(status="accepted")
        return {
            "requests": requests.select_related("invoice__customer").order_by("-created_at", "-pk")[:_NAMED],
            "request_count": requests.count(),
            "customer_count": requests.values("invoice__customer").distinct().count(),
            "invoice_count": Invoice.objects.for_organization(ctx.organization).due().count(),
            "deposit_count": accepted.filter(~Exists(paid_deposits), deposit_minor__gt=0).count(),
        }

    return confirm(
        ctx,
        ctx.organization,
        "staff/settings/payments_off.html",
        form=StaffForm(ctx.post_data),
        act=act,
        back=back,
        context=links_that_stop,
    )


# Each operation returns its notice, or raises a BillingError, which is shown on the form.


def switch_on(ctx: MemberContext, form: PaymentSettingsForm) -> str:
    """Checks the connection and switches online payments on."""
    gateway_accounts.enable_payments(ctx.organization, by=ctx.actor, now=ctx.now)
    return gettext("Customers can pay online.")


def connect(ctx: MemberContext, form: PaymentSettingsForm) -> str:
    """Connects a gateway and switches online payments on; a second click finds the first account."""
    account = gateway_accounts.current_account(ctx.organization)
    if account is not None:
        return gettext("%(gateway)s is connected.") % {"gateway": gateway_at_start(account.gateway)}
    return connected_notice(connect_account(ctx))


def check(ctx: MemberContext, form: PaymentSettingsForm) -> str:
    """Checks the connection of the current account."""
    if gateway_accounts.check(_connected_account(ctx), now=ctx.now):
        return gettext("The connection was checked: all that is needed is there.")
    return gettext("The connection was checked: see below what is missing.")


def allow_methods(ctx: MemberContext, form: PaymentSettingsForm) -> str:
    """Sets which methods the customers are offered."""
    methods, shown = ctx.request.POST.getlist("methods"), ctx.request.POST.get("initial_methods")
    gateway_accounts.allow_methods(
        _connected_account(ctx),
        methods=methods,
        initial=shown.split() if shown else None,
        by=ctx.actor,
        now=ctx.now,
    )
    return gettext("The ways to pay online are saved.")


def _connected_account(ctx: MemberContext) -> GatewayAccount:
    account = gateway_accounts.current_account(ctx.organization)
    if account is None:
        raise GatewayNotReady
    return account


def set_expiry(ctx: MemberContext, form: PaymentSettingsForm) -> str:
    """Sets for how many days new payment links can be paid; none: until they are paid or canceled."""
    days, opened = form.cleaned_data["request_expires_days"], form.valid_opened_form()
    organizations.set_default_request_expiry(
        ctx.organization,
        days=days,
        initial=opened.cleaned_data if opened else None,
        by=ctx.actor,
        now=ctx.now,
    )
    if days is None:
        return gettext("New payment links can be paid until they are paid or canceled.")
    notice = ngettext(
        "New payment links can be paid for %(days)s day.",
        "New payment links can be paid for %(days)s days.",
        days,
    )
    return notice % {"days": days}


def set_modes(ctx: MemberContext, form: PaymentSettingsForm) -> str:
    """Sets the modes of offline payments, one a line."""
    modes, opened = form.cleaned_data["modes"].split("\n"), form.valid_opened_form()
    payment_modes.change(
        ctx.organization,
        modes=modes,
        initial=opened.cleaned_data["modes"].split("\n") if opened else None,
        by=ctx.actor,
        now=ctx.now,
    )
    return gettext("The modes of payment are saved.")


def set_return_urls(ctx: MemberContext, form: PaymentSettingsForm) -> str:
    """Sets the sites that customers may be led back to, one a line."""
    sites, opened = form.cleaned_data["return_urls"].split(), form.valid_opened_form()
    return_urls.change(
        ctx.organization,
        sites=sites,
        initial=opened.cleaned_data["return_urls"].split() if opened else None,
        by=ctx.actor,
        now=ctx.now,
    )
    return gettext("The sites that customers are led back to are saved.")


OPERATIONS: dict[str, Callable[[MemberContext, PaymentSettingsForm], str]] = {
    "switch_on": switch_on,
    "connect": connect,
    "check": check,
    "methods": allow_methods,
    "expiry": set_expiry,
    "modes": set_modes,
    "return_urls": set_return_urls,
}
