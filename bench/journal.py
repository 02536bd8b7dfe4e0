"""Measures the journal on a large installation: trial balances beside the sum of the entries that they must equal.

    PYTHONPATH=. python bench/journal.py [--database sqlite|postgresql] [--invoices 10000]

Seeds a throw-away database. Printed are milliseconds of CPU of this process, and the ratio to the sum of all entries in
the same run, which is what can be compared between machines. Ends with 1 where the figures of the two differ.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import django

from bench.verify import _installation


def main() -> None:
    """Seed, measure, compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--invoices", type=int, default=10_000)
    chosen = parser.parse_args()
    with _installation(chosen.database):
        for words in (("migrate", "--verbosity", "0"), ("seed", "--invoices", str(chosen.invoices))):
            subprocess.run([sys.executable, "-m", "partway", *words], check=True, stdout=subprocess.DEVNULL)
        django.setup()
        _measure()


def _measure() -> None:
    from partway.accounts.models import Organization
    from partway.billing.journal import entries
    from partway.lib.clock import now, today

    organization = Organization.objects.get(slug__startswith="seedling")
    currency, last = organization.currency, today(now(), organization.time_zone)
    in_currency = {"currency": currency}

    def read(since: date) -> tuple[Counter[str], int]:
        sums: Counter[str] = Counter()
        count = 0
        for entry in entries.entries(organization, **in_currency, since=since, until=last):
            count += 1
            for line in entry.lines:
                sums[line.account] += line.debit.amount_minor if line.debit else -line.credit.amount_minor
        return sums, count

    def balances(since: date) -> dict[str, int]:
        rows = entries.trial_balance(organization, **in_currency, since=since, until=last)
        return {row.account: row.closing.amount_minor for row in rows if row.closing}

    month, year, first = last.replace(day=1), last.replace(month=1, day=1), last - timedelta(days=3660)
    (sums, count), whole = _spent(lambda: read(first))
    print(f"{'the sum of all entries':34} {1000 * whole:7.0f} ms  {count:,} entries", flush=True)
    for name, act in (
        ("entries of this month", lambda: read(month)),
        ("trial balance of this month", lambda: balances(month)),
        ("trial balance of this year", lambda: balances(year)),
        ("trial balance of all years", lambda: balances(first)),
    ):
        found, spent = _spent(act)
        print(f"{name:34} {1000 * spent:7.0f} ms  {spent / whole:.3f} of that", flush=True)
        if isinstance(found, dict) and found != {key: minor for key, minor in sums.items() if minor}:
            sys.exit("The trial balance is not the sum of the entries.")


def _spent(act: Callable[[], Any]) -> tuple[Any, float]:
    """The result, and seconds of CPU of the quicker of two calls."""
    spent = []
    for _ in range(2):
        began = time.process_time()
        result = act()
        spent.append(time.process_time() - began)
    return result, min(spent)


if __name__ == "__main__":
    main()
