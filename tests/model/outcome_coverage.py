"""How each act must have ended at least once, so that no rule is dead and no refusal goes untried."""

from __future__ import annotations

from collections import Counter

_LINK = [
    "ok",
    *(f"not_payable:{why}" for why in ("settled", "canceled", "void", "not_payable", "payments_off")),
    "not_payable:amount_not_payable",
]
_FORM = [
    "ok",
    "conflict",
    "invoice_not_sent",
    "amount_too_small",
    "amount_exceeds_due",
    "payment_in_progress",
]

# The first of each is the usual end; those of `make test` must all have come to it.
EXPECTED_OUTCOMES: dict[str, list[str]] = {
    "write": ["ok", "invalid"],
    "send": ["ok", "conflict", "invalid"],
    "edit": ["ok", "conflict", "invalid", "stale", "payment_in_progress"],
    "void": ["ok", "conflict", "payment_in_progress"],
    "write off": ["ok", "invoice_not_sent", "payment_in_progress"],
    "reopen": ["ok", "conflict"],
    "ask": [*_FORM, "invalid", "payments_not_enabled", "payment_request_open", "deposit_not_divisible"],
    "resend": ["ok", "too_late"],
    "cancel": ["ok", "too_late", "payment_in_progress"],
    "record": [*_FORM, "too_late"],
    "reverse": ["ok", "conflict"],
    "apply credit": [*_FORM, "invalid"],
    "release": ["ok", "conflict"],
    "switch payments on": ["ok"],
    "switch payments off": ["ok"],
    "offer": ["ok"],
    "send quote": ["ok", "conflict", "invalid"],
    "accept": ["ok", "conflict", "too_late"],
    "decline": ["ok", "conflict", "too_late"],
    "record deposit": ["ok", "conflict", "too_late", "payment_in_progress"],
    "make invoice": ["ok", "conflict", "payment_in_progress"],
    "look": [*_LINK, "not_payable:busy"],
    "start": [
        *_LINK,
        *(f"not_payable:{why}" for why in ("paid", "changed", "expired", "declined", "not_accepted")),
        "payment_in_progress",
        "rate_limited",
        "gateway_unavailable",
        "deposit_not_divisible",
    ],
    "pay": ["303", "200", "402", "409", "410"],
    "confirm": ["303", "402", "409", "410"],
    "come back": ["ok", "unknown"],
    "settle well": ["ok"],
    "settle badly": ["ok"],
    "run out": ["ok"],
    "press capture": ["ok"],
    "go wrong": ["ok"],
    "recover": ["ok"],
    "hand over": ["processed", "pending"],
    "misdirect": ["bad_callback"],
    "wait": ["ok"],
    "ask about unsettled": ["ok"],
    "work off callbacks": ["ok"],
    "read list": ["ok"],
    "expire requests": ["ok"],
    "expire quotes": ["ok"],
    "send mails": ["ok"],
}

OutcomeCounts = Counter[tuple[str, str]]


def never_succeeded(tally: OutcomeCounts) -> list[str]:
    """Acts that never came to their usual end."""
    return [act for act, ends in EXPECTED_OUTCOMES.items() if not tally[act, ends[0]]]


def seldom(tally: OutcomeCounts, least: int) -> list[str]:
    """Ends that came less often than this."""
    pairs = [(act, end) for act, ends in EXPECTED_OUTCOMES.items() for end in ends]
    return [f"{act}: {end} ({tally[act, end]})" for act, end in pairs if tally[act, end] < least]


def table(tally: OutcomeCounts) -> str:
    """Every act with how often it ended how."""
    lines = []
    for act in sorted({act for act, _ in tally}):
        ends = sorted((end, count) for (name, end), count in tally.items() if name == act)
        lines.append(f"{act:>20}  " + ", ".join(f"{end} {count}" for end, count in ends))
    return "\n".join(lines)
