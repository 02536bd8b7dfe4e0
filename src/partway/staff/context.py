"""The context of a staff view: the request, the member and the time; and the responses that a view returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from math import ceil
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse

from partway.accounts.models import Member, Organization
from partway.accounts.permissions import Permission, permissions_of
from partway.accounts.prepared import Prepared, PreparedValues
from partway.billing.events import Actor, member_actor
from partway.billing.models import Alert, Payment
from partway.lib import clock
from partway.lib.natural_sort import sort_key

MAX_ALERT_COUNT = 1_000  # of those on every page, which count no further
_open_alerts = PreparedValues(
    lambda organization: Alert.objects.filter(
        organization=organization, resolved_at__isnull=True
    ).values_list("pk")[:MAX_ALERT_COUNT]
)
_other_organizations = Prepared(
    lambda user, organization: Organization.objects.filter(members__user=user).exclude(pk=organization)
)


@dataclass(frozen=True, slots=True)
class MemberContext:
    """One request by one member of one organization."""

    request: HttpRequest
    member: Member
    now: datetime
    is_background: bool = False  # a script of an open page asks, without an act of the member

    @property
    def organization(self) -> Organization:
        """The organization of the member."""
        return self.member.organization

    @property
    def actor(self) -> Actor:
        """The member as the actor of events."""
        return member_actor(self.member)

    @property
    def today(self) -> date:
        """The calendar day in the organization's time zone."""
        return clock.today(self.now, self.organization.time_zone)

    @property
    def is_post(self) -> bool:
        """Whether the request acts, and does not only read."""
        return self.request.method == "POST"

    @property
    def post_data(self) -> QueryDict | None:
        """The fields of the form that was sent, for a form's `data`; None on GET."""
        return self.request.POST if self.is_post else None

    @property
    def opened_on(self) -> str:
        """The kind of page on which the member began this act, as its address and then its form say; mostly empty."""
        return (self.post_data or self.request.GET).get("opened_on", "")

    @property
    def in_dialog(self) -> bool:
        """Whether the page is loaded into the dialog of another page."""
        return self.request.headers.get("HX-Target") == "dialog-content"

    @property
    def section(self) -> str:
        """The entry of the navigation that this page belongs to, derived from the package of its view."""
        match = self.request.resolver_match
        module = match.func.__module__.removeprefix("partway.staff.") if match else ""
        package, _, page = module.partition(".")
        if package == "payments" and page not in ("index", "detail"):
            return "invoices"  # the acts of an invoice, some of which its payments have too
        return page if package == "overview" else package

    @property
    def permissions(self) -> frozenset[Permission]:
        """The member's permissions; a template asks `{% if "void_invoices" in ctx.permissions %}`."""
        return permissions_of(self.member.role)

    @property
    def open_alert_count(self) -> int:
        """The number of open alerts, at most MAX_ALERT_COUNT."""
        return len(_open_alerts.all(self.organization.pk))

    @property
    def other_organizations(self) -> list[Organization]:
        """The other organizations of the member, sorted by name."""
        mine = _other_organizations.all(self.member.user_id, self.organization.pk)
        return sorted(mine, key=lambda one: (sort_key(one.name), one.pk))

    @property
    def stores_mail_as_files(self) -> bool:
        """Whether mails are stored as files, to be read in the inbox."""
        return bool(settings.PARTWAY_MAIL_TO_FILES)

    def url(self, name: str, *ids: str) -> str:
        """Returns the path of a page of this organization."""
        return reverse(f"staff:{name}", args=[self.organization.slug, *ids])

    def back_from(self, payment: Payment) -> str:
        """Returns the path of the page on which an act on a payment began: its own, or that of its document."""
        if self.opened_on == "payment":
            return self.url("payment", payment.pk)
        return self.url(payment.document.kind, payment.document.pk)

    def render(
        self, template: str, context: Mapping[str, Any] | None = None, status: int = 200
    ) -> HttpResponse:
        """Renders a page; without its frame when it is loaded into a dialog."""
        frame = "staff/dialog.html" if self.in_dialog else "staff/dialog_as_page.html"
        shared = {
            "ctx": self,
            "organization": self.organization,
            "time_zone": self.organization.time_zone,
            "today": self.today,
            "frame": frame,
            "page_frame": "staff/live.html" if self.is_background else "staff/page.html",
        }
        response = render(self.request, template, {**shared, **(context or {})}, status=status)
        retry_after = getattr((context or {}).get("form"), "retry_after", None)
        if retry_after is not None:
            response.headers["Retry-After"] = str(ceil(retry_after.total_seconds()))
        return response

    def redirect(self, url: str, *, notice: str = "") -> HttpResponse:
        """Redirects after an act, with a notice for the next page; a dialog redirects its whole page."""
        if notice:
            messages.success(self.request, notice)
        if not self.in_dialog:
            return redirect(url)
        return HttpResponse(headers={"HX-Redirect": url})
