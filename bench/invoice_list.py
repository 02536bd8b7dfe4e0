"""Measures the list of invoices at 100,000 of them: CPU a page, a search, and rows a second of the CSV file.

    python bench/invoice_list.py [--invoices 100000]       a throw-away SQLite home
    DATABASE_URL=postgres://… python bench/invoice_list.py  an empty PostgreSQL, as
                                             `python -m tests.postgres_plugin` starts it

Counted is CPU time of this process and, on PostgreSQL, of the backend that serves it (so it must run on this
machine); the same requests go through all of Django by its test client. Beside it stands the same figure for a view
that asks the database only `SELECT 1`: the ratio is what can be compared between machines.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

# A home of its own before anything reads a setting; DATABASE_URL alone is taken from outside.
_HOME = tempfile.TemporaryDirectory(prefix="partway-bench-")
os.environ |= {"PARTWAY_HOME": _HOME.name, "PARTWAY_LOG_LEVEL": "error", "PARTWAY_FAST_PASSWORD_HASH": "1"}
os.environ["DJANGO_SETTINGS_MODULE"] = "partway.config.settings"
django.setup()

from partway.accounts.models import User  # noqa: E402
from partway.lib.clock import now  # noqa: E402
from partway.worker import seed  # noqa: E402

_ROUNDS = 15


def main() -> None:
    """Seed, measure, print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--invoices", type=int, default=100_000)
    count = parser.parse_args().invoices
    settings.ALLOWED_HOSTS, settings.ROOT_URLCONF = ["testserver"], __name__
    call_command("migrate", verbosity=0)
    client, base = _seeded(count)
    _measure(client, base, count)


def _seeded(count: int) -> tuple[Client, str]:
    began, wall = _cpu(), time.perf_counter()
    organization = seed.build(invoices=count, now=now(), rng=Random(1))
    took, wall = _cpu() - began, time.perf_counter() - wall
    print(f"{connection.vendor}: {count:,} invoices seeded in {took:.0f} s of CPU, {wall:.0f} s by the clock")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # as autovacuum has done on a database that has run for a day
            # The work of parallel workers would be counted nowhere.
            cursor.execute("SET max_parallel_workers_per_gather = 0")
    client = Client()
    client.force_login(User.objects.get(email=seed.OWNER))
    return client, f"/o/{organization.slug}/invoices/"


def _measure(client: Client, base: str, count: int) -> None:
    bare = _milliseconds(lambda: client.get("/one/"))
    print(f"{'SELECT 1':34} {bare:8.2f} ms")
    for words, query in _requests(count):
        each = _milliseconds(lambda query=query: client.get(base + query))
        print(f"{words:34} {each:8.1f} ms {each / bare:7.0f} ×")
    _measure_csv(client, f"{base}csv/", bare)


def _measure_csv(client: Client, url: str, bare: float) -> None:
    began, before, rows, most = _cpu(), _resident(), -1, 0
    for chunk in client.get(url).streaming_content:
        rows, most = rows + chunk.count(b"\n"), max(most, _resident())
    took = _cpu() - began
    print(f"{'CSV':34} {rows / took:8,.0f} rows a second of CPU: a row is {1000 * took / rows / bare:.2f} ×")
    print(f"{'CSV, most memory added':34} {(most - before) / 2**20:8.1f} MiB")


def _resident() -> int:
    """Bytes of memory this process holds now; its highest mark ever would be that of seeding."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def _requests(count: int) -> list[tuple[str, str]]:
    month = now().date() - timedelta(days=30)
    return [
        ("first page", ""),
        ("last page", "?before=last"),
        ("all added up", "?totals=all"),
        ("state: sent", "?status=sent"),
        ("state: overdue, by due date", "?status=overdue&sort=due_on"),
        ("requested and not paid", "?requested=yes"),
        ("due in the last 30 days", f"?due_from={month}"),
        ("search: part of a name", "?q=Berg"),
        ("search: a number", f"?q=INV-{count // 2}"),
        ("by number, last page", "?sort=number&before=last"),
        ("by customer", "?sort=customer"),
        ("by status", "?sort=status"),
        ("by amount due, largest first", "?sort=-amount_due"),
    ]


def _milliseconds(request: Callable[[], object]) -> float:
    """CPU of one request in the middle of many; the first two warm caches and statements up."""
    spent = []
    for _ in range(_ROUNDS + 2):
        began = _cpu()
        request()
        spent.append(_cpu() - began)
    return sorted(spent[2:])[_ROUNDS // 2] * 1000


def _cpu() -> float:
    """Seconds of CPU this process has used, and the database's backend with it."""
    return time.process_time() + _backend_cpu()


def _backend_cpu() -> float:
    if connection.vendor != "postgresql":
        return 0
    connection.ensure_connection()
    # Nanoseconds; the usual `stat` counts in ticks of ten milliseconds.
    stat = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat").read_text()
    return int(stat.split()[0]) / 1e9


def one(request: HttpRequest) -> HttpResponse:
    """The least a page with a database can do."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("1")


urlpatterns = [path("one/", one), path("", include("partway.config.urls"))]

if __name__ == "__main__":
    main()
