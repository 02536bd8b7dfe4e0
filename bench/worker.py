"""Measures two workers on PostgreSQL: mails and callbacks of a queue, and what they take when nothing is due.

    PYTHONPATH=. python bench/worker.py [--queue 5000] [--seconds 10]

Seeds a throw-away database and starts a mail server, the sandbox and two workers as processes. Printed are the CPU of
the workers and of PostgreSQL for each item, and the items in a second of the clock; of idle workers the CPU and the
transactions in a second. The mail server and the sandbox are not counted.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import django
import httpx
from django.db import connection

from bench.processes import cpu_seconds
from partway.worker.supervisor import Supervisor, SupervisorConfig, free_port
from tests.postgres_plugin import running_server

_WORKERS = 2
_WARM = 80  # rows
_PAID = 20  # payments that callbacks are about
_SEED = 500  # invoices


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of CPU of the workers and of PostgreSQL, and committed transactions."""

    workers: float
    database: float
    transactions: int

    def __sub__(self, other: Spent) -> Spent:
        return Spent(
            self.workers - other.workers,
            self.database - other.database,
            self.transactions - other.transactions,
        )


def main() -> None:
    """Seed, and measure one queue after the other."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--queue", type=int, default=5_000, help="rows that are due")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--only", choices=("idle", "mails", "receipts", "callbacks"))
    chosen = parser.parse_args()
    with _installation() as postgres_pid:
        queues = {
            "mails": ("a mail", partial(_queue_mails, "payment_received"), _queued_mails),
            "receipts": ("a mail with a PDF", partial(_queue_mails, "receipt"), _queued_mails),
            "callbacks": ("a callback", _queue_callbacks, _pending_callbacks),
        }
        print(f"{_WORKERS} workers, {chosen.queue:,} rows due, load {os.getloadavg()[0]:.0f}", flush=True)
        print(f"{'CPU ms':22}{'workers':>10}{'database':>10}{'a second':>10}{'transactions':>14}", flush=True)
        for name, (label, fill, count) in queues.items():
            if chosen.only in (None, name):
                with _workers() as pids:
                    fill(_WARM)  # what is imported and compiled with the first ones
                    while count():
                        time.sleep(0.2)
                    fill(chosen.queue)
                    began, before, spent = time.perf_counter(), count(), _spent(pids, postgres_pid)
                    time.sleep(chosen.seconds)
                    spent, done = _spent(pids, postgres_pid) - spent, before - count()
                    _print(label, spent, done, time.perf_counter() - began)
                _empty_queues()
        if chosen.only in (None, "idle"):
            with _workers() as pids:
                time.sleep(12)  # until they have found that nothing is due
                spent = _spent(pids, postgres_pid)
                time.sleep(chosen.seconds)
                _print("idle, a second", _spent(pids, postgres_pid) - spent, chosen.seconds, chosen.seconds)


def _print(label: str, spent: Spent, items: float, seconds: float) -> None:
    each = max(items, 1)
    print(
        f"{label:22}{1000 * spent.workers / each:10.2f}{1000 * spent.database / each:10.2f}"
        f"{items / seconds:10.1f}{spent.transactions / each:14.1f}",
        flush=True,
    )


@contextmanager
def _installation() -> Iterator[int]:
    """Starts PostgreSQL, the sandbox and a mail server, seeds, and yields the process id of PostgreSQL."""
    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="partway-bench-"))
        url = stack.enter_context(running_server())
        port = free_port()
        command = [sys.executable, "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{port}"]
        mail_server = subprocess.Popen([*command, "-c", "aiosmtpd.handlers.Sink"])
        stack.callback(mail_server.wait)
        stack.callback(mail_server.terminate)
        config = SupervisorConfig(Path(home), free_port(), free_port(), url, isolated=True)
        extra = {"EMAIL_URL": f"smtp://127.0.0.1:{port}", "PARTWAY_LOG_LEVEL": "error"}
        supervisor = stack.enter_context(Supervisor(config, extra))
        supervisor.run("migrate", "--verbosity", "0")
        supervisor.run("seed", "--invoices", str(_SEED))
        supervisor.start_sandbox()
        os.environ.update(config.environment() | extra)
        django.setup()
        _pay()
        _empty_queues()
        folder = Path(url.partition("@/")[2]).parent
        yield int((folder / "data/postmaster.pid").read_text().split()[0])
        connection.close()


@contextmanager
def _workers() -> Iterator[list[int]]:
    """Runs the workers; yields their process ids when all are at work."""
    from partway.worker.models import Heartbeat

    Heartbeat.objects.all().delete()
    processes = [subprocess.Popen([sys.executable, "-m", "partway", "worker"]) for _ in range(_WORKERS)]
    try:
        while Heartbeat.objects.count() < _WORKERS:
            time.sleep(0.2)
        time.sleep(2)  # what they load with their first round
        yield [process.pid for process in processes]
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def _spent(pids: list[int], postgres_pid: int) -> Spent:
    with connection.cursor() as cursor:
        cursor.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
        [transactions] = cursor.fetchone()
    return Spent(sum(map(cpu_seconds, pids)), cpu_seconds(postgres_pid), transactions)


def _pay() -> None:
    """Makes the payments, which the gateway has captured and the books know."""
    from partway.accounts.models import Member
    from partway.billing.checkouts.online_amounts import amount_to_charge
    from partway.billing.events import member_actor
    from partway.billing.models import Invoice
    from partway.billing.payments.refresh import refresh_payment
    from partway.billing.payments.start import start_payment
    from partway.billing.people import gateway_accounts
    from partway.gateways.registry import DEMO_GATEWAY, GATEWAYS
    from partway.lib.clock import now
    from partway.worker import seed

    member = Member.objects.select_related("organization", "user").get(user__email=seed.OWNER)
    gateway_accounts.connect(
        member.organization, gateway=DEMO_GATEWAY, credentials={}, by=member_actor(member), now=now()
    )
    unpaid = Invoice.objects.filter(status="sent", currency="USD", amount_paid_minor=0, adjusted_minor=0)
    for invoice in unpaid.exclude(payment_requests__status="open").order_by("-created_at")[:_PAID]:
        payment = start_payment(
            invoice, expected_amount=amount_to_charge(invoice, None), payer_ip=None, now=now()
        )
        card = {"number": GATEWAYS[DEMO_GATEWAY].test_card}
        httpx.post(f"{payment.checkout_url}/pay", data=card, trust_env=False)
        assert refresh_payment(payment, now=now()).status == "succeeded"


def _queue_mails(kind: str, count: int) -> None:
    """Queues copies of the mails that the seed has sent, all due at the same moment."""
    from partway.billing.models import Mail

    columns = [field.column for field in Mail._meta.concrete_fields]
    new = {
        "id": "'mail_' || left(md5(random()::text || id) || md5(id), 26)",
        "status": "'queued'",
        "attempt_count": "0",
        "next_attempt_at": "now()",
        "sent_at": "NULL",
    }
    selected = ", ".join(new.get(column, f'"{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    _run(
        f"INSERT INTO billing_mail ({names}) SELECT {selected} FROM billing_mail, "
        "generate_series(1, 1000) WHERE kind = %s AND status = 'sent' LIMIT %s",
        kind,
        count,
    )


def _queue_callbacks(count: int) -> None:
    """Queues callbacks about the payments: each is a question to the gateway, which has nothing new."""
    _run(
        "INSERT INTO billing_callback (id, gateway_account_id, event_id, event_type, checkout_ref, payout_ref, "
        "object_ref, body, status, received_at, next_attempt_at, attempt_count) "
        "SELECT 'cb_' || left(md5(random()::text) || md5(p.id), 26), p.gateway_account_id, "
        "md5(random()::text), 'captured', p.checkout_ref, '', '', '{}', 'pending', now(), now(), 0 "
        "FROM generate_series(1, 100000), (SELECT payment.* FROM billing_payment payment "
        "JOIN accounts_gatewayaccount account ON account.id = payment.gateway_account_id AND account.is_current "
        "WHERE payment.status = 'succeeded' ORDER BY payment.created_at DESC LIMIT %s) p LIMIT %s",
        _PAID,
        count,
    )


def _queued_mails() -> int:
    from partway.billing.models import Mail

    return Mail.objects.filter(status="queued").count()


def _pending_callbacks() -> int:
    from partway.billing.models import Callback

    return Callback.objects.filter(status="pending").count()


def _empty_queues() -> None:
    _run("DELETE FROM billing_mailattempt")
    _run("DELETE FROM billing_mail WHERE sent_at IS NULL OR sent_at > now() - interval '1 hour'")
    _run("DELETE FROM billing_callback")
    _run("VACUUM ANALYZE")


def _run(sql: str, *params: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


if __name__ == "__main__":
    main()
