"""What owners configure: the organization itself, its logo, and how customers can pay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from zoneinfo import available_timezones

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse

from partway.accounts.logos import MAX_BYTES
from partway.accounts.models import GatewayAccount, Logo, Organization
from partway.billing.errors import BillingError, GatewayUnavailable, Invalid
from partway.billing.people import organizations, payment_modes
from partway.billing.people.organizations import Profile
from partway.delivery.messages import field_messages
from partway.delivery.templatetags.partway import quantity
from partway.gateways.protocol import GatewayError
from partway.lib.money import EXPONENTS

from ..context import MemberContext
from ..forms import Form

_NUMBERS = {"default_tax_percent", "default_due_days"}
_TEXTS = tuple(field.name for field in fields(Profile) if field.name not in _NUMBERS)


def organization(ctx: MemberContext) -> HttpResponse:
    """Name, sender address, how documents look and what new invoices start with."""
    row = ctx.organization
    form = Form.from_data(ctx.request.POST) if ctx.is_post else _stored(row)
    if ctx.is_post:
        try:
            profile, number = _read(form)
            seen, number_seen = _read(shown) if (shown := form.initial()) else (None, None)
            organizations.change(
                row,
                profile=profile,
                initial=seen,
                next_number=None if number == number_seen else number,
                by=ctx.actor,
                now=ctx.now,
            )
        except BillingError as error:
            form.add_error(error)
            row.refresh_from_db()  # the frame shows the stored name, the form the typed one
        else:
            return ctx.redirect(ctx.url("settings"), notice="Saved.")
    return _page(ctx, form)


def _page(ctx: MemberContext, form: Form, logo_error: str = "") -> HttpResponse:
    context = {
        "form": form,
        "seen": form.initial_json(_stored(ctx.organization).values),
        "logo": Logo.objects.filter(organization=ctx.organization).only("updated_at").first(),
        "logo_error": logo_error,
        "currencies": sorted(EXPONENTS),
        "time_zones": sorted(available_timezones()),
    }
    return ctx.render("staff/settings/organization.html", context, status=form.status)


def _stored(row: Organization) -> Form:
    values = {name: getattr(row, name) for name in _TEXTS}
    values["default_tax_percent"] = quantity(row.default_tax_percent)
    values["default_due_days"] = str(row.default_due_days)
    values["next_invoice_number"] = str(row.next_invoice_number)
    return Form(values)


def _read(form: Form) -> tuple[Profile, int]:
    """The profile and the next invoice number; raises Invalid where a number is none."""
    percent = form.decimal("default_tax_percent")
    days = form.integer("default_due_days")
    number = form.integer("next_invoice_number")
    if percent is None or days is None or number is None:
        raise Invalid(dict(form.errors))
    texts = {name: form.text(name) for name in _TEXTS}
    texts["color"] = texts["color"].lower()
    return Profile(**texts, default_tax_percent=percent, default_due_days=days), number


def logo(ctx: MemberContext) -> HttpResponse:
    """Show another logo, or none; what is sent is drawn anew before it is kept."""
    form = _stored(ctx.organization)
    sent = ctx.request.FILES.get("logo")
    if not ctx.is_post:
        return ctx.redirect(ctx.url("settings"))
    try:
        notice = _change_logo(ctx, sent if isinstance(sent, UploadedFile) else None)
    except Invalid as error:
        form.status = error.status
        return _page(ctx, form, logo_error=field_messages(error)["logo"])
    return ctx.redirect(ctx.url("settings"), notice=notice)


def _change_logo(ctx: MemberContext, sent: UploadedFile[bytes] | None) -> str:
    """What was done, in words."""
    if ctx.request.POST.get("act") == "remove":
        organizations.remove_logo(ctx.organization, by=ctx.actor, now=ctx.now)
        return "The logo is removed."
    # One byte more than may be: enough to tell that it is too much, without reading all of it.
    content = sent.read(MAX_BYTES + 1) if sent else b""
    if not content:
        raise Invalid({"logo": "Choose a picture first."})
    organizations.set_logo(ctx.organization, sent=content, by=ctx.actor, now=ctx.now)
    return "The logo is saved."


def logo_image(ctx: MemberContext) -> HttpResponse:
    """The logo itself, always as the PNG we drew."""
    found = Logo.objects.filter(organization=ctx.organization).first()
    if found is None:
        raise Http404
    answer = HttpResponse(bytes(found.content), content_type="image/png")
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


def payments(ctx: MemberContext) -> HttpResponse:
    """Connect a payment service, switch online payments, say how long links can be paid, and list the other modes."""
    form = Form.from_data(ctx.request.POST)
    account = organizations.current_gateway_account(ctx.organization)
    if ctx.is_post:
        act = _ACTS.get(form.text("act"), _refuse)
        notice = act(ctx, form, account)
        if notice:
            return ctx.redirect(ctx.url("payments_settings"), notice=notice)
    # Another form of the page may have been sent: then the others show what is stored.
    form.values.setdefault("request_expires_days", str(ctx.organization.request_expires_days or ""))
    form.values.setdefault("modes", "\n".join(ctx.organization.payment_modes))
    context = {"form": form, "account": account, "live": settings.PARTWAY_LIVE}
    return ctx.render("staff/settings/payments.html", context, status=form.status)


def _switch(ctx: MemberContext, form: Form, account: GatewayAccount | None) -> str:
    """What was done, in words; empty when it was refused."""
    on = form.text("payments_enabled") == "on"
    if on and account is None:
        form.form_error, form.status = "Connect a payment service first.", 409
        return ""
    organizations.set_payments_enabled(ctx.organization, on=on, by=ctx.actor, now=ctx.now)
    return "Customers can pay online." if on else "Online payments are off. No payment link can be paid now."


def _refuse(_: MemberContext, form: Form, __: GatewayAccount | None) -> str:
    """Not one of the forms of this page."""
    form.form_error, form.status = "This page has no such form. Open it again.", 422
    return ""


def _connect(ctx: MemberContext, form: Form, account: GatewayAccount | None) -> str:
    """The same; a second click finds the first account."""
    if account is not None:
        return "The sandbox is connected."
    try:
        organizations.connect_sandbox(ctx.organization, by=ctx.actor, now=ctx.now)
    except BillingError as error:
        form.add_error(error)
    except GatewayError:
        form.add_error(GatewayUnavailable("The sandbox does not answer. Start it, then try again."))
    else:
        return "The sandbox is connected. Now switch online payments on."
    return ""


def _set_expiry(ctx: MemberContext, form: Form, _: GatewayAccount | None) -> str:
    """The same."""
    days = form.integer("request_expires_days") if form.text("request_expires_days") else None
    if form.errors:
        return ""
    try:
        organizations.set_default_request_expiry(ctx.organization, days=days, by=ctx.actor, now=ctx.now)
    except BillingError as error:
        form.add_error(error)
        return ""
    if days is None:
        return "New payment links can be paid until they are paid or canceled."
    return f"New payment links can be paid for {days} day{'' if days == 1 else 's'}."


def _change_modes(ctx: MemberContext, form: Form, _: GatewayAccount | None) -> str:
    """The same; each line is a mode."""
    try:
        payment_modes.change(
            ctx.organization, modes=form.text("modes").split("\n"), by=ctx.actor, now=ctx.now
        )
    except BillingError as error:
        form.add_error(error)
        return ""
    return "The modes of payment are saved."


_ACTS: dict[str, Callable[[MemberContext, Form, GatewayAccount | None], str]] = {
    "switch": _switch,
    "connect": _connect,
    "expiry": _set_expiry,
    "modes": _change_modes,
}
