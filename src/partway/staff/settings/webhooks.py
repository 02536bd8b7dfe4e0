"""Webhooks: the endpoints that hear of events, what was delivered there, and sending it again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from partway.billing.errors import BillingError
from partway.billing.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from partway.billing.models.webhooks import DeliveryStatus
from partway.billing.people import webhook_deliveries, webhook_endpoints
from partway.billing.people.webhook_endpoints import OLD_SECRET_LIFETIME, EndpointDetails
from partway.billing.webhook_queue import EVENT_TYPES, EVERY_TYPE
from partway.delivery.messages.webhooks import attempt_message
from partway.lib import clock

from ..access import get_own_or_404
from ..confirm import RepeatableActForm, confirm
from ..context import MemberContext
from ..forms import DayField, StaffForm, query_text, text_field
from ..keyset_pages import Order, Stream, read_page, walk

_NEWEST = Order(("-created_at", "-id"), is_whole=True)
NOUNS = {
    "invoice": _("Invoices"),
    "payment_request": _("Payment requests"),
    "payment": _("Payments"),
    "refund": _("Refunds"),
    "dispute": _("Disputes"),
    "credit": _("Credit"),
    "quote": _("Quotes"),
    "customer": _("Customers"),
    "payout": _("Payouts"),
}
# What most programs want to hear, chosen already in a new form.
_USUAL_TYPES = ("invoice.paid", "payment.succeeded", "payment.recorded", "payment_request.paid")
_BOX = "on "  # begins the name of the box of a type, so that each is a field of its own


class EndpointForm(RepeatableActForm):
    """The address of an endpoint, what it is, and the types of events that are chosen by boxes."""

    url = text_field()
    description = text_field()

    def details(self) -> EndpointDetails:
        """Returns what was typed and chosen."""
        typed = self.cleaned_data
        chosen = [name.removeprefix(_BOX) for name in self.data if name.startswith(_BOX)]
        return EndpointDetails(typed["url"], chosen, typed["description"])

    @property
    def groups(self) -> list[tuple[str, bool, list[tuple[str, bool]]]]:
        """The types of each kind of object, with whether any and each of them is chosen."""
        chosen = self.data if self.is_bound else {_BOX + one for one in self.initial["event_types"]}
        boxes = {
            label: [(one, _BOX + one in chosen) for one in EVENT_TYPES if one.startswith(f"{noun}.")]
            for noun, label in NOUNS.items()
        }
        return [
            (str(label), any(is_chosen for _, is_chosen in types), types) for label, types in boxes.items()
        ]

    @property
    def has_every_type(self) -> bool:
        """Whether the box of every type is chosen."""
        return _BOX + EVERY_TYPE in (
            self.data if self.is_bound else {_BOX + one for one in self.initial["event_types"]}
        )


class RangeForm(RepeatableActForm):
    """The days whose deliveries are sent again, both included."""

    since = DayField()
    until = DayField()
    include_delivered = text_field()


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One attempt as the page of a delivery shows it."""

    attempt: WebhookAttempt
    message: str
    headers: str


def get_endpoint(ctx: MemberContext, endpoint_id: str) -> WebhookEndpoint:
    """Returns this organization's endpoint, or raises Http404."""
    return get_own_or_404(ctx, WebhookEndpoint.objects.select_related("organization"), endpoint_id)


def index(ctx: MemberContext) -> HttpResponse:
    """The endpoints, the newest first."""
    endpoints = ctx.organization.webhook_endpoints.order_by("-created_at", "-pk")
    return ctx.render("staff/webhooks/index.html", {"endpoints": endpoints})


def new(ctx: MemberContext) -> HttpResponse:
    """Creates an endpoint, and shows its secret this one time."""
    form = EndpointForm(ctx.post_data, initial={"event_types": _USUAL_TYPES})
    if form.is_valid():
        try:
            endpoint, secret = webhook_endpoints.create(
                ctx.organization,
                details=form.details(),
                by=ctx.actor,
                now=ctx.now,
                idempotency_key=form.content_key(ctx.request.path),
            )
        except BillingError as error:
            form.add_billing_error(error)
        else:
            return ctx.render("staff/webhooks/secret.html", {"endpoint": endpoint, "secret": secret})
    context = {"form": form, "back": ctx.url("webhooks"), "every_type": _BOX + EVERY_TYPE, "box": _BOX}
    return ctx.render("staff/webhooks/edit.html", context, status=form.status)


