"""Measures what the parts of Partway that are used most take, on PostgreSQL and over real HTTP, beside a floor.

    make bench                                  100,000 invoices
    make bench ARGS="--invoices 10000"          another number
    make bench ARGS="--save"                    also writes bench/history/<commit>.json

Seeds a database, starts PostgreSQL, two web processes, the sandbox and the server of the floor, and prints the CPU of
each act, of web and database together, at one client and at eight. The ratio to the floor of the same run is what can
be compared between machines.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import time
from dataclasses import asdict, dataclass
from functools import partial, reduce
from operator import add
from pathlib import Path

from bench.clients import Measured, Request, measure
from bench.installation import Installation, installation
from bench.processes import cpu_seconds

_MOST_CPU_SECONDS = 15  # of the worker
HISTORY = Path(__file__).parent / "history"


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    clients: int
    measured: Measured


def main() -> None:
    """Seed, measure, print, and save where that is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--invoices", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=100, help="requests of each act and number of clients")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8])
    parser.add_argument(
        "--database-url", default="", help="of `python -m tests.postgres_plugin`; stays seeded"
    )
    parser.add_argument("--save", action="store_true", help="write the figures to bench/history")
    chosen = parser.parse_args()
    with installation(invoices=chosen.invoices, database_url=chosen.database_url) as running:
        rows = _measure(running, chosen.rounds, chosen.clients)
        from partway.billing.models import Invoice

        figures = {
            "invoices": Invoice.objects.count(),
            "started_in_seconds": round(running.web.started_in, 2),
            "started_cpu_seconds": round(running.web.started_cpu, 2),
            "floor_started_cpu_seconds": round(running.floor.started_cpu, 2),
            "memory_mib": round(running.web.memory() / 2**20),
            "floor_memory_mib": round(running.floor.memory() / 2**20),
            "mails_a_second": round(_drain_mails(running)),
        }
    _print(rows, figures)
    if chosen.save:
        _save(rows, figures)


def _measure(running: Installation, rounds: int, clients: list[int]) -> list[Row]:
    import django

    django.setup()

    from bench.acts import Acts

    acts, rows = Acts[Measured](), []
    for warm, count in [(True, many) for many in clients] + [(False, many) for many in clients]:
        each = max(24, 4 * count) if warm else rounds  # of which each thread of the server gets some
        one = [Request("GET", "/one/")] * (4 * each)
        send = partial(measure, running.web, clients=count)
        settle = [Request("GET", f"/settle/{number}/") for number in range(4 * each)]
        found = [
            ("floor: SELECT 1", measure(running.floor, one, clients=count)[0]),
            ("floor: one procedure", measure(running.floor, settle, clients=count)[0]),
            ("A payment request", send(acts.request_forms(each))[0]),
        ]
        requests = acts.open_requests()
        found.append(("B payment page", send(acts.pages(requests, 2 * each))[0]))
        parts = list(acts.pay(requests, send))
        found.append(("C payment, five requests", reduce(add, [part for _, part in parts])))
        found += [(f"  {name}", part) for name, part in parts]
        found.append(("D list of 50 invoices", send(acts.lists(each))[0]))
        rows += [] if warm else [Row(name, count, figure) for name, figure in found]
    return rows


def _drain_mails(running: Installation) -> float:
    """Returns the mails that one worker sends in a second of CPU, its own and the database's, from the queue."""
    from partway.billing.models import Mail

    queued = Mail.objects.filter(status="queued").count()
    before = cpu_seconds(running.web.postgres_pid)
    running.supervisor.start_worker()
    while left := Mail.objects.filter(status="queued").count():
        time.sleep(0.5)
        if cpu_seconds(running.supervisor.processes["worker"].pid) > _MOST_CPU_SECONDS:
            break
    worker = cpu_seconds(running.supervisor.processes["worker"].pid)
    return (queued - left) / (worker + cpu_seconds(running.web.postgres_pid) - before)


def _print(rows: list[Row], figures: dict[str, float]) -> None:
    floors = {row.clients: row.measured.cpu for row in rows if row.name.startswith("floor: SELECT")}
    load = os.getloadavg()[0]
    print(f"PostgreSQL, {figures['invoices']:,} invoices, {os.cpu_count()} cores, load {load:.0f}")
    print(f"{'':28}{'clients':>8}{'CPU ms':>9}{'web':>8}{'database':>10}{'× floor':>9}{'a second':>10}")
    for row in rows:
        measured = row.measured
        print(
            f"{row.name:28}{row.clients:8}{measured.cpu:9.2f}{measured.web:8.2f}{measured.database:10.2f}"
            f"{measured.cpu / floors[row.clients]:9.1f}{measured.per_second:10.0f}"
        )
    for name, figure in figures.items():
        print(f"{name:36}{figure:>10,}")


def _save(rows: list[Row], figures: dict[str, float]) -> None:
    git = ["git", "-C", str(HISTORY.parent)]
    commit = subprocess.check_output([*git, "rev-parse", "--short=12", "HEAD"], text=True).strip()
    HISTORY.mkdir(exist_ok=True)
    content = {**figures, "acts": [asdict(row) for row in rows]}
    (HISTORY / f"{commit}.json").write_text(json.dumps(content, indent=1) + "\n")
    print(f"written to {HISTORY / commit}.json")


if __name__ == "__main__":
    main()
