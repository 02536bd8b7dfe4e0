"""The secret key of an installation that sets none: a file beside the data, created once."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path


def secret_key(home: Path) -> str:
    """Returns the key stored under `home`; creates it on first use, readable by this user only."""
    path = home / "secret.key"
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)  # SQLite and stored mails are here too
    handle, draft = tempfile.mkstemp(prefix=".secret.key.", dir=path.parent)  # readable by this user only
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(48) + "\n")
    try:
        os.link(draft, path)  # atomic: the first process wins, and none reads half a key
    except FileExistsError:
        pass
    finally:
        Path(draft).unlink()
    return path.read_text().strip()
