"""Attacks the journal by generated years; `make soak` runs it on both databases beside the model.

pytest does not collect this file by itself. SOAK_MINUTES says for how long in tenths, SOAK_SEED where to begin.
"""

from __future__ import annotations

import os
import secrets
import time
from collections import Counter
from datetime import date, timedelta

import pytest

from partway.accounts.models import Organization
from partway.billing.journal import entries
from partway.billing.journal.entries import Entry
from partway.billing.models import Dispute, Payment, Payout, PayoutItem, Refund
from partway.billing.verification import verify
from partway.lib.clock import now, today
from tests.billing.journal.generated_year import DAY, GeneratedYear
from tests.support import personas
from tests.support.journals import balances, check_journal

DAYS = 150


def file(organization: Organization, until: date) -> list[Entry]:
    """All entries until this day."""
    found: list[Entry] = []
    for currency in ("EUR", "USD"):
        since = until - 2 * DAYS * DAY
        found += entries.entries(organization, currency=currency, since=since, until=until)
    return found


def transit(organization: Organization, currency: str) -> int:
    """The money that came in at the gateway, less what went back, what it charged and what it paid out."""
    of = {"organization": organization}
    came = Payment.objects.succeeded().filter(**of, captured_currency=currency, gateway_account__isnull=False)
    went = Refund.objects.succeeded().exclude(mode="offline").filter(**of, currency=currency)
    lost = Dispute.objects.lost().filter(**of, currency=currency)
    minor = sum(one.captured_minor or 0 for one in came)
    minor -= sum(one.amount_minor for one in went) + sum(one.amount_minor for one in lost)
    for model in (Payment, Refund, Dispute):
        minor -= sum(one.fee_minor or 0 for one in model.objects.filter(**of, fee_currency=currency))
    paid_out = Payout.objects.filter(**of, currency=currency)
    minor -= sum(one.amount_minor for one in paid_out.filter(status="paid"))
    ended = paid_out.filter(status__in=("paid", "failed"))
    return minor + sum(one.net_minor for one in PayoutItem.objects.filter(payout__in=ended, kind="fee"))


def attack(number: int) -> GeneratedYear:
    """Lets one year pass and checks the journal of it, and that no closed day changed since it was closed."""
    organization = personas.organization(f"year-{number}", "Alder Joinery")
    personas.member(organization, "Alice", "owner")
    year = GeneratedYear(personas.customer(organization), number, now() - timedelta(days=DAYS))
    closed: dict[date, list[Entry]] = {}
    while year.now < now() - 3 * DAY:
        if year.step() in ("journal_closed", "journal_reopened") and year.closed:
            closed = {day: before for day, before in closed.items() if day <= year.closed}
            closed[year.closed] = file(organization, year.closed)
    for day, before in closed.items():
        assert file(organization, day) == before, day
    check_journal(organization, days=DAYS + 60)
    last = today(now(), organization.time_zone)
    for currency in entries.currencies(organization):
        rows = balances(organization, currency, last, last)
        booked = rows["transit:sandbox"].closing.amount_minor if "transit:sandbox" in rows else 0
        assert booked == transit(organization, currency), currency
    assert not list(verify())
    return year


@pytest.mark.django_db
def test_journal_of_generated_years(capsys: pytest.CaptureFixture[str]) -> None:
    """Runs new years until the time is over; a failure says the number of its year."""
    until = time.monotonic() + 6 * float(os.environ.get("SOAK_MINUTES", "1"))
    first = number = int(os.environ.get("SOAK_SEED") or secrets.randbelow(10**9))
    done: Counter[str] = Counter()
    while number == first or time.monotonic() < until:
        with capsys.disabled():
            print(f"year {number}: {done.total()} acts so far", flush=True)
        done += attack(number).done
        number += 1
    with capsys.disabled():
        print(f"\n{done.total()} acts in {number - first} years: {dict(done)}")
