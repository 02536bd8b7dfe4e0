"""Partway's own settings, with the app that lets a test kill its processes."""

from partway.config.settings import *  # noqa: F403 - all of them, whatever they are
from partway.config.settings import INSTALLED_APPS, MIDDLEWARE

INSTALLED_APPS = [*INSTALLED_APPS, "tests.support.crash_app.apps.CrashApp"]
MIDDLEWARE = ["tests.support.crash_app.act_tracking.track_requests", *MIDDLEWARE]

# One member signs in for scene after scene, faster than any person would.
ACCOUNT_RATE_LIMITS = False
