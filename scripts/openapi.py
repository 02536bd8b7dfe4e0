"""Writes the OpenAPI document of the API, which the tests compare with the code.

    .venv/bin/python scripts/openapi.py

PARTWAY_SECRET_KEY and PARTWAY_HOME may be anything.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import django

FILE = Path(__file__).parents[1] / "docs" / "reference" / "openapi.json"


def document() -> str:
    """Returns the document as text."""
    from partway.api.v1 import api

    return json.dumps(api.get_openapi_schema(path_prefix="/api/v1/"), indent=1) + "\n"


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "partway.config.settings")
    django.setup()
    FILE.write_text(document())
