"""Payment modes: the ways a customer can pay an organization besides online, a list that owners edit."""

from __future__ import annotations

from datetime import date, datetime

from partway.accounts.models import Organization
from partway.accounts.permissions import Permission, needs
from partway.lib import clock
from partway.lib.folding import fold

from ..errors import FieldError, Invalid, field_error
from ..events import Actor
from . import organizations

MAX_MODES, MAX_MODE_LENGTH = 20, 40
MAX_REFERENCE_LENGTH, MAX_NOTE_LENGTH = 120, 400


def unknown(organization: Organization) -> FieldError:
    """Returns the error of a mode that is not in the list, which it names."""
    return field_error("payment_mode_unknown", modes=", ".join(organization.payment_modes))


def detail_errors(
    organization: Organization, *, today: date, method: str, paid_on: date, reference: str, note: str
) -> dict[str, FieldError | str]:
    """Returns the errors in the details of an offline payment, by field; empty when there are none."""
    errors: dict[str, FieldError | str] = {}
    if method not in organization.payment_modes:
        errors["method"] = unknown(organization)
    first, _last = clock.plausible_days(today)
    if paid_on > today:
        errors["paid_on"] = field_error("paid_on_in_future", today=today)
    elif paid_on < first:
        errors["paid_on"] = field_error("date_out_of_range", first=first, last=today)
    if len(reference) > MAX_REFERENCE_LENGTH:
        errors["reference"] = field_error("too_many_characters", limit=MAX_REFERENCE_LENGTH)
    if len(note) > MAX_NOTE_LENGTH:
        errors["note"] = field_error("too_many_characters", limit=MAX_NOTE_LENGTH)
    return errors


@needs(Permission.CONFIGURE_PAYMENTS)
def change(
    organization: Organization,
    *,
    modes: list[str],
    by: Actor,
    now: datetime,
    initial: list[str] | None = None,
) -> Organization:
    """Replaces the list; payments already recorded keep their mode. Raises Invalid on `modes`.

    `initial` is the list that the form showed; another list stored since is not overwritten unseen (DESIGN D8).
    """
    modes = [" ".join(mode.split()) for mode in modes if mode.strip()]
    if not 1 <= len(modes) <= MAX_MODES:
        raise Invalid({"modes": field_error("payment_modes_count", limit=MAX_MODES)})
    too_long = next((mode for mode in modes if len(mode) > MAX_MODE_LENGTH), None)
    if too_long:
        error = field_error("payment_mode_too_long", mode=too_long[:20], limit=MAX_MODE_LENGTH)
        raise Invalid({"modes": error})
    if len({fold(mode) for mode in modes}) < len(modes):
        raise Invalid({"modes": field_error("payment_mode_twice")})
    return organizations.set_lines(
        organization, name="payment_modes", lines=modes, field="modes", initial=initial, by=by, now=now
    )
