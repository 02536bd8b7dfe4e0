"""The ways a customer can pay an organization besides online: its own list, which owners edit."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from partway.accounts.models import Organization

from .. import events
from ..errors import Invalid
from ..events import Actor

MAX_MODES, MAX_MODE_LENGTH = 20, 40
MAX_REFERENCE_LENGTH, MAX_NOTE_LENGTH = 120, 400


def detail_errors(
    organization: Organization, *, today: date, method: str, paid_on: date, reference: str, note: str
) -> dict[str, str]:
    """What is wrong with how an offline payment came in, by field; empty when all is right."""
    errors = {}
    if method not in organization.payment_modes:
        errors["method"] = "Choose how it was paid."
    if paid_on > today:
        errors["paid_on"] = "Choose a day that has come."
    if len(reference) > MAX_REFERENCE_LENGTH:
        errors["reference"] = f"Use at most {MAX_REFERENCE_LENGTH} characters."
    if len(note) > MAX_NOTE_LENGTH:
        errors["note"] = f"Use at most {MAX_NOTE_LENGTH} characters."
    return errors


@transaction.atomic
def change(organization: Organization, *, modes: list[str], by: Actor, now: datetime) -> Organization:
    """Replace the list; payments already recorded keep the mode they were recorded with. Raises Invalid on `modes`."""
    modes = [" ".join(mode.split()) for mode in modes if mode.strip()]
    message = _wrong(modes)
    if message:
        raise Invalid({"modes": message})
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
    too_long = next((mode for mode in modes if len(mode) > MAX_MODE_LENGTH), None)
    if too_long:
        return f"“{too_long[:20]}…” is too long: use at most {MAX_MODE_LENGTH} characters."
    if len({mode.casefold() for mode in modes}) < len(modes):
        return "The same mode stands there twice."
    return ""
