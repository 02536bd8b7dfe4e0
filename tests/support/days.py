"""The present moment from which tests count days back, each of them a day where the organization is."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from partway.lib.clock import now

DAY = timedelta(days=1)
# In the zone of the organization, in which a day back is the same hour there, also across the change to winter time.
NOW = now().astimezone(ZoneInfo("America/New_York"))
