"""Reads a report of pip-audit: 0 when it covers every pin and names no vulnerability, 1 when it names one, else 2."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)
UNREACHABLE = (
    "The audit could not reach its database of vulnerabilities, or did not find every package there: nothing is known "
    "about these dependencies."
)


def main(lock: Path, report: Path) -> int:
    """Prints the result for one lock file; returns the exit status."""
    try:
        audited = json.loads(report.read_text())["dependencies"]
    except (ValueError, KeyError, OSError):  # pip-audit writes no report when it fails
        audited = []
    found = {row["name"].lower(): row["vulns"] for row in audited if "skip_reason" not in row}
    for name, vulnerabilities in sorted(found.items()):
        for each in vulnerabilities:
            print(f"{name}: {each['id']}, fixed in {', '.join(each['fix_versions']) or 'no version yet'}")
    if any(found.values()):
        return 1
    missing = {name.lower() for name in _PIN.findall(lock.read_text())} - set(found)
    if missing or not found:
        print(UNREACHABLE, file=sys.stderr)
        return 2
    print(f"{len(found)} packages, none with a known vulnerability")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