def edit(ctx: MemberContext, endpoint_id: str) -> HttpResponse:
    """Changes address, types and description."""
    endpoint = get_endpoint(ctx, endpoint_id)
    stored = {name: getattr(endpoint, name) for name in ("url", "description", "event_types")}
    form = EndpointForm(ctx.post_data, initial=stored)
    back = ctx.url("webhook", endpoint.pk)
    if form.is_valid():
        try:
            webhook_endpoints.change(endpoint, details=form.details(), by=ctx.actor, now=ctx.now)
        except BillingError as error:
            form.add_billing_error(error)
        else:
            return ctx.redirect(back, notice=gettext("The endpoint is changed."))
    context = {"form": form, "endpoint": endpoint, "back": back, "every_type": _BOX + EVERY_TYPE, "box": _BOX}
    return ctx.render("staff/webhooks/edit.html", context, status=form.status)


def show(ctx: MemberContext, endpoint_id: str) -> HttpResponse:
    """One endpoint with its deliveries, the newest first."""
    endpoint = get_endpoint(ctx, endpoint_id)
    wanted = {name: query_text(ctx.request.GET, name) for name in ("status", "type")}
    chosen = {"event_type": wanted["type"]} if wanted["type"] else {}
    if wanted["status"] in DeliveryStatus.values:
        chosen["status"] = wanted["status"]
    every = [Stream(endpoint.deliveries.all())]
    page = read_page(
        ctx.request,
        walk(every, endpoint.deliveries.filter(**chosen)) if chosen else every,
        _NEWEST,
        count=None,
        fetch=WebhookDelivery.objects.in_bulk,
    )
    context = {
        "endpoint": endpoint,
        "page": page,
        "statuses": DeliveryStatus.choices,
        "types": [*EVENT_TYPES, webhook_deliveries.TEST_EVENT],
        "has_every_type": EVERY_TYPE in endpoint.event_types,
        "secret_count": len(endpoint.signing_secrets(ctx.now)),
        **wanted,
    }
    return ctx.render("staff/webhooks/show.html", context)


def switch(ctx: MemberContext, endpoint_id: str) -> HttpResponse:
    """Asks before an endpoint is enabled or disabled."""
    endpoint = get_endpoint(ctx, endpoint_id)
    is_on = endpoint.status == "enabled"
    back = ctx.url("webhook", endpoint.pk)

    def act(_form: StaffForm) -> HttpResponse:
        webhook_endpoints.set_enabled(endpoint, on=not is_on, by=ctx.actor, now=ctx.now)
        notice = gettext("The endpoint is disabled.") if is_on else gettext("The endpoint is enabled.")
        return ctx.redirect(back, notice=notice)

    form = StaffForm(ctx.post_data)
    return confirm(ctx, endpoint, "staff/webhooks/switch.html", form=form, act=act, back=back)


def rotate(ctx: MemberContext, endpoint_id: str) -> HttpResponse:
    """Asks before a new secret is made, and shows it this one time."""
    endpoint = get_endpoint(ctx, endpoint_id)

    def act(form: RepeatableActForm) -> HttpResponse:
        key = form.cleaned_data["idempotency_key"]
        secret = webhook_endpoints.rotate_secret(endpoint, by=ctx.actor, now=ctx.now, idempotency_key=key)
        until = ctx.now + OLD_SECRET_LIFETIME
        context = {"endpoint": endpoint, "secret": secret, "old_until": until}
        return ctx.render("staff/webhooks/secret.html", context)

    form = RepeatableActForm(ctx.post_data)
    back = ctx.url("webhook", endpoint.pk)
    return confirm(ctx, endpoint, "staff/webhooks/rotate.html", form=form, act=act, back=back)


def delete(ctx: MemberContext, endpoint_id: str) -> HttpResponse:
    """Asks before an endpoint is deleted with its deliveries."""
    endpoint = get_endpoint(ctx, endpoint_id)

    def act(_form: StaffForm) -> HttpResponse:
        webhook_endpoints.delete(endpoint, by=ctx.actor, now=ctx.now)
        return ctx.redirect(ctx.url("webhooks"), notice=gettext("The endpoint is deleted."))

    form = StaffForm(ctx.post_data)
    back = ctx.url("webhook", endpoint.pk)
    return confirm(ctx, endpoint, "staff/webhooks/delete.html", form=form, act=act, back=back)


