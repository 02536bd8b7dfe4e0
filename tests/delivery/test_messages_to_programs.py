"""Sentences that reach programs speak of fields and calls, and never of a form, a page or a button."""

from __future__ import annotations

import re

import pytest

from partway.delivery.messages import MESSAGES, TO_PROGRAMS, programs

# What a page has and a program does not.
OF_PAGES = re.compile(
    r"\b(form|page|marked fields|Choose (Void|how|the column|a file|what|Windows|why)|Save again|Open it again|"
    r"look again)\b|\?$",
    re.IGNORECASE,
)
# To these no call leads: settings, members, signing in, connections, and acts of pages only.
OF_MEMBERS = re.compile(
    r"acceptance_name|callback_secret|changed_meanwhile|column_|conflict\.(correct|key_form|parties)|credential_|"
    r"deposit_kind|emptied_meanwhile|export_|gateway_not_|import_(encoding|file\.missing|kind)|invitation|journal|"
    r"logo|method_required|not_payable|payment_modes|quote_prefix|role_unknown|settle_reason|"
    r"stale\.(quote_decided|refund_source)|key_scope|period|conflict\.(clos|open)|stale\.account"
)


@pytest.mark.parametrize("code", [code for code in TO_PROGRAMS if not OF_MEMBERS.match(code)])
def test_sentence_to_programs_speaks_of_no_page(code: str) -> None:
    assert not OF_PAGES.search(str(TO_PROGRAMS[code])), TO_PROGRAMS[code]


def test_sentences_to_programs_replace_those_of_pages_with_their_values() -> None:
    assert programs.MESSAGES.keys() <= MESSAGES.keys()
    for code, text in programs.MESSAGES.items():
        named, known = (set(re.findall(r"%\((\w+)\)s", str(one))) for one in (text, MESSAGES[code]))
        assert named <= known, code
