"""The report on the connection to a gateway: what is right, what is worth knowing, and what keeps payments off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

# A callback is refused when its time differs from ours by five minutes, and this leaves room for the delivery.
MAX_CLOCK_DIFFERENCE = timedelta(seconds=60)


class FindingLevel(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    ADVICE = "advice"  # worth knowing; payments can be enabled
    WRONG = "wrong"  # payments cannot be enabled until it is put right


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: `code` is stable, `params` fill its sentence and can be stored as JSON.

    Codes and their params, the same for every gateway; `partway.delivery.messages.connections` has the sentences:

    account               ok: name, ref
    mode_live, mode_test  ok: whether real money moves
    charges               ok; wrong: reason, requirements (in the gateway's words)
    payouts               ok; advice: reason
    country               ok: country (ISO 3166)
    currency              ok, advice: currency; whether the organization's can be paid
    settlement            ok: currency in which the account is paid out
    methods               ok: methods; wrong: none of ours can be used
    methods_inactive      advice: methods that the account could have
    permissions           ok; wrong: permissions that the key lacks, by the gateway's names
    callbacks             ok: url
    callbacks_missing, callbacks_disabled, callbacks_secret   wrong: url
    callbacks_incomplete  wrong: url, events that are not sent
    platform_callbacks_missing, platform_callbacks_disabled, platform_callbacks_secret   advice: of the operator's: url
    platform_callbacks_incomplete   advice: url, events that are not sent to the operator's
    callbacks_version     advice: version of the endpoint, expected
    callbacks_unread      advice: the key may not read the endpoints, so they were not compared
    callbacks_unreachable wrong, advice: url that is of no use from outside
    callbacks_undelivered advice: event_ids that the gateway could not deliver
    callbacks_received    ok: at, the time of the latest one (RFC 3339)
    clock                 ok, wrong: seconds by which ours is ahead; negative when it is behind
    credentials           wrong: message of the gateway that refused them
    disconnected          wrong: an account of the operator's platform that left it at the gateway
    test_gateway_when_live, live_account_when_not_live   wrong: `GatewayDefinition.refusal`
    """

    level: FindingLevel
    code: str
    params: Mapping[str, str | int | list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConnectionReport:
    """All findings about one account; `account_ref` is the gateway's id of it, the same whatever the credentials."""

    account_ref: str
    account_name: str
    findings: tuple[Finding, ...]


def clock_finding(date_header: str, now: datetime) -> Finding | None:
    """Compares our clock with the Date header of a response; None for a header that is no date."""
    try:
        theirs = parsedate_to_datetime(date_header)
    except ValueError:
        return None
    # The header has whole seconds, and its time passed on the way; neither comes near the limit.
    difference = now - (theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC))
    level = FindingLevel.OK if abs(difference) <= MAX_CLOCK_DIFFERENCE else FindingLevel.WRONG
    return Finding(level, "clock", {"seconds": round(difference.total_seconds())})
