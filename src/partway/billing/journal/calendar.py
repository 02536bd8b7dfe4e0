"""The day on which a fact is booked: the day it happened, or the first open one after a closed period (0054)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from partway.accounts.models import Organization
from partway.lib import clock

from ..models import Closing

# An act takes its time before it waits for a lock, and commits after that; the clocks of two machines differ. What was
# recorded less than this before a closing counts as before it only where the closing names it, as it saw it.
IN_FLIGHT = timedelta(minutes=5)

# Time zones differ by at most 26 hours.
ZONE_SLACK = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The closings of an organization, oldest first, and its present time zone.

    A fact that was recorded before a closing has the days of the time zone of that closing, so that a later change of
    the time zone moves nothing that was closed.
    """

    time_zone: str
    closings: tuple[Closing, ...]

    @classmethod
    def of(cls, organization: Organization) -> Calendar:
        """Reads the closings."""
        rows = Closing.objects.for_organization(organization).order_by("created_at", "id")
        return cls(organization.time_zone, tuple(rows))

    def day(self, at: datetime) -> date:
        """Returns the day of this moment, where the organization was when it was recorded (DESIGN D7)."""
        zone = next((one.time_zone for one in self.closings if at < one.created_at), self.time_zone)
        return clock.today(at, zone)

    def booking_day(self, happened_on: date, at: datetime, fact: str) -> date:
        """Returns the day on which a fact is booked that happened on this day and was recorded at this moment."""
        through = None
        for one in self.closings:
            is_seen = one.is_reopening or at < one.created_at - IN_FLIGHT or fact in one.included
            if at < one.created_at and is_seen:
                break
            through = one.through
        return happened_on if through is None else max(happened_on, through + timedelta(days=1))

    def closed_through(self) -> date | None:
        """Returns the last day that is closed now; None before the first closing."""
        return self.closings[-1].through if self.closings else None
