"""What owners configure: the organization itself, its logo, and how customers can pay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from zoneinfo import available_timezones

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse

from partway.accounts.logos import MOST_BYTES
from partway.accounts.models import GatewayAccount, Logo, Organization
from partway.billing.errors import BillingError, GatewayDown, Invalid
from partway.billing.people import organizations, payment_modes
from partway.billing.people.organizations import Profile
from partway.delivery.templatetags.partway import quantity
from partway.gateways.protocol import GatewayError
from partway.lib.money import EXPONENTS

from ..context import Visit
from ..forms import Form

_NUMBERS = {"default_tax_percent", "default_due_days"}
_TEXTS = tuple(field.name for field in fields(Profile) if field.name not in _NUMBERS)


def organization(visit: Visit) -> HttpResponse:
    """Name, sender address, how documents look and what new invoices start with."""
    row = visit.organization
    form = Form.typed(visit.request.POST) if visit.posted else _stored(row)
    if visit.posted:
        try:
            profile, number = _read(form)
            seen, number_seen = _read(shown) if (shown := form.shown()) else (None, None)
            organizations.change(
                row,
                profile=profile,
                seen=seen,
                next_number=None if number == number_seen else number,
                by=visit.actor,
                now=visit.now,
            )
        except BillingError as error:
            form.refuse(error)
            row.refresh_from_db()  # the frame shows the stored name, the form the typed one
        else:
            return visit.go(visit.url("settings"), said="Saved.")
    return _page(visit, form)


def _page(visit: Visit, form: Form, logo_error: str = "") -> HttpResponse:
    context = {
        "form": form,
        "seen": form.seen(_stored(visit.organization).values),
        "logo": Logo.objects.filter(organization=visit.organization).only("updated_at").first(),
        "logo_error": logo_error,
        "currencies": sorted(EXPONENTS),
        "time_zones": sorted(available_timezones()),
    }
    return visit.render("staff/settings/organization.html", context, status=form.status)


def _stored(row: Organization) -> Form:
    values = {name: getattr(row, name) for name in _TEXTS}
    values["default_tax_percent"] = quantity(row.default_tax_percent)
    values["default_due_days"] = str(row.default_due_days)
    values["next_invoice_number"] = str(row.next_invoice_number)
    return Form(values)


def _read(form: Form) -> tuple[Profile, int]:
    """The profile and the next invoice number; raises Invalid where a number is none."""
    percent = form.decimal("default_tax_percent")
    days = form.whole("default_due_days")
    number = form.whole("next_invoice_number")
    if percent is None or days is None or number is None:
        raise Invalid(dict(form.errors))
    texts = {name: form.text(name) for name in _TEXTS}
    texts["color"] = texts["color"].lower()
    return Profile(**texts, default_tax_percent=percent, default_due_days=days), number


def logo(visit: Visit) -> HttpResponse:
    """Show another logo, or none; what is sent is drawn anew before it is kept."""
    form = _stored(visit.organization)
    sent = visit.request.FILES.get("logo")
    if not visit.posted:
        return visit.go(visit.url("settings"))
    try:
        said = _change_logo(visit, sent if isinstance(sent, UploadedFile) else None)
    except Invalid as error:
        form.status = error.status
        return _page(visit, form, logo_error=error.fields["logo"])
    return visit.go(visit.url("settings"), said=said)


def _change_logo(visit: Visit, sent: UploadedFile[bytes] | None) -> str:
    """What was done, in words."""
    if visit.request.POST.get("act") == "remove":
        organizations.remove_logo(visit.organization, by=visit.actor, now=visit.now)
        return "The logo is removed."
    # One byte more than may be: enough to tell that it is too much, without reading all of it.
    content = sent.read(MOST_BYTES + 1) if sent else b""
    if not content:
        raise Invalid({"logo": "Choose a picture first."})
    organizations.show_logo(visit.organization, sent=content, by=visit.actor, now=visit.now)
    return "The logo is saved."


def logo_picture(visit: Visit) -> HttpResponse:
    """The logo itself, always as the PNG we drew."""
    found = Logo.objects.filter(organization=visit.organization).first()
    if found is None:
        raise Http404
    answer = HttpResponse(bytes(found.content), content_type="image/png")
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


def payments(visit: Visit) -> HttpResponse:
    """Connect a payment service, switch online payments, say how long links can be paid, and list the other modes."""
    form = Form.typed(visit.request.POST)
    account = organizations.connected_account(visit.organization)
    if visit.posted:
        act = _ACTS.get(form.text("act"), _refuse)
        said = act(visit, form, account)
        if said:
            return visit.go(visit.url("payments_settings"), said=said)
    # Another form of the page may have been sent: then the others show what is stored.
    form.values.setdefault("request_expires_days", str(visit.organization.request_expires_days or ""))
    form.values.setdefault("modes", "\n".join(visit.organization.payment_modes))
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


def _refuse(_: Visit, form: Form, __: GatewayAccount | None) -> str:
    """Not one of the forms of this page."""
    form.refusal, form.status = "This page has no such form. Open it again.", 422
    return ""


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


def _set_expiry(visit: Visit, form: Form, _: GatewayAccount | None) -> str:
    """The same."""
    days = form.whole("request_expires_days") if form.text("request_expires_days") else None
    if form.errors:
        return ""
    try:
        organizations.change_request_expiry(visit.organization, days=days, by=visit.actor, now=visit.now)
    except BillingError as error:
        form.refuse(error)
        return ""
    if days is None:
        return "New payment links can be paid until they are paid or canceled."
    return f"New payment links can be paid for {days} day{'' if days == 1 else 's'}."


def _change_modes(visit: Visit, form: Form, _: GatewayAccount | None) -> str:
    """The same; each line is a mode."""
    try:
        payment_modes.change(
            visit.organization, modes=form.text("modes").split("\n"), by=visit.actor, now=visit.now
        )
    except BillingError as error:
        form.refuse(error)
        return ""
    return "The modes of payment are saved."


_ACTS: dict[str, Callable[[Visit, Form, GatewayAccount | None], str]] = {
    "switch": _switch,
    "connect": _connect,
    "expiry": _set_expiry,
    "modes": _change_modes,
}
