"""Finds the installation's secret key: from the environment, else from a file made once beside the data."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path


def secret_key(home: Path) -> str:
    """The key kept under `home`, made on first use; readable by this user only."""
    path = home / "secret.key"
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        _create(path)
        return path.read_text().strip()


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)  # SQLite and kept mails lie here too
    handle, draft = tempfile.mkstemp(prefix=".secret.key.", dir=path.parent)  # for this user's eyes only
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(48) + "\n")
    try:
        os.link(draft, path)  # whoever links first wins; nobody ever reads half a key
    except FileExistsError:
        pass
    finally:
        Path(draft).unlink()
