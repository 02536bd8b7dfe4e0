"""A moment from which tests count days back, so that each is a day where the organization is."""

from __future__ import annotations

from datetime import timedelta

from partway.lib.clock import now

DAY = timedelta(days=1)
# About noon in New York, yesterday: so many times 24 hours before it are as many days there, also across the change to
# winter time and whatever the hour of the run, and none of it is to come.
NOW = (now() - DAY).replace(hour=17, minute=0)
