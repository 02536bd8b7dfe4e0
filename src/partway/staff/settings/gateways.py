"""Connection forms: one for each gateway that an owner can connect, made of the fields of its definition."""

from __future__ import annotations

from collections.abc import Mapping

from django import forms
from django.conf import settings
from django.utils.translation import gettext

from partway.gateways.definition import CredentialField
from partway.gateways.registry import GATEWAYS, available_gateways


class ConnectionForm(forms.Form):
    """The credentials of one gateway account; the gateway's code prefixes the names of its inputs."""

    def __init__(self, code: str, data: Mapping[str, str] | None = None) -> None:
        """Is bound where `data` names this gateway as `gateway`."""
        super().__init__(data if data and data.get("gateway") == code else None, prefix=code)
        self.code, self.gateway = code, GATEWAYS[code]
        self.fields = {field.name: _form_field(field) for field in self.gateway.fields}


def connection_forms(data: Mapping[str, str] | None = None) -> list[ConnectionForm]:
    """Returns the form of each gateway that can be connected to this installation."""
    return [ConnectionForm(code, data) for code in available_gateways(live=settings.PARTWAY_LIVE)]


def _form_field(field: CredentialField) -> forms.CharField:
    return forms.CharField(
        label=gettext(field.label),
        help_text=gettext(field.help)
        if field.help
        else "",  # gettext of an empty text is the catalogue's head
        widget=forms.PasswordInput if field.is_secret else forms.TextInput,
        error_messages={"required": gettext("Fill this in.")},
    )
