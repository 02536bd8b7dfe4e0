"""The company's process: it starts, ends when told, and forgets nothing in between."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.gateways.company import Ear, eventually, running
from tests.sandbox.merchant import Merchant

DEBIT = {"method": "bank_debit", "account": "000123456789"}


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_when_told(tmp_path: Path, end: signal.Signals) -> None:
    with running(tmp_path) as company:
        company.process.send_signal(end)
        assert company.process.wait(5) == 0
        with pytest.raises(httpx.ConnectError):
            company.ask("GET", "/healthz")


def test_everything_lies_in_its_home(tmp_path: Path) -> None:
    with running(tmp_path / "new" / "home"):
        assert (tmp_path / "new" / "home" / "sandbox.sqlite3").exists()


def test_a_debit_settles_by_itself(tmp_path: Path, ear: Ear) -> None:
    with running(tmp_path, settle_after=0.2) as company:
        merchant = Merchant(company, ear)
        checkout = merchant.start()
        company.type_in(f"{checkout['url']}/pay", **DEBIT)
        ear.wait_for(checkout["id"], "processing", "captured")


def test_a_callback_survives_a_restart(tmp_path: Path, ear: Ear) -> None:
    with running(tmp_path) as company:
        merchant = Merchant(company, ear)
        ear.deaf_for = 1
        checkout = merchant.start()
        company.type_in(f"{checkout['url']}/pay", **DEBIT)
        eventually(lambda: ear.heard)
    with running(tmp_path, port=company.port):
        ear.wait_for(checkout["id"], "processing", "processing")


def test_a_hanging_call_does_not_keep_it_from_ending(tmp_path: Path, ear: Ear) -> None:
    with running(tmp_path) as company, ThreadPoolExecutor(1) as pool:
        merchant = Merchant(company, ear)
        merchant.go_wrong("hang", act="start", delay=60)
        hanging = pool.submit(merchant.start)
        eventually(merchant.ledger)
        company.process.terminate()
        assert company.process.wait(8) == 0
        assert isinstance(hanging.exception(), httpx.HTTPError)
