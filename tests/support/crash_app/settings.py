"""Partway's own settings, with the app that lets a test kill its processes."""

from partway.config.settings import *  # noqa: F403 - all of them
from partway.config.settings import INSTALLED_APPS, MIDDLEWARE

INSTALLED_APPS = [*INSTALLED_APPS, "tests.support.crash_app.apps.CrashApp"]
MIDDLEWARE = ["tests.support.crash_app.act_tracking.track_requests", *MIDDLEWARE]

# One member signs in for each scenario, faster than the limit for people allows.
ACCOUNT_RATE_LIMITS = False
