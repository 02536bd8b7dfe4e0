"""`partway verify` prints each check with its differences, and progress only on a terminal."""

from __future__ import annotations

import os
import pty
import termios
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, suppress
from io import StringIO

import pytest
from django.core.management import call_command

from partway.billing.models import Invoice
from partway.billing.verification import CHECKS
from tests.support import personas

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def three_invoices() -> list[Invoice]:
    """Three sent invoices."""
    dana = personas.customer(personas.alder().organization)
    return [personas.sent_invoice(dana) for _ in range(3)]


def verify(*message: str) -> tuple[int, str]:
    """Returns exit status and output."""
    out = StringIO()
    try:
        call_command("verify", *message, stdout=out)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue()
    return 0, out.getvalue()


def test_verify_command_prints_ok_for_every_check(three_invoices: list[Invoice]) -> None:
    lines = [f"ok    {check}" for check in CHECKS]
    assert verify() == (0, "\n".join([*lines, "The books are right.\n"]))


def test_verify_command_names_difference_and_exits_with_1(three_invoices: list[Invoice]) -> None:
    Invoice.objects.filter(pk=three_invoices[1].pk).update(amount_paid_minor=1)
    code, printed = verify()
    assert code == 1
    assert "FAIL  M2  the amount paid of an invoice is the sum of its allocations\n" in printed
    assert f"      M2: {three_invoices[1].pk}: amount paid 1, allocations 0\n" in printed


def test_verify_command_limits_listed_rows(three_invoices: list[Invoice]) -> None:
    Invoice.objects.update(amount_paid_minor=1)
    _, printed = verify("--limit", "2")
    assert printed.count("amount paid 1, allocations 0") == 2
    assert "      … and 1 more\n" in printed
    assert "differences.\n" in printed


def test_verify_command_prints_no_progress_without_terminal(
    three_invoices: list[Invoice], capfd: pytest.CaptureFixture[str]
) -> None:
    verify()
    assert capfd.readouterr().err == ""


def read_to_end(terminal: int) -> str:
    """Reads everything written to a terminal, whose buffer is small."""
    shown = b""
    with suppress(OSError):  # raised by Linux when the other end is closed
        while part := os.read(terminal, 4096):
            shown += part
    return shown.decode()


def test_verify_command_prints_progress_on_terminal(three_invoices: list[Invoice]) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 120))
    with ThreadPoolExecutor(1) as reader:
        shown = reader.submit(read_to_end, ours)
        with os.fdopen(theirs, "w") as terminal, redirect_stderr(terminal):
            code, printed = verify()
    os.close(ours)
    assert (code, printed.count("ok  ")) == (0, len(CHECKS))
    assert "M2  the amount paid of an invoice" in shown.result()
    assert "0/3" in shown.result()
