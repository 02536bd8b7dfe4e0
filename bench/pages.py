"""Measures every page of a large list at a small number of invoices and at a large one, and the files of all of them.

    PYTHONPATH=. python bench/pages.py                                 1,000,000 invoices, SQLite in a throw-away home
    PYTHONPATH=. python bench/pages.py --database postgresql           the same on a throw-away PostgreSQL
    PYTHONPATH=. python bench/pages.py --invoices 100000 --json FILE   another size; the figures also as JSON

Seeds --base invoices, measures, multiplies them (bench/large_books.py) and measures again. Milliseconds are CPU of this
process and of the backend of PostgreSQL that serves it; the requests go through all of Django by its test client.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from random import Random

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client

from tests.postgres_plugin import running_server

# Seconds of CPU of a page, by its name; of a file bytes of memory too.
Figures = dict[str, float]


def main() -> None:
    """Seed, measure, multiply, measure again and print the ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--base", type=int, default=10_000, help="invoices that are seeded and measured first"
    )
    parser.add_argument("--invoices", type=int, default=1_000_000, help="the size that is measured then")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument(
        "--database-url", default="", help="of `python -m tests.postgres_plugin`; what is there stays"
    )
    parser.add_argument("--home", default="", help="a folder that stays")
    parser.add_argument("--rounds", type=int, default=5, help="requests of a page, of which the least counts")
    parser.add_argument("--files", action="store_true", help="download all invoices as CSV and XLSX too")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    is_ours = chosen.database == "postgresql" and not chosen.database_url
    server = running_server() if is_ours else nullcontext(chosen.database_url)
    with tempfile.TemporaryDirectory(prefix="partway-bench-") as home, server as url:
        _set_up(chosen.home or home, url)
        found = _measured_sizes(chosen)
        connection.close()
    _print(found)
    if chosen.json:
        chosen.json.write_text(json.dumps({f"{size}": figures for size, figures in found.items()}, indent=1))


def _set_up(home: str, url: str) -> None:
    os.environ.pop("DATABASE_URL", None)
    os.environ |= {"PARTWAY_HOME": home, "PARTWAY_LOG_LEVEL": "error", "PARTWAY_FAST_PASSWORD_HASH": "1"}
    os.environ |= {"DJANGO_SETTINGS_MODULE": "partway.config.settings"} | (
        {"DATABASE_URL": url} if url else {}
    )
    django.setup()
    settings.ALLOWED_HOSTS, settings.PARTWAY_MAIL_TO_FILES = ["testserver"], True
    call_command("migrate", verbosity=0)


