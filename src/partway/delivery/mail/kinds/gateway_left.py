"""The mail that an account has left the operator's platform, and payments are off. To each owner."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from partway.accounts.models import GatewayAccount
from partway.accounts.permissions import Permission
from partway.billing.models import Mail

from ...messages.gateways import gateway_params
from ..content import Content, required

read_permission = Permission.VIEW_STORED_MAIL


def is_valid(mail: Mail, *, now: datetime) -> bool:
    """Returns False once an account is connected again."""
    return not GatewayAccount.objects.filter(organization=mail.organization_id, is_current=True).exists()


def content(mail: Mail) -> Content:
    """The payment service, what its disconnection means, and the page to connect one again."""
    organization = required(mail.organization)
    params = gateway_params(mail.data["gateway"])
    subject = _("%(organization)s takes no online payments: %(gateway)s was disconnected")
    return Content(
        subject=subject % {"organization": organization.name, **params},
        context={
            "organization": organization,
            "gateway_at_start": params["gateway_at_start"],
            "url": f"{settings.PARTWAY_URL}{reverse('staff:settings_payments', args=[organization.slug])}",
        },
    )
