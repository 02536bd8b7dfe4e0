"""Asks Stripe what is right about an account and its webhook endpoint, and creates that endpoint."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import stripe

from ..connection_report import ConnectionReport, Finding, FindingLevel, clock_finding
from ..protocol import GatewayError, Refused
from .capabilities import METHODS
from .client import calling, client_for
from .connection import (
    ACCOUNTS,
    CHECKOUT_EVENT_TYPES,
    EVENT_TYPES,
    PAYOUT_EVENT_TYPES,
    is_test_account,
    with_secret,
)
from .reading import Json, expanded, text

_NO_OBJECT = "partway_permission_check"
# Events that wait for less than this are on their way, and those of earlier days are no news.
_ON_THE_WAY, _RECENT = timedelta(minutes=2), timedelta(days=1)
_MAX_UNDELIVERED = 20
# What is wrong about the endpoint of a platform, with `platform_` before it.
_OF_OPERATOR = ("callbacks_missing", "callbacks_disabled", "callbacks_incomplete", "callbacks_secret")
# The capability of a method is its name and `_payments`, but for this one.
_CAPABILITIES = {"us_bank_account": "us_bank_account_ach_payments"}


def check(
    base_url: str, credentials: Mapping[str, str], callback_url: str, now: datetime
) -> ConnectionReport:
    """Returns the report on the account of the key; raises Refused for a key that opens none, and OutcomeUnknown."""
    api, is_test = client_for(base_url, credentials["api_key"]), is_test_account(credentials)
    findings = [Finding(FindingLevel.OK, "mode_test" if is_test else "mode_live")]
    missing = [] if credentials["api_key"].startswith("sk_") else missing_permissions(api)
    level = FindingLevel.WRONG if missing else FindingLevel.OK
    findings.append(Finding(level, "permissions", {"permissions": missing} if missing else {}))
    ref = name = ""
    if ACCOUNTS not in missing:
        with calling():
            resource = api.v1.accounts.retrieve_current()
            account = resource.to_dict()
            ref, name = text(account["id"]), _name(account)
            findings += account_findings(account, is_test=is_test)
        findings += clock_findings(resource, now)
    secret = credentials.get("signing_secret", "")
    findings += callback_findings(api, secret, callback_url, is_test=is_test)
    if "Events: Read" not in missing:
        findings += undelivered_events(api, now)
    return ConnectionReport(ref, name, tuple(findings))


def check_connected(
    base_url: str, credentials: Mapping[str, str], callback_url: str, now: datetime
) -> ConnectionReport:
    """Returns the report on a connected account; one that has left the platform is a finding. Raises as `calling`.

    The endpoint of the callbacks is the operator's: what is not right about it is for the operator to do, and until
    then payments are found without it.
    """
    ref, key, is_test = credentials["connected_account"], credentials["api_key"], is_test_account(credentials)
    mode = "mode_test" if is_test else "mode_live"
    try:
        with calling():
            resource = client_for(base_url, key, ref).v1.accounts.retrieve_current()
            # Also in test mode it can charge nothing before its owner has answered Stripe's questions.
            findings = account_findings(resource.to_dict(), is_test=False)
    except Refused as refusal:
        if refusal.code != "account_restricted":
            raise
        return ConnectionReport(ref, "", (Finding(FindingLevel.WRONG, "disconnected"),))
    name = str(findings[0].params["name"])
    findings = [Finding(FindingLevel.OK, mode), *findings, *clock_findings(resource, now)]
    secret = credentials.get("platform_secret", "")
    about_endpoint = callback_findings(client_for(base_url, key), secret, callback_url, is_test=is_test)
    findings += [
        replace(one, level=FindingLevel.ADVICE, code=f"platform_{one.code}")
        if one.code in _OF_OPERATOR
        else one
        for one in about_endpoint
        if one.code not in ("callbacks_unread", "callbacks_version")
    ]
    return ConnectionReport(ref, name, tuple(findings))


def create_endpoint(
    base_url: str, credentials: Mapping[str, str], callback_url: str, now: datetime
) -> dict[str, str]:
    """Creates the webhook endpoint for `callback_url`, and returns the credentials with its signing secret.

    An endpoint that is there for the same URL is deleted afterwards: Stripe tells its secret only once, and for a
    moment both send each event, of which the second is recognised by its id. Raises Refused and OutcomeUnknown where
    none was created; one that could not be deleted is left to the next time.
    """
    api = client_for(base_url, credentials["api_key"])
    with calling():
        before = [endpoint["id"] for endpoint in _endpoints(api) if endpoint["url"] == callback_url]
        params: Any = {
            "url": callback_url,
            "enabled_events": list(EVENT_TYPES),
            "api_version": stripe.api_version,
            "description": "Partway",
        }
        created = api.v1.webhook_endpoints.create(params).to_dict()
    for ref in before:
        with suppress(GatewayError), calling():  # the new secret must not be lost
            api.v1.webhook_endpoints.delete(ref)
    return with_secret(credentials, text(created["secret"]), now)


def missing_permissions(api: stripe.StripeClient) -> list[str]:
    """Returns the permissions that a restricted key lacks, by Stripe's names, that for endpoints left out.

    Nothing is changed: what reads is asked for one row, and what writes is tried on an object that does not exist,
    since Stripe looks at the key first. Raises Refused for a key that may do nothing, and OutcomeUnknown.
    """
    probes: dict[str, Callable[[], object]] = {
        "Checkout Sessions: Write": lambda: api.v1.checkout.sessions.expire(f"cs_{_NO_OBJECT}"),
        "Payment Intents: Write": lambda: api.v1.payment_intents.cancel(f"pi_{_NO_OBJECT}"),
        "Charges and Refunds: Write": lambda: api.v1.refunds.create({"payment_intent": f"pi_{_NO_OBJECT}"}),
        "Payment Disputes: Read": lambda: api.v1.disputes.list({"limit": 1}),
        "Balance Transaction Sources: Read": lambda: api.v1.balance_transactions.list({"limit": 1}),
        "Payouts: Read": lambda: api.v1.payouts.list({"limit": 1}),
        "Events: Read": lambda: api.v1.events.list({"limit": 1}),
        ACCOUNTS: api.v1.accounts.retrieve_current,
    }
    missing = []
    for name, probe in probes.items():
        try:
            with calling():
                probe()
        except Refused as refusal:
            if refusal.code == "unauthenticated":
                raise
            if refusal.code == "permission_missing":
                missing.append(name)
    return missing


def _name(account: Json) -> str:
    dashboard = expanded(expanded(account.get("settings")).get("dashboard"))
    profile = expanded(account.get("business_profile"))
    return text(dashboard.get("display_name") or profile.get("name") or account["id"])


def account_findings(account: Json, *, is_test: bool) -> list[Finding]:
    """Returns what the account may do; in test mode everything works before it is activated."""
    requirements = expanded(account.get("requirements"))
    due = [text(one) for one in requirements.get("currently_due") or []]
    reason = text(requirements.get("disabled_reason") or "")
    not_yet = FindingLevel.ADVICE if is_test else FindingLevel.WRONG
    charges = {True: FindingLevel.OK, False: not_yet}[account["charges_enabled"]]
    payouts = {True: FindingLevel.OK, False: FindingLevel.ADVICE}[account["payouts_enabled"]]
    status = expanded(account.get("capabilities"))
    by_status: dict[bool, list[str]] = {True: [], False: []}
    for method in METHODS:
        capability = status.get(_CAPABILITIES.get(method, f"{method}_payments"))
        if capability is not None:
            by_status[capability == "active"].append(method)
    active, inactive = by_status[True], by_status[False]
    findings = [
        Finding(FindingLevel.OK, "account", {"name": _name(account), "ref": text(account["id"])}),
        Finding(charges, "charges", {"reason": reason, "requirements": due}),
        Finding(payouts, "payouts", {"reason": reason}),
        Finding(FindingLevel.OK, "country", {"country": text(account["country"])}),
        Finding(FindingLevel.OK, "settlement", {"currency": text(account["default_currency"]).upper()}),
        Finding(FindingLevel.OK if active else not_yet, "methods", {"methods": active}),
    ]
    if inactive:
        findings.append(Finding(FindingLevel.ADVICE, "methods_inactive", {"methods": inactive}))
    return findings


def clock_findings(resource: stripe.Account, now: datetime) -> list[Finding]:
    """Returns whether our clock agrees with the time of Stripe's response, where that has one."""
    headers = resource.last_response.headers if resource.last_response else {}
    ours = clock_finding(str(headers.get("date") or ""), now)
    return [ours] if ours else []


