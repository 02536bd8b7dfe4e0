"""The outcomes that each act must have had at least once, so that every rule and every refusal is tried."""

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

# The first outcome of each act is the usual one; `make test` must reach all of those.
EXPECTED_OUTCOMES: dict[str, list[str]] = {
    "create invoice": ["ok", "invalid"],
    "send": ["ok", "conflict", "invalid"],
    "edit": ["ok", "conflict", "invalid", "stale", "payment_in_progress"],
    "void": ["ok", "conflict", "payment_in_progress"],
    "void paid": ["ok", "conflict", "stale", "payment_in_progress"],
    "write off": ["ok", "invoice_not_sent", "payment_in_progress"],
    "reopen": ["ok", "conflict"],
    "settle rest": ["ok", "invoice_not_sent", "payment_in_progress"],
    "take back rest": ["ok", "conflict"],
    "refund credit": ["ok", "amount_too_small", "invalid"],
    "refund payment": ["ok", "conflict", "amount_too_small", "invalid"],
    "send back": ["pending", "succeeded", "failed", "conflict", "amount_too_small", "not_refundable"],
    "refund in dashboard": ["succeeded"],
    "settle refund": ["ok"],
    "fail refund": ["ok"],
    "refresh refunds": ["ok"],
    "dispute": ["ok"],
    "win dispute": ["ok"],
    "lose dispute": ["ok"],
    "take loss": ["ok", "conflict"],
    "change dispute": ["ok"],
    "pay out": ["ok"],
    "settle payout": ["ok"],
    "fail payout": ["ok"],
    "read payouts": ["ok"],
    "request payment": [
        *_FORM,
        "invalid",
        "payments_not_enabled",
        "payment_request_open",
        "deposit_not_divisible",
    ],
    "resend": ["ok", "too_late", "payment_in_progress"],
    "cancel": ["ok", "too_late", "payment_in_progress"],
    "record payment": [*_FORM, "too_late"],
    "reverse payment": ["ok", "conflict"],
    "apply credit": [*_FORM, "invalid"],
    "release credit": ["ok", "conflict"],
    "switch payments on": ["ok"],
    "switch payments off": ["ok"],
    "close journal": ["ok"],
    "reopen journal": ["ok"],
    "create quote": ["ok"],
    "send quote": ["ok", "conflict", "invalid"],
    "accept": ["ok", "conflict", "too_late"],
    "decline": ["ok", "conflict", "too_late"],
    "record acceptance": ["ok", "conflict", "too_late"],
    "record decline": ["ok", "conflict", "too_late"],
    "withdraw quote": ["ok", "conflict", "too_late", "payment_in_progress"],
    "record deposit": ["ok", "conflict", "too_late", "payment_in_progress"],
    "make invoice": ["ok", "conflict", "payment_in_progress"],
    "open page": [*_LINK, "not_payable:busy"],
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
    "return": ["ok", "unknown"],
    "settle debit": ["ok"],
    "fail debit": ["ok"],
    "expire checkout": ["ok"],
    "capture at gateway": ["ok"],
    "inject fault": ["ok"],
    "clear faults": ["ok"],
    "deliver callback": ["processed", "pending"],
    "deliver to wrong account": ["bad_callback"],
    "wait": ["ok"],
    "refresh payments": ["ok"],
    "process callbacks": ["ok"],
    "read list": ["ok"],
    "expire requests": ["ok"],
    "expire quotes": ["ok"],
    "send mails": ["ok"],
}

OutcomeCounts = Counter[tuple[str, str]]


def never_succeeded(tally: OutcomeCounts) -> list[str]:
    """Returns the acts that never had their usual outcome."""
    return [act for act, ends in EXPECTED_OUTCOMES.items() if not tally[act, ends[0]]]


def seldom(tally: OutcomeCounts, least: int) -> list[str]:
    """Returns the outcomes that occurred less often than this."""
    pairs = [(act, end) for act, ends in EXPECTED_OUTCOMES.items() for end in ends]
    return [f"{act}: {end} ({tally[act, end]})" for act, end in pairs if tally[act, end] < least]


def table(tally: OutcomeCounts) -> str:
    """Returns every act with the count of each outcome."""
    lines = []
    for act in sorted({act for act, _ in tally}):
        ends = sorted((end, count) for (name, end), count in tally.items() if name == act)
        lines.append(f"{act:>20}  " + ", ".join(f"{end} {count}" for end, count in ends))
    return "\n".join(lines)