def _measured_sizes(chosen: argparse.Namespace) -> dict[int, Figures]:
    """Returns the figures of each size; of the size that a database has which was kept."""
    from bench.large_books import multiply
    from partway.accounts.models import Organization
    from partway.billing.models import Invoice
    from partway.lib.clock import now
    from partway.worker import seed

    if count := Invoice.objects.count():
        return {count: _measure(chosen.rounds, chosen.files)}
    seed.build(invoices=chosen.base, now=now(), rng=Random(1))
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # as autovacuum has done on a database that has run for a day
    found = {chosen.base: _measure(chosen.rounds, files=False)}
    if chosen.invoices > chosen.base:
        began = time.perf_counter()
        multiply(Organization.objects.get(), chosen.invoices // chosen.base - 1)
        size = Invoice.objects.count()
        print(f"{size:,} invoices after {time.perf_counter() - began:.0f} s by the clock", flush=True)
        found[size] = _measure(chosen.rounds, chosen.files)
    return found


def _measure(rounds: int, files: bool) -> Figures:
    from partway.accounts.models import User
    from partway.worker import seed

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET max_parallel_workers_per_gather = 0")  # their work would be counted nowhere
    client = Client()
    client.force_login(User.objects.get(email=seed.OWNER))
    found: Figures = {}
    for name, address in _pages():
        found[name] = _milliseconds(client, address, rounds)
        print(f"{name:44}{found[name]:9.1f}", flush=True)
    if files:
        for path in ("invoices/csv", "payments/csv", "payments/xlsx"):
            found |= _file(client, path)
    return found


def _pages() -> list[tuple[str, str]]:
    """Returns the pages by name, with addresses of rows that these books have."""
    from partway.accounts.models import Organization
    from partway.billing.models import Customer, Invoice, Payment
    from partway.lib.clock import now

    organization = Organization.objects.get()
    customer, member = Customer.objects.order_by("pk")[0].pk, organization.members.all()[0].pk
    invoice, payment = (model.objects.order_by("pk")[0].pk for model in (Invoice, Payment))
    month = now().date() - timedelta(days=30)
    pages = {
        "invoices, first page": "invoices/",
        "invoices, last page": "invoices/?before=last",
        "overdue": "invoices/?status=overdue",
        "partly paid": "invoices/?status=partially_paid",
        "requested": "invoices/?requested=yes",
        "sent": "invoices/?status=sent",
        "due from 30 days ago": f"invoices/?due_from={month}",
        "by amount due, largest first": "invoices/?sort=-amount_due",
        "by status": "invoices/?sort=status",
        "by customer": "invoices/?sort=customer",
        "of a customer": f"invoices/?customer={customer}",
        "search: nothing found": "invoices/?q=zzzqqq",
        "search: a number": "invoices/?q=INV-00512",
        "search: a common word": "invoices/?q=berg",
        "search: two common words": "invoices/?q=berg+hotel",
        "search: two common words, rarer together": "invoices/?q=grace+catering",
        "search: a common word, partly paid": "invoices/?q=berg&status=partially_paid",
        "customers, first page": "customers/",
        "customers, search: a common word": "customers/?q=berg",
        "customers, search: two common words": "customers/?q=berg+hotel",
        "payments, first page": "payments/",
        "payments, last page": "payments/?before=last",
        "payments: failed": "payments/?state=failed",
        "payments: succeeded": "payments/?state=succeeded",
        "payments: a method of none": "payments/?method=blik",
        "payments: an amount of none": "payments/?amount_from=99999999",
        "payments of a member": f"payments/?member={member}",
        "payments of a customer": f"payments/?customer={customer}",
        "payments, search: a common word": "payments/?q=berg",
        "quotes": "quotes/",
        "audit log": "settings/audit/",
        "audit log of payments": "settings/audit/?kind=payment",
        "audit log of a member": f"settings/audit/?by={member}",
        "attention": "attention/",
        "inbox": "inbox/",
        "overview": "",
        "one invoice": f"invoices/{invoice}/",
        "one payment": f"payments/{payment}/",
        "one customer": f"customers/{customer}/",
    }
    return [(name, f"/o/{organization.slug}/{path}") for name, path in pages.items()]


def _milliseconds(client: Client, address: str, rounds: int) -> float:
    """Returns the least CPU of a request; two before it warm caches and statements up."""
    spent = []
    for _ in range(rounds + 2):
        began = cpu()
        response = client.get(address)
        spent.append(cpu() - began)
        assert response.status_code == 200, (address, response.status_code)
    return min(spent[2:]) * 1000


def _file(client: Client, path: str) -> Figures:
    """Downloads all invoices; returns the seconds of CPU and the most memory added, in MiB."""
    from partway.accounts.models import Organization

    began, before, most, size = cpu(), _resident(), 0, 0
    response = client.get(f"/o/{Organization.objects.get().slug}/{path}/")
    for chunk in response.streaming_content if response.streaming else [response.content]:
        most, size = max(most, _resident()), size + len(chunk)
    figures = {f"{path}, seconds": cpu() - began, f"{path}, MiB added": (most - before) / 2**20}
    print(path, f"{size:,} bytes", figures, flush=True)
    return figures


def _resident() -> int:
    """Bytes of memory this process holds now; its highest mark ever would be that of seeding."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def cpu() -> float:
    """Returns the seconds of CPU this process has used, and the database's backend with it."""
    if connection.vendor != "postgresql":
        return time.process_time()
    connection.ensure_connection()
    # Nanoseconds; the usual `stat` counts in ticks of ten milliseconds.
    stat = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat").read_text()
    return time.process_time() + int(stat.split()[0]) / 1e9


def _print(found: dict[int, Figures]) -> None:
    load = os.getloadavg()[0]
    print(f"\n{connection.vendor}, CPU ms, load {load:.0f}")
    print(f"{'':44}" + "".join(f"{size:>12,}" for size in found) + "       ratio")
    for name in {name: None for figures in found.values() for name in figures}:
        values = [figures.get(name) for figures in found.values()]
        ratio = f"{values[-1] / values[0]:12.2f}" if values[0] and values[-1] else ""
        print(f"{name:44}" + "".join(f"{value or 0:12.1f}" for value in values) + ratio)


if __name__ == "__main__":
    main()