def callback_findings(
    api: stripe.StripeClient, secret: str, callback_url: str, *, is_test: bool
) -> list[Finding]:
    """Compares the endpoint of the account with what is needed; raises Refused and OutcomeUnknown."""
    url: dict[str, str] = {"url": callback_url}
    if not is_public(callback_url):
        # Stripe takes no such address. To try everything on one machine, asking now and then is enough.
        return [Finding(FindingLevel.ADVICE if is_test else FindingLevel.WRONG, "callbacks_unreachable", url)]
    findings = []
    if not secret:
        findings.append(Finding(FindingLevel.WRONG, "callbacks_secret", url))
    try:
        with calling():
            ours = [endpoint for endpoint in _endpoints(api) if endpoint["url"] == callback_url]
            findings += endpoint_findings(ours, url)
    except Refused as refusal:
        if refusal.code != "permission_missing":
            raise
        findings.append(Finding(FindingLevel.ADVICE, "callbacks_unread", url))
    return findings or [Finding(FindingLevel.OK, "callbacks", url)]


def endpoint_findings(endpoints: list[Json], url: dict[str, str]) -> list[Finding]:
    """Returns what is not right about the endpoints for our URL, of which there should be one."""
    enabled = [endpoint for endpoint in endpoints if endpoint["status"] == "enabled"]
    if not enabled:
        code = "callbacks_disabled" if endpoints else "callbacks_missing"
        return [Finding(FindingLevel.WRONG, code, url)]
    findings = []
    sent = {text(kind) for endpoint in enabled for kind in endpoint["enabled_events"]}
    unsent = [kind for kind in EVENT_TYPES if not sent & {kind, "*"}]
    if unsent:
        findings.append(Finding(FindingLevel.WRONG, "callbacks_incomplete", {**url, "events": unsent}))
    version = text(enabled[0]["api_version"] or "")
    if version not in ("", stripe.api_version):
        versions = {"version": version, "expected": stripe.api_version}
        findings.append(Finding(FindingLevel.ADVICE, "callbacks_version", versions))
    return findings


def _endpoints(api: stripe.StripeClient) -> list[Json]:
    """Returns the webhook endpoints of the account; there are at most sixteen."""
    return [endpoint.to_dict() for endpoint in api.v1.webhook_endpoints.list({"limit": 100}).data]


def undelivered_events(api: stripe.StripeClient, now: datetime) -> list[Finding]:
    """Returns the events that Stripe could not deliver; it does not say to which of the account's endpoints."""
    params: Any = {
        "types": [*CHECKOUT_EVENT_TYPES, *PAYOUT_EVENT_TYPES],  # twenty, which is the most
        "delivery_success": False,
        "created": {
            "gte": int((now - _RECENT).timestamp()),
            "lte": int((now - _ON_THE_WAY).timestamp()),
        },
        "limit": _MAX_UNDELIVERED,
    }
    with calling():
        events = [event.to_dict() for event in api.v1.events.list(params).data]
        waiting = [text(event["id"]) for event in events if event["pending_webhooks"]]
    return [Finding(FindingLevel.ADVICE, "callbacks_undelivered", {"event_ids": waiting})] if waiting else []


def is_public(url: str) -> bool:
    """Returns whether an address can be one of the internet; a name is not looked up."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith((".localhost", ".local", ".internal", ".test"))
