"""Finds and starts the browser for the journeys and the pictures of the documentation."""

from __future__ import annotations

import os
import shutil
from typing import Any

from playwright.sync_api import Browser, Playwright

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
# Runs as root in CI, and makes no requests of its own.
QUIETLY = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]

# Options of a context. The pages' own rules for readers who want no movement save a third of the time of opening a
# dialog, which the browser would draw again sixty times a second.
WITHOUT_MOVEMENT: Any = {"reduced_motion": "reduce"}


def chromium() -> str:
    """Returns the path of a Chromium; fails with instructions when there is none."""
    found = os.environ.get("PARTWAY_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    assert found, "no Chromium: set PARTWAY_CHROMIUM, or run make test, which installs one"
    return found


def launch(playwright: Playwright) -> Browser:
    """Starts a headless browser."""
    return playwright.chromium.launch(executable_path=chromium(), args=QUIETLY)
