"""The mail that a webhook endpoint was disabled, because it failed for days or is gone. To each owner."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from partway.accounts.permissions import Permission
from partway.billing.models import Mail, WebhookEndpoint

from ..content import Content, required

read_permission = Permission.MANAGE_WEBHOOKS


def is_valid(mail: Mail, *, now: datetime) -> bool:
    """Returns False once the endpoint is enabled again, or deleted."""
    return WebhookEndpoint.objects.filter(pk=mail.data["endpoint"], status="disabled").exists()


def content(mail: Mail) -> Content:
    """The endpoint's address, why it is disabled, and its page."""
    organization = required(mail.organization)
    path = reverse("staff:webhook", args=[organization.slug, mail.data["endpoint"]])
    return Content(
        subject=_("Webhooks to %(url)s are switched off") % {"url": mail.data["url"]},
        context={
            "organization": organization,
            "endpoint_url": mail.data["url"],
            "is_gone": mail.data["reason"] == "gone",
            "url": f"{settings.PARTWAY_URL}{path}",
        },
    )