def send_test(ctx: MemberContext, endpoint_id: str) -> HttpResponse:
    """Asks before a test is sent, and leads to its delivery."""
    endpoint = get_endpoint(ctx, endpoint_id)

    def act(form: RepeatableActForm) -> HttpResponse:
        key = form.cleaned_data["idempotency_key"]
        made = webhook_deliveries.send_test(endpoint, by=ctx.actor, now=ctx.now, idempotency_key=key)
        notice = gettext("The test is on its way. Load this page again to see what came of it.")
        return ctx.redirect(ctx.url("webhook_delivery", endpoint.pk, made.pk), notice=notice)

    form = RepeatableActForm(ctx.post_data)
    back = ctx.url("webhook", endpoint.pk)
    return confirm(ctx, endpoint, "staff/webhooks/test.html", form=form, act=act, back=back)


def retry_range(ctx: MemberContext, endpoint_id: str) -> HttpResponse:
    """Sends again what failed of the events of some days, or all of it."""
    endpoint, zone = get_endpoint(ctx, endpoint_id), ctx.organization.time_zone
    back = ctx.url("webhook", endpoint.pk)

    def act(form: RangeForm) -> HttpResponse:
        typed = form.cleaned_data
        count = webhook_deliveries.retry_range(
            endpoint,
            since=clock.end_of_day(typed["since"] - timedelta(days=1), zone),
            until=clock.end_of_day(typed["until"], zone) - datetime.resolution,
            include_delivered=bool(typed["include_delivered"]),
            by=ctx.actor,
            now=ctx.now,
            idempotency_key=typed["idempotency_key"],
        )
        return ctx.redirect(
            back, notice=gettext("Deliveries that are sent again: %(count)s") % {"count": count}
        )

    initial = {"since": (ctx.today - timedelta(days=3)).isoformat(), "until": ctx.today.isoformat()}
    form = RangeForm(ctx.post_data, initial=initial)
    return confirm(ctx, endpoint, "staff/webhooks/retry_range.html", form=form, act=act, back=back)


def get_delivery(ctx: MemberContext, endpoint_id: str, delivery_id: str) -> WebhookDelivery:
    """Returns this delivery of this organization's endpoint, or raises Http404."""
    rows = WebhookDelivery.objects.filter(endpoint=get_endpoint(ctx, endpoint_id))
    return get_own_or_404(ctx, rows.select_related("endpoint__organization", "event"), delivery_id)


def delivery(ctx: MemberContext, endpoint_id: str, delivery_id: str) -> HttpResponse:
    """One delivery: its body, and each attempt with request and response, the newest first."""
    found = get_delivery(ctx, endpoint_id, delivery_id)
    attempts = [
        AttemptRow(
            one,
            attempt_message(one.error_code, one.response_status, one.error_message),
            "\n".join(f"{name}: {text}" for name, text in one.request_headers.items()),
        )
        for one in found.attempts.order_by("-number")
    ]
    context = {
        "delivery": found,
        "endpoint": found.endpoint,
        "payload": json.dumps(found.body(), indent=2, ensure_ascii=False),
        "attempts": attempts,
    }
    return ctx.render("staff/webhooks/delivery.html", context)


def retry(ctx: MemberContext, endpoint_id: str, delivery_id: str) -> HttpResponse:
    """Asks before a delivery is sent again."""
    found = get_delivery(ctx, endpoint_id, delivery_id)
    back = ctx.url("webhook_delivery", found.endpoint_id, found.pk)

    def act(form: RepeatableActForm) -> HttpResponse:
        key = form.cleaned_data["idempotency_key"]
        webhook_deliveries.retry(found, by=ctx.actor, now=ctx.now, idempotency_key=key)
        notice = gettext("It is on its way again. Load this page again to see what came of it.")
        return ctx.redirect(back, notice=notice)

    form = RepeatableActForm(ctx.post_data)
    return confirm(ctx, found, "staff/webhooks/retry.html", form=form, act=act, back=back)
