"""What a view knows when it runs: the request, the member and when it happens; and the ways it can answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from partway.accounts.models import Member, Organization, Role
from partway.billing.events import Actor, member_actor
from partway.billing.models import Alert
from partway.lib import clock


@dataclass(frozen=True, slots=True)
class MemberContext:
    """One request by one member of one organization."""

    request: HttpRequest
    member: Member
    now: datetime

    @property
    def organization(self) -> Organization:
        """Where the member is."""
        return self.member.organization

    @property
    def actor(self) -> Actor:
        """The member, as the cause of a change."""
        return member_actor(self.member)

    @property
    def today(self) -> date:
        """The calendar day where the organization is."""
        return clock.today(self.now, self.organization.time_zone)

    @property
    def is_post(self) -> bool:
        """Whether something shall be done, not only shown."""
        return self.request.method == "POST"

    @property
    def in_dialog(self) -> bool:
        """Whether the page is being opened inside another one."""
        return self.request.headers.get("HX-Target") == "dialog-content"

    @property
    def section(self) -> str:
        """The entry of the navigation that this page belongs to, by the package of its view."""
        match = self.request.resolver_match
        module = match.func.__module__.removeprefix("partway.staff.") if match else ""
        package, _, page = module.partition(".")
        if package == "payments":
            return "invoices"
        return page if package == "overview" else package

    @property
    def may_collect(self) -> bool:
        """Whether the member may write, send and ask."""
        return self.member.has_role(Role.COLLECTOR)

    @property
    def is_owner(self) -> bool:
        """Whether the member may configure and void."""
        return self.member.has_role(Role.OWNER)

    @property
    def open_alert_count(self) -> int:
        """How many things wait for a human."""
        return Alert.objects.for_organization(self.organization).filter(resolved_at__isnull=True).count()

    @property
    def other_organizations(self) -> QuerySet[Organization]:
        """Where else the member is one."""
        mine = Organization.objects.filter(members__user=self.member.user)
        return mine.exclude(pk=self.organization.pk).order_by("name")

    @property
    def stores_mail_as_files(self) -> bool:
        """Whether messages are kept as files, to be read in the inbox."""
        return bool(settings.PARTWAY_MAIL_TO_FILES)

    def url(self, name: str, *ids: str) -> str:
        """The address of a page of this organization."""
        return reverse(f"staff:{name}", args=[self.organization.slug, *ids])

    def render(
        self, template: str, context: Mapping[str, Any] | None = None, status: int = 200
    ) -> HttpResponse:
        """The page, or the same page without its frame when a dialog asked for it."""
        frame = "staff/dialog.html" if self.in_dialog else "staff/dialog_as_page.html"
        shared = {
            "ctx": self,
            "organization": self.organization,
            "time_zone": self.organization.time_zone,
            "today": self.today,
            "frame": frame,
        }
        return render(self.request, template, {**shared, **(context or {})}, status=status)

    def redirect(self, url: str, *, notice: str = "") -> HttpResponse:
        """On to another page after an act, which says there what was done; a dialog takes its page along."""
        if notice:
            messages.success(self.request, notice)
        if not self.in_dialog:
            return redirect(url)
        answer = HttpResponse()
        answer.headers["HX-Redirect"] = url
        return answer
