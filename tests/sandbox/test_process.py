"""The sandbox process: it starts, ends on SIGTERM, and keeps its data."""

from __future__ import annotations

import re
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.sandbox.merchant_client import Merchant
from tests.support.sandbox_server import CallbackReceiver, running_sandbox, wait_until

SANDBOX = Path(__file__).parents[2] / "src" / "partway" / "sandbox"
DEBIT = {"method": "bank_debit", "account": "000123456789"}


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_sandbox_process_ends_cleanly_on_signal(tmp_path: Path, end: signal.Signals) -> None:
    with running_sandbox(tmp_path) as sandbox_server:
        sandbox_server.process.send_signal(end)
        assert sandbox_server.process.wait(5) == 0
        with pytest.raises(httpx.ConnectError):
            sandbox_server.call_api("GET", "/healthz")


def test_sandbox_process_keeps_database_in_home(tmp_path: Path) -> None:
    with running_sandbox(tmp_path / "new" / "home"):
        assert (tmp_path / "new" / "home" / "sandbox.sqlite3").exists()


def test_bank_debit_settles_after_delay(tmp_path: Path, callback_receiver: CallbackReceiver) -> None:
    with running_sandbox(tmp_path, settle_after=0.2) as sandbox_server:
        merchant = Merchant(sandbox_server, callback_receiver)
        checkout = merchant.start()
        sandbox_server.submit_form(f"{checkout['url']}/pay", **DEBIT)
        callback_receiver.wait_for(checkout["id"], "processing", "captured")


def test_balance_is_paid_out_after_a_while(tmp_path: Path, callback_receiver: CallbackReceiver) -> None:
    with running_sandbox(tmp_path, settle_after=0.2, payout_every=0.5) as sandbox_server:
        checkout = Merchant(sandbox_server, callback_receiver).start()
        sandbox_server.submit_form(f"{checkout['url']}/pay", **DEBIT)
        wait_until(lambda: "payout.created" in [each.event["type"] for each in callback_receiver.received])


def test_whatever_becomes_due_wakes_the_clock() -> None:
    """By the columns of time that have an index for it; the balance has none."""
    due = re.findall(r'Index\(\s*fields=\["(\w+_at)"\]', (SANDBOX / "models.py").read_text())
    asked = re.findall(r"(\w+) <= %\(now\)s", (SANDBOX / "background.py").read_text())
    assert sorted(asked) == sorted(due)


def test_callback_survives_sandbox_restart(tmp_path: Path, callback_receiver: CallbackReceiver) -> None:
    with running_sandbox(tmp_path) as sandbox_server:
        merchant = Merchant(sandbox_server, callback_receiver)
        callback_receiver.failures_left = 1
        checkout = merchant.start()
        sandbox_server.submit_form(f"{checkout['url']}/pay", **DEBIT)
        wait_until(lambda: callback_receiver.received)
    with running_sandbox(tmp_path, port=sandbox_server.port):
        callback_receiver.wait_for(checkout["id"], "processing", "processing")


def test_hanging_call_does_not_block_sandbox_shutdown(
    tmp_path: Path, callback_receiver: CallbackReceiver
) -> None:
    with running_sandbox(tmp_path) as sandbox_server, ThreadPoolExecutor(1) as pool:
        merchant = Merchant(sandbox_server, callback_receiver)
        merchant.inject_fault("hang", act="start", delay=60)
        hanging = pool.submit(merchant.start)
        wait_until(merchant.ledger)
        sandbox_server.process.terminate()
        assert sandbox_server.process.wait(15) == 0  # after eight seconds the server ends what still runs
        assert isinstance(hanging.exception(), httpx.HTTPError)
