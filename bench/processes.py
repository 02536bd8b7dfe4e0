"""CPU and memory of process trees, from /proc: with all children, and with the threads that have ended."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Returns the seconds of CPU that a process and its descendants have used so far, to ten milliseconds each."""
    return sum(map(_own_cpu, tree(pid)))


def pss_bytes(pid: int) -> int:
    """Returns the memory of a process and its descendants; a page that several share counts in parts."""
    return sum(map(_own_pss, tree(pid)))


def tree(pid: int) -> Iterator[int]:
    """Yields a process and its descendants."""
    yield pid
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in thread.read_text().split():
            yield from tree(int(child))


def _own_cpu(pid: int) -> float:
    # After the name, which may contain anything: user and system time, of the process and of children that ended.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICK


def _own_pss(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
