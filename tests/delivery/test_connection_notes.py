"""Each finding about a connection has a sentence, and what is wrong says what to do."""

from __future__ import annotations

import re

import pytest

from partway.accounts.models import GatewayAccount
from partway.delivery.messages.connections import FINDINGS, connection_notes
from partway.gateways.connection_report import Finding, FindingLevel

PARAMS = {
    "at": "2026-11-30T03:00:00+00:00",
    "country": "AT",
    "currency": "EUR",
    "event_ids": ["evt_1"],
    "events": ["refund.failed"],
    "expected": "2026",
    "message": "No such key.",
    "methods": ["card", "sepa_debit"],
    "name": "Alder",
    "permissions": ["Events: Read"],
    "reason": "",
    "ref": "acct_1",
    "requirements": [],
    "seconds": -75,
    "url": "https://pay.alder.example/callbacks/gwa_1/",
    "version": "2025",
}


def documented() -> list[tuple[str, str]]:
    """Returns each code with each of its levels, as the docstring of Finding lists them."""
    lines = re.findall(r"^ +([a-z_]+(?:, [a-z_]+)*) +((?:ok|advice|wrong)\b.*)$", Finding.__doc__ or "", re.M)
    return [
        (code, level)
        for codes, levels in lines
        for code in codes.split(", ")
        for level in re.findall(r"\b(ok|advice|wrong)\b", levels)
    ]


def test_documented_findings_are_those_with_a_sentence() -> None:
    assert {code for code, _ in documented()} == {code.partition(".")[0] for code in FINDINGS}


@pytest.mark.parametrize(("code", "level"), documented())
def test_finding_has_a_sentence_and_what_is_wrong_says_what_to_do(code: str, level: str) -> None:
    finding = {"level": level, "code": code, "params": PARAMS}
    account = GatewayAccount(gateway="stripe", findings=[finding])
    [note] = connection_notes(account, "Europe/Vienna")
    assert note.message.endswith((".", "!", '"', "Stripe does not accept the key any more: No such key."))
    assert "%(" not in note.message + note.advice
    assert (note.level, bool(note.advice) or level == FindingLevel.OK) == (level, True)


def test_what_is_wrong_stands_first() -> None:
    levels = ("ok", "wrong", "advice")
    findings = [{"level": level, "code": "clock", "params": {"seconds": 75}} for level in levels[:2]]
    account = GatewayAccount(gateway="stripe", findings=findings)
    first, second = connection_notes(account, "UTC")
    assert (first.level, second.level) == ("wrong", "ok")
    assert "differs from that of Stripe by 75 seconds" in first.message
