"""Connection forms: one for each gateway that an owner can connect, made of the fields of its definition."""

from __future__ import annotations

from collections.abc import Mapping

from django import forms
from django.conf import settings
from django.utils.translation import gettext

from partway.accounts.models import GatewayAccount
from partway.billing.errors import Invalid
from partway.billing.models import Payment
from partway.billing.models.payments import RECEIVED_STATUSES
from partway.billing.people import gateway_accounts, platform_accounts
from partway.delivery.messages.gateways import gateway_at_start
from partway.gateways.definition import CredentialField, GatewayDefinition
from partway.gateways.registry import GATEWAYS, available_gateways

from ..context import MemberContext
from ..forms import StaffForm


class ConnectionForm(forms.Form):
    """The credentials of one gateway account; the gateway's code prefixes the names of its inputs."""

    def __init__(
        self, code: str, data: Mapping[str, str] | None = None, refused: StaffForm | None = None
    ) -> None:
        """Is bound where `data` names this gateway as `gateway`; takes what billing found wrong from `refused`."""
        super().__init__(data if data and data.get("gateway") == code else None, prefix=code)
        self.code, self.gateway = code, GATEWAYS[code]
        self.fields = {field.name: _form_field(field) for field in self.gateway.fields}
        if self.is_bound and refused is not None:
            self.errors.update({name: refused.errors[name] for name in self.fields if name in refused.errors})

    def key_form_url(self) -> str:
        """Returns the address of the gateway's form of a key with few permissions; empty where it has none."""
        form = self.gateway.key_form_url
        return form(settings.PARTWAY_LIVE) if form else ""

    def typed(self) -> dict[str, str]:
        """Returns what was typed, by the names of the fields; billing says what is missing."""
        return {name: str(self[name].value() or "") for name in self.fields}


def connection_forms(
    data: Mapping[str, str] | None = None, refused: StaffForm | None = None
) -> list[ConnectionForm]:
    """Returns the form of each gateway that can be connected to this installation by a key of the organization."""
    codes = available_gateways(live=settings.PARTWAY_LIVE)
    by_platform = platform_accounts.platforms()
    return [ConnectionForm(code, data, refused) for code in codes if code not in by_platform]


def platform_gateways() -> list[tuple[str, GatewayDefinition]]:
    """Returns the gateways, with their codes, that are connected by the operator's platform."""
    return [(code, GATEWAYS[code]) for code in platform_accounts.platforms()]


def _form_field(field: CredentialField) -> forms.CharField:
    return forms.CharField(
        label=gettext(field.label),
        help_text=gettext(field.help)
        if field.help
        else "",  # gettext of an empty text is the catalogue's head
        widget=forms.PasswordInput if field.is_secret else forms.TextInput,
        required=False,  # billing says so, for every door
    )


def connect_account(ctx: MemberContext) -> GatewayAccount:
    """Connects the gateway whose connection form was sent, and switches online payments on where its check passes.

    Raises what `gateway_accounts.connect` raises, and Invalid for a gateway that there is not.
    """
    code = ctx.request.POST.get("gateway", "")
    if code not in GATEWAYS:
        raise Invalid({"gateway": gettext("This page has no such form. Open it again.")})
    return gateway_accounts.connect(
        ctx.organization,
        gateway=code,
        credentials=ConnectionForm(code, ctx.post_data).typed(),
        by=ctx.actor,
        now=ctx.now,
        enable_payments=True,
    )


def connected_notice(account: GatewayAccount) -> str:
    """Returns the notice after an account was connected: whether customers can pay, or something is missing."""
    notice = gettext("%(gateway)s is connected. Before customers can pay, see below what is missing.")
    if account.passes:
        notice = gettext("%(gateway)s is connected. Customers can pay online.")
    return notice % {"gateway": gateway_at_start(account.gateway)}


def earlier_accounts(ctx: MemberContext) -> list[tuple[GatewayAccount, str]]:
    """Returns the accounts before the current one that took payments, with the titles of their gateways."""
    accounts = GatewayAccount.objects.filter(
        organization=ctx.organization,
        is_current=False,
        pk__in=Payment.objects.for_organization(ctx.organization)
        .filter(status__in=RECEIVED_STATUSES)
        .values("gateway_account"),
    )
    return [
        (account, gettext(GATEWAYS[account.gateway].name)) for account in accounts.order_by("-created_at")
    ]
