"""Measures `partway verify` on a large installation, beside reading each of its tables once.

    PYTHONPATH=. python bench/verify.py [--database sqlite|postgresql] [--invoices 500000]

Seeds a throw-away database, then runs `partway verify` on it as an operator would. Printed are rows, seconds by the
clock and of CPU (on PostgreSQL with those of the server), and the most memory that the command held. The ratio to one
plain scan of the same tables, in the same run, is what can be compared between machines. `make million` runs both.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import django
from django.apps import apps
from django.db import connection

from tests.postgres_plugin import running_server


def main() -> None:
    """Seed, scan, verify."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--invoices", type=int, default=500_000)
    chosen = parser.parse_args()
    with _installation(chosen.database) as server:
        print(f"{chosen.database}, {os.getloadavg()[0]:.0f} processes on {os.cpu_count()} cores", flush=True)
        _run(server, "migrate", "--verbosity", "0")
        _tell("seed", _run(server, "seed", "--invoices", str(chosen.invoices)))
        django.setup()
        _settle()
        rows = _count()
        scan = _scan(server)
        verify = _run(server, "verify")
        _tell("one scan of each table", scan)
        _tell("verify", verify)
        print(
            f"{rows:,} rows; verify is {verify.cpu / scan.cpu:.0f} scans, {1e6 * verify.cpu / rows:.0f} µs a row"
        )


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds by the clock, seconds of CPU, and the most bytes of memory."""

    clock: float
    cpu: float
    memory: int


def _tell(what: str, spent: Spent) -> None:
    print(
        f"{what:24} {spent.clock:7.1f} s  CPU {spent.cpu:7.1f} s  {spent.memory / 2**20:6.0f} MiB", flush=True
    )


@contextmanager
def _installation(database: str) -> Iterator[Path | None]:
    """A home of its own, and for PostgreSQL a server; answers the folder of the server."""
    with tempfile.TemporaryDirectory(prefix="partway-million-") as home:
        os.environ |= {"PARTWAY_HOME": home, "PARTWAY_LOG_LEVEL": "error", "PARTWAY_FAST_PASSWORD_HASH": "1"}
        os.environ["DJANGO_SETTINGS_MODULE"] = "partway.config.settings"
        os.environ.pop("DATABASE_URL", None)
        if database == "sqlite":
            yield None
            return
        with running_server() as url:
            os.environ["DATABASE_URL"] = url
            yield Path(url.partition("@/")[2]).parent


def _run(server: Path | None, *words: str) -> Spent:
    """A command of Partway, as an operator calls it; the server's work for it counts too."""
    began, before = time.perf_counter(), _server_cpu(server)
    running = subprocess.Popen([sys.executable, "-m", "partway", *words])
    memory, ended = 0, 0
    while not ended:
        memory = max(memory, _most_held(running.pid))
        time.sleep(0.1)
        ended, status, used = os.wait4(running.pid, os.WNOHANG)
    running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode:
        sys.exit(f"partway {words[0]} ended with {running.returncode}")
    clock, cpu = time.perf_counter() - began, used.ru_utime + used.ru_stime
    return Spent(clock, cpu + _server_cpu(server) - before, memory)


def _most_held(pid: int) -> int:
    """The most bytes of memory that a process has held so far; what the kernel tells at its end counts its parent's."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


def _server_cpu(server: Path | None) -> float:
    """Seconds that the server's backends have used; each is counted when its connection is closed."""
    if server is None:
        return 0
    time.sleep(1)  # a backend ends a little later than its client
    postmaster = (server / "data/postmaster.pid").read_text().split()[0]
    fields = Path(f"/proc/{postmaster}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def _settle() -> None:
    """As autovacuum has done on a database that has run for a day."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    connection.close()


def _count() -> int:
    """How many rows there are, table by table."""
    rows = 0
    for model in apps.get_app_config("billing").get_models():
        many = model._default_manager.count()
        print(f"    {many:>12,}  {model._meta.db_table}")
        rows += many
    connection.close()
    return rows


def _scan(server: Path | None) -> Spent:
    """Each table read once, from its first page to its last, by one process."""
    began, before = time.perf_counter(), time.process_time() + _server_cpu(server)
    with connection.cursor() as cursor:
        if server is not None:
            cursor.execute("SET max_parallel_workers_per_gather = 0")
            cursor.execute("SET enable_indexonlyscan = off")
        for model in apps.get_app_config("billing").get_models():
            plainly = "" if server else "NOT INDEXED"
            cursor.execute(f"SELECT count(*) FROM {model._meta.db_table} {plainly}")
    clock = time.perf_counter() - began
    connection.close()
    return Spent(clock, time.process_time() + _server_cpu(server) - before, 0)


if __name__ == "__main__":
    main()
