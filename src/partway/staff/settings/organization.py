"""Settings of an organization: its profile, what new invoices start with, and its logo."""

from __future__ import annotations

from django.core.files.uploadedfile import UploadedFile
from django.forms.models import model_to_dict
from django.http import Http404, HttpResponse
from django.utils.translation import gettext, gettext_lazy

from partway.accounts.logos import MAX_BYTES
from partway.billing.errors import BillingError, Invalid, field_error
from partway.billing.people import organizations
from partway.billing.people.organizations import Profile
from partway.delivery.formats import format_date, format_money
from partway.delivery.locales import locale_choices
from partway.delivery.messages import field_messages
from partway.delivery.messages.printing import SELLER_TEXTS
from partway.lib import clock
from partway.lib.money import EXPONENTS, Money

from ..context import MemberContext
from ..forms import ConcurrentEditForm, PercentField, StaffForm, WholeNumberField, text_field

_PRINTED = {**SELLER_TEXTS, "invoice_prefix": gettext_lazy("Invoice numbers begin with")}


class OrganizationForm(ConcurrentEditForm):
    """The profile, and the number of the next invoice."""

    name = text_field()
    email = text_field()
    address = text_field()
    phone = text_field()
    tax_number = text_field()
    time_zone = text_field()
    locale = text_field()
    color = text_field()
    invoice_prefix = text_field()
    next_invoice_number = WholeNumberField()
    payment_instructions = text_field()
    currency = text_field()
    default_tax_percent = PercentField()
    default_due_days = WholeNumberField()

    def clean_color(self) -> str:
        """Returns the color in the one spelling that is stored."""
        return str(self.cleaned_data["color"]).lower()

    def profile(self) -> Profile:
        """Returns the profile of a valid form."""
        return Profile(
            **{name: value for name, value in self.cleaned_data.items() if name != "next_invoice_number"}
        )


def organization(ctx: MemberContext) -> HttpResponse:
    """Changes the profile; the edits of two members are merged field by field."""
    row = ctx.organization
    form = OrganizationForm(ctx.post_data, initial=model_to_dict(row, OrganizationForm.base_fields))
    opened = form.opened_form()
    if form.is_bound and opened is not None and not opened.is_valid():
        form.errors.update(opened.errors)
    if form.is_valid():
        number = form.cleaned_data["next_invoice_number"]
        number_shown = opened.cleaned_data["next_invoice_number"] if opened else None
        try:
            organizations.change(
                row,
                profile=form.profile(),
                initial=opened.profile() if opened else None,
                next_number=None if number == number_shown else number,
                by=ctx.actor,
                now=ctx.now,
            )
        except BillingError as error:
            form.add_billing_error(error)
        else:
            return ctx.redirect(ctx.url("settings"), notice=gettext("Saved."))
    if form.is_bound:
        row.refresh_from_db()  # the frame shows the stored name, the form the typed one
        form.initial = model_to_dict(row, OrganizationForm.base_fields)
    return _page(ctx, form)


def _page(
    ctx: MemberContext, form: OrganizationForm, *, logo_error: str = "", status: int = 0
) -> HttpResponse:
    context = {
        "form": form,
        "unprintable": form.unprintable_in(_PRINTED),
        "logo_error": logo_error,
        "currencies": sorted(EXPONENTS),
        "time_zones": sorted(clock.time_zones()),
        "locales": locale_choices(ctx.organization.locale),
        "locale_sample": _locale_sample(ctx, form["locale"].value() or ctx.organization.locale),
    }
    return ctx.render("staff/settings/organization.html", context, status=status or form.status)


def locale_sample(ctx: MemberContext) -> HttpResponse:
    """An amount and a day as the chosen locale writes them, while a member looks for the right one."""
    return HttpResponse(_locale_sample(ctx, ctx.request.GET.get("locale", "")), content_type="text/plain")


def _locale_sample(ctx: MemberContext, locale: str) -> str:
    if locale not in dict(locale_choices(ctx.organization.locale)):
        return ""
    currency = ctx.organization.currency
    amount = Money(123_456 * 10 ** EXPONENTS[currency] // 100, currency)
    return f"{format_money(amount, locale)} · {format_date(ctx.today, locale)}"


def logo(ctx: MemberContext) -> HttpResponse:
    """Sets another logo, or removes it; the picture that was sent is drawn again before it is stored."""
    if not ctx.is_post:
        return ctx.redirect(ctx.url("settings"))
    if not StaffForm(ctx.post_data).is_valid():  # sent before a sign-in: the file has to be chosen again
        return ctx.redirect(ctx.url("settings"), notice=gettext("The logo is as it was: try that again."))
    if ctx.request.POST.get("operation") == "remove":
        organizations.remove_logo(ctx.organization, by=ctx.actor, now=ctx.now)
        return ctx.redirect(ctx.url("settings"), notice=gettext("The logo is removed."))
    picture = ctx.request.FILES.get("logo")
    # One byte more than is allowed: enough to see that it is too much, without reading all of it.
    content = picture.read(MAX_BYTES + 1) if isinstance(picture, UploadedFile) else b""
    try:
        if not content:
            raise Invalid({"logo": field_error("logo_required")})
        organizations.set_logo(ctx.organization, sent=content, by=ctx.actor, now=ctx.now)
    except Invalid as error:
        form = OrganizationForm(initial=model_to_dict(ctx.organization, OrganizationForm.base_fields))
        return _page(ctx, form, logo_error=field_messages(error)["logo"], status=error.status)
    return ctx.redirect(ctx.url("settings"), notice=gettext("The logo is saved."))


def logo_image(ctx: MemberContext) -> HttpResponse:
    """The logo, always as the PNG that was drawn here."""
    found = ctx.organization.logo
    if found is None:
        raise Http404
    csp = "default-src 'none'; sandbox"
    return HttpResponse(
        bytes(found.content), content_type="image/png", headers={"Content-Security-Policy": csp}
    )
