"""What every test shares; the database and the home of a run come from tests/postgres_plugin.py."""

from __future__ import annotations

import os

from hypothesis import settings

# A busy machine is no defect, so examples have no deadline; CI tries the same ones every time, so that what
# it finds can be found again.
settings.register_profile("partway", deadline=None, derandomize=os.environ.get("CI") == "true")
settings.load_profile("partway")
