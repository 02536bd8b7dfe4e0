"""The ways a customer can pay an organization besides online: its own list, which owners edit."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from partway.accounts.models import Organization

from .. import events
from ..errors import Invalid
from ..events import Actor

MAX_MODES, MAX_MODE = 20, 40
MAX_REFERENCE, MAX_REMARKS = 120, 400


def wrong_details(
    organization: Organization, *, today: date, method: str, paid_on: date, reference: str, remarks: str
) -> dict[str, str]:
    """What is wrong with how an offline payment came in, by field; empty when all is right."""
    wrong = {}
    if method not in organization.payment_modes:
        wrong["method"] = "Choose how it was paid."
    if paid_on > today:
        wrong["paid_on"] = "Choose a day that has come."
    if len(reference) > MAX_REFERENCE:
        wrong["reference"] = f"Use at most {MAX_REFERENCE} characters."
    if len(remarks) > MAX_REMARKS:
        wrong["remarks"] = f"Use at most {MAX_REMARKS} characters."
    return wrong


@transaction.atomic
def change(organization: Organization, *, modes: list[str], by: Actor, now: datetime) -> Organization:
    """Replace the list; payments already recorded keep the mode they were recorded with. Raises Invalid on `modes`."""
    modes = [" ".join(mode.split()) for mode in modes if mode.strip()]
    words = _wrong(modes)
    if words:
        raise Invalid({"modes": words})
    before = organization.payment_modes
    organization.payment_modes = modes
    organization.save(update_fields=["payment_modes"])
    if modes != before:
        data = {"before": {"payment_modes": ", ".join(before)}, "after": {"payment_modes": ", ".join(modes)}}
        events.record("organization.changed", organization, by=by, now=now, data=data)
    return organization


def _wrong(modes: list[str]) -> str:
    if not 1 <= len(modes) <= MAX_MODES:
        return f"Write between one and {MAX_MODES} modes, each on a line of its own."
    too_long = next((mode for mode in modes if len(mode) > MAX_MODE), None)
    if too_long:
        return f"“{too_long[:20]}…” is too long: use at most {MAX_MODE} characters."
    if len({mode.casefold() for mode in modes}) < len(modes):
        return "The same mode stands there twice."
    return ""
