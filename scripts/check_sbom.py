"""Fails unless a CycloneDX list has every package of a lock file in its version and with its hashes."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s\\;]+)", re.MULTILINE)


def main(lock: Path, listed: Path) -> int:
    """Compares both; returns the exit status."""
    pinned = {(name.lower(), version) for name, version in _PIN.findall(lock.read_text())}
    components = json.loads(listed.read_text())["components"]
    hashed = {
        (component["name"].lower(), component["version"])
        for component in components
        if any(reference.get("hashes") for reference in component.get("externalReferences", ()))
    }
    if not pinned or hashed != pinned:
        print(f"{listed} is not what {lock} pins: {sorted(hashed ^ pinned)}", file=sys.stderr)
        return 1
    print(f"{listed}: {len(hashed)} packages with their hashes, CycloneDX")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
