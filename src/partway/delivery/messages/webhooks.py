"""Sentences of webhooks: what is wrong with an endpoint, and why a delivery did not arrive."""

from __future__ import annotations

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "conflict.endpoint_disabled": _("This endpoint is disabled. Enable it first."),
    "conflict.endpoint_form_used": _(
        "This form was sent already. If you did not copy the secret, make a new one for the endpoint."
    ),
    "conflict.too_many_secrets": _("Too many secrets still sign. Wait until the oldest has ended."),
    "event_type_unknown": _("“%(event_type)s” is not a type of event."),
    "event_types_required": _("Choose at least one type of event."),
    "hours_out_of_range": _("Enter at most %(limit)s hours."),
    "range_reversed": _("The end is before the beginning."),
    "range_too_large": _(
        "More than %(limit)s deliveries are in this time. Send them again in several parts."
    ),
    "stale.endpoint_deleted": _("This endpoint was deleted in the meantime."),
    "too_many_endpoints": _("An organization can have %(limit)s endpoints. Delete those that are not used."),
    "url_not_encrypted": _("Enter an address that begins with https://."),
    "url_not_public": _(
        "This address is not of the public internet. The operator of this installation can allow its network by "
        "PARTWAY_WEBHOOK_ALLOW_NETWORKS."
    ),
    "url_too_long": _("Use at most %(limit)s characters."),
    "url_unreadable": _("Enter an address like https://jobs.example.com/partway."),
}
_ATTEMPTS = {
    "": _("Delivered"),
    "address_refused": _(
        "Its name leads to no address of the public internet; the log of this installation has the address"
    ),
    "not_encrypted": _("Its address begins with http://, which is allowed inside a network only"),
    "redirect": _("It redirected to another address, which is not followed"),
    "secret_unreadable": _("Its secret was sealed under a key that this installation no longer has"),
    "status": _("It did not accept it"),
    "timeout": _("It did not respond in time"),
    "tls": _("The connection could not be encrypted: %(error)s"),
    "unknown": _("It could not be sent: %(error)s"),
    "unknown_host": _("No server has this name: %(error)s"),
    "unreachable": _("It cannot be reached: %(error)s"),
}


def attempt_message(code: str, status: int | None, error: str) -> str:
    """Returns what an attempt came to, with the words of the network as they came."""
    message = str(_ATTEMPTS[code]) % {"error": error}
    return (
        gettext("%(message)s (status %(status)s)") % {"message": message, "status": status}
        if status
        else message
    )
