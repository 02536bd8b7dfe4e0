"""What owners configure: the organization itself, and whether customers can pay online."""

from __future__ import annotations

from dataclasses import fields
from zoneinfo import available_timezones

from django.conf import settings
from django.http import HttpResponse

from partway.accounts.models import GatewayAccount
from partway.billing import organizations
from partway.billing.errors import BillingError, GatewayDown
from partway.billing.organizations import Profile
from partway.gateways.protocol import GatewayError
from partway.lib.money import EXPONENTS

from .forms import Form
from .visit import Visit

_FIELDS = tuple(field.name for field in fields(Profile))


def organization(visit: Visit) -> HttpResponse:
    """Name, sender address and what new invoices start with."""
    row = visit.organization
    form = Form({name: getattr(row, name) for name in _FIELDS})
    if visit.posted:
        form = Form.typed(visit.request.POST)
        profile = Profile(**{name: form.text(name) for name in _FIELDS})
        try:
            organizations.change(row, profile=profile, by=visit.actor, now=visit.now)
        except BillingError as error:
            form.refuse(error)
            row.refresh_from_db()  # the frame shows the stored name, the form the typed one
        else:
            return visit.go(visit.url("settings"), said="Saved.")
    context = {"form": form, "currencies": sorted(EXPONENTS), "time_zones": sorted(available_timezones())}
    return visit.render("staff/settings/organization.html", context, status=form.status)


def payments(visit: Visit) -> HttpResponse:
    """Connect a payment service, and switch online payments on or off."""
    form = Form.typed(visit.request.POST)
    account = organizations.connected_account(visit.organization)
    if visit.posted:
        act = _connect if form.text("act") == "connect" else _switch
        said = act(visit, form, account)
        if said:
            return visit.go(visit.url("payments_settings"), said=said)
    context = {"form": form, "account": account, "live": settings.PARTWAY_LIVE}
    return visit.render("staff/settings/payments.html", context, status=form.status)


def _switch(visit: Visit, form: Form, account: GatewayAccount | None) -> str:
    """What was done, in words; empty when it was refused."""
    on = form.text("payments_enabled") == "on"
    if on and account is None:
        form.refusal, form.status = "Connect a payment service first.", 409
        return ""
    organizations.switch_payments(visit.organization, on=on, by=visit.actor, now=visit.now)
    return "Customers can pay online." if on else "Online payments are off. No payment link can be paid now."


def _connect(visit: Visit, form: Form, account: GatewayAccount | None) -> str:
    """The same; a second click finds the first account."""
    if account is not None:
        return "The sandbox is connected."
    try:
        organizations.connect_sandbox(visit.organization, by=visit.actor, now=visit.now)
    except BillingError as error:
        form.refuse(error)
    except GatewayError:
        form.refuse(GatewayDown("The sandbox does not answer. Start it, then try again."))
    else:
        return "The sandbox is connected. Now switch online payments on."
    return ""
