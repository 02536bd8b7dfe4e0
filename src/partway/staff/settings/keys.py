"""Keys by which programs act for the organization: list, create and revoke; a secret is shown once."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from partway.accounts.models import KeyScope
from partway.billing.errors import BillingError
from partway.billing.people import api_keys
from partway.billing.people.api_keys import NewKey
from partway.lib import clock

from ..confirm import RepeatableActForm, confirm
from ..context import MemberContext
from ..forms import DayField, StaffForm, strip_nul, text_field

SCOPES = [
    (KeyScope.READ, _("sees everything, changes nothing")),
    (KeyScope.COLLECT, _("writes and sends invoices, requests payments")),
    (KeyScope.ADMIN, _("does all that an owner does with invoices and payments")),
]


class KeyForm(RepeatableActForm):
    """The name of a new key, what it may do, until when, and from where."""

    name = text_field()
    scope = text_field()
    expires_on = DayField(required=False)
    networks = text_field()

    def new_key(self, time_zone: str) -> NewKey:
        """Returns the key; it works to the end of its last day in `time_zone`."""
        typed, last_day = self.cleaned_data, self.cleaned_data["expires_on"]
        return NewKey(
            name=typed["name"],
            scope=typed["scope"],
            expires_at=clock.end_of_day(last_day, time_zone) if last_day else None,
            networks=tuple(typed["networks"].replace(",", " ").split()),
        )


def index(ctx: MemberContext) -> HttpResponse:
    """Keys that work, the newest first, then those that do not any more."""
    found = ctx.organization.api_keys.order_by("-created_at", "-pk")
    keys = sorted(((key, key.is_usable(ctx.now)) for key in found), key=lambda row: not row[1])
    context = {"keys": keys, "base_url": f"{settings.PARTWAY_URL}/api/v1"}
    return ctx.render("staff/keys/index.html", context)


def new(ctx: MemberContext) -> HttpResponse:
    """Creates a key, and shows its secret this one time."""
    form = KeyForm(ctx.post_data, initial={"scope": KeyScope.COLLECT.value})
    if form.is_valid():
        key = form.content_key(ctx.request.path)
        new_key = form.new_key(ctx.organization.time_zone)
        try:
            made, secret = api_keys.create(
                ctx.organization, new_key=new_key, by=ctx.actor, now=ctx.now, idempotency_key=key
            )
        except BillingError as error:
            form.add_billing_error(error)
        else:
            return ctx.render("staff/keys/created.html", {"key": made, "secret": secret})
    scopes = [(scope.value, scope.label) for scope, _description in SCOPES]
    descriptions = [(scope.label, description) for scope, description in SCOPES]
    context = {"form": form, "scopes": scopes, "scope_descriptions": descriptions}
    return ctx.render("staff/keys/new.html", context, status=form.status)


def revoke(ctx: MemberContext, key_id: str) -> HttpResponse:
    """Asks before a key ends; the next call with it is refused."""
    key = ctx.organization.api_keys.select_related("organization").filter(pk=strip_nul(key_id)).first()
    if key is None:
        raise Http404

    def act(_form: StaffForm) -> HttpResponse:
        api_keys.revoke(key, by=ctx.actor, now=ctx.now)
        return ctx.redirect(
            ctx.url("keys"), notice=gettext("The key “%(name)s” is revoked.") % {"name": key.name}
        )

    return confirm(
        ctx,
        key,
        "staff/keys/revoke.html",
        form=StaffForm(ctx.post_data),
        act=act,
        back=ctx.url("keys"),
    )
