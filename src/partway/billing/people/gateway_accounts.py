"""Connects an organization to a gateway, checks the connection, and changes, replaces or ends it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import datetime

from django.conf import settings
from django.db import transaction

from partway.accounts.models import GatewayAccount, Organization
from partway.accounts.permissions import Permission, needs
from partway.gateways.connection_report import ConnectionReport, Finding, FindingLevel
from partway.gateways.protocol import Capabilities, OutcomeUnknown, Refused
from partway.gateways.registry import GATEWAYS
from partway.lib.sealing import Unsealable

from .. import alerts, events, outbox
from ..checkouts import gateway_calls
from ..errors import (
    GatewayNotAllowed,
    GatewayRefused,
    GatewayUnavailable,
    Invalid,
    Stale,
    field_error,
)
from ..events import Actor
from ..merge import merge
from ..models import Callback
from . import organizations


def current_account(organization: Organization) -> GatewayAccount | None:
    """Returns the account that new payments go through; None also when its credentials cannot be decrypted."""
    account = GatewayAccount.objects.current(organization).first()
    try:
        return account if account and account.credentials else None
    except Unsealable:
        return None


@needs(Permission.CONFIGURE_PAYMENTS)
def connect(
    organization: Organization,
    *,
    gateway: str,
    credentials: Mapping[str, str],
    by: Actor,
    now: datetime,
    enable_payments: bool = False,
) -> GatewayAccount:
    """Connects an account at a gateway and makes it the current one; `gateway` is a code of the registry.

    `credentials` are the values of the gateway's connection form, empty where the gateway opens an account by itself.
    `enable_payments` turns online payments on where the check of the new account passes, and off where it does not:
    customers would be led to an account that cannot take their money. Checkouts that are open at the account before
    are finished there, and its payments are refunded there.
    Raises GatewayNotAllowed, Invalid with the fields that are empty, GatewayRefused, GatewayUnavailable.
    """
    definition, live = GATEWAYS[gateway], settings.PARTWAY_LIVE
    if live and not definition.moves_money:  # before an account is opened there
        raise GatewayNotAllowed(reason="test_gateway_when_live", gateway=gateway)
    account = GatewayAccount(organization=organization, gateway=gateway)
    url, callback_url = settings.PARTWAY_GATEWAY_URLS.get(gateway, ""), gateway_calls.callback_url(account)
    # Outside any transaction: the gateway is called to try the credentials before they are stored (P4).
    with asking(gateway):
        if definition.create_account is not None:
            account.credentials = definition.create_account(url, organization.name, callback_url)
        else:
            account.credentials = _typed_credentials(account, credentials)
        report = gateway_calls.gateway_for_account(account).check(callback_url, now)
    take_report(account, report, now)
    make_current(account, by=by, now=now)
    if definition.callback_setup is not None:
        # After the row is stored: an endpoint of an account that was not would send callbacks for ever, in vain.
        # Where that fails the report says that they are missing, and the page leads through doing it again or by hand.
        with suppress(GatewayRefused, GatewayUnavailable):
            set_up_callbacks(account, by=by, now=now)
    if enable_payments or not account.passes:
        enable_where_ready(account, by=by, now=now)
    return account


@transaction.atomic(durable=True)
def make_current(account: GatewayAccount, *, by: Actor, now: datetime) -> None:
    """Stores an account as the one that new payments go through, in place of any other."""
    organization = account.organization
    # Two clicks at once take turns: without the lock neither transaction would see the other's account.
    organization.lock()
    GatewayAccount.objects.current(organization).exclude(pk=account.pk).update(is_current=False)
    account.is_current = True
    account.save()
    data = {"gateway": account.gateway}
    events.record("organization.gateway_connected", organization, by=by, now=now, data=data)


def enable_where_ready(account: GatewayAccount, *, by: Actor, now: datetime) -> None:
    """Turns online payments on where the check of the account passes and the operator allows them, and else off."""
    is_ready = account.passes and organizations.may_take_payments(account.organization)
    organizations.set_payments_enabled(account.organization, on=is_ready, by=by, now=now)


@needs(Permission.CONFIGURE_PAYMENTS)
def check(account: GatewayAccount, *, now: datetime) -> bool:
    """Asks the gateway about the connection and stores the report; returns whether payments can be enabled.

    A gateway that refuses the credentials is a finding. Raises GatewayUnavailable, and then the report stays.
    """
    with asking(account.gateway):
        try:
            gateway = gateway_calls.gateway_for_account(account)
            report = gateway.check(gateway_calls.callback_url(account), now)
        except Refused as refusal:
            is_mode = refusal.code in ("test_gateway_when_live", "live_account_when_not_live")
            code, params = (refusal.code, {}) if is_mode else ("credentials", {"message": refusal.message})
            refused = Finding(FindingLevel.WRONG, code, params)
            report = ConnectionReport(account.account_ref, account.account_name, (refused,))
    take_report(account, report, now)
    account.save(update_fields=["account_ref", "account_name", "findings", "checked_at"])
    if any(finding.code == "disconnected" for finding in report.findings):
        _stop_payments(account, now)
    return account.passes


@needs(Permission.CONFIGURE_PAYMENTS)
def enable_payments(organization: Organization, *, by: Actor, now: datetime) -> Organization:
    """Checks the current account and turns online payments on; raises GatewayNotReady where the check fails.

    Also raises GatewayUnavailable.
    """
    account = current_account(organization)
    if account is not None:
        check(account, now=now)
    return organizations.set_payments_enabled(organization, on=True, by=by, now=now)


@needs(Permission.CONFIGURE_PAYMENTS)
def replace_credentials(
    account: GatewayAccount, *, credentials: Mapping[str, str], by: Actor, now: datetime
) -> None:
    """Replaces the credentials by others of the same account, as after a key was rolled; also of an earlier account.

    Its payments stay refundable with them. Raises Invalid, GatewayNotAllowed, GatewayRefused and GatewayUnavailable.
    """
    before, fields = account.sealed_credentials, GATEWAYS[account.gateway].fields
    kept: dict[str, str] = {}
    with suppress(Unsealable):  # the key that they were sealed with is lost
        kept = account.credentials
    account.credentials = {**kept, **_typed_credentials(account, credentials)}
    with asking(account.gateway):
        gateway = gateway_calls.gateway_for_account(account)
        report = gateway.check(gateway_calls.callback_url(account), now)
    if account.account_ref and report.account_ref != account.account_ref:
        # Its payments and their refunds are at that account and nowhere else: another one is connected beside it.
        # One that may not read its account could be of any.
        code = "credential_of_another_account" if report.account_ref else "credential_of_unknown_account"
        error = field_error(code, account=account.account_name or account.account_ref)
        raise Invalid({fields[0].name: error})
    take_report(account, report, now)
    _store_credentials(account, before, "organization.gateway_credentials_replaced", by, now)


@needs(Permission.CONFIGURE_PAYMENTS)
def set_up_callbacks(account: GatewayAccount, *, by: Actor, now: datetime) -> None:
    """Makes the endpoint of the callbacks at the gateway, in place of one that is wrong or whose secret is replaced.

    Raises GatewayRefused, as where the credentials lack a permission, and GatewayUnavailable.
    """
    setup = GATEWAYS[account.gateway].callback_setup
    if setup is None:
        return
    before, url = account.sealed_credentials, settings.PARTWAY_GATEWAY_URLS.get(account.gateway, "")
    with asking(account.gateway):
        account.credentials = setup.create(url, account.credentials, gateway_calls.callback_url(account), now)
    _store_credentials(account, before, "organization.gateway_callbacks_changed", by, now)
    check(account, now=now)


@needs(Permission.CONFIGURE_PAYMENTS)
def set_callback_secret(account: GatewayAccount, *, secret: str, by: Actor, now: datetime) -> None:
    """Stores the signing secret of an endpoint that was made by hand; the one before is accepted for a day.

    Raises Invalid on `secret`, and GatewayUnavailable where the secret is stored, but nothing could be checked.
    """
    setup = GATEWAYS[account.gateway].callback_setup
    if setup is None:
        return
    before = account.sealed_credentials
    try:
        account.credentials = setup.with_secret(account.credentials, secret.strip(), now)
    except ValueError as error:
        raise Invalid({"secret": field_error("callback_secret_invalid")}) from error
    _store_credentials(account, before, "organization.gateway_callbacks_changed", by, now)
    check(account, now=now)


@needs(Permission.CONFIGURE_PAYMENTS)
@transaction.atomic
def allow_methods(
    account: GatewayAccount,
    *,
    methods: Sequence[str],
    by: Actor,
    now: datetime,
    initial: Sequence[str] | None = None,
) -> None:
    """Sets the methods that customers are offered in new checkouts; raises Invalid on `methods`, as without any.

    `initial` are those that the form showed as chosen; others stored since are not overwritten unseen (DESIGN D8).
    All that are available are stored as none, so that one which the account gets later is offered too.
    """
    known = available_methods(account)
    allowed = tuple(method for method in known if method in methods)
    if not allowed:
        raise Invalid({"methods": field_error("method_required")})
    account.organization.lock()
    row = GatewayAccount.objects.get(pk=account.pk)
    before = tuple(row.methods or known)
    if initial is not None:
        allowed = merge({"methods": before}, {"methods": tuple(initial)}, {"methods": allowed})["methods"]
    if allowed == before:
        return
    account.methods = [] if allowed == known else list(allowed)
    GatewayAccount.objects.filter(pk=account.pk).update(methods=account.methods)
    data = {"before": ", ".join(before), "after": ", ".join(allowed)}
    events.record("organization.online_methods_changed", account.organization, by=by, now=now, data=data)


def available_methods(account: GatewayAccount) -> tuple[str, ...]:
    """Returns the methods that the latest check found switched on in the account, and those that are chosen already.

    All that the gateway has where it found none, as in a test account that is not activated yet; none while it cannot
    be opened.
    """
    try:
        gateway: Capabilities = gateway_calls.gateway_for_account(account)
    except (Refused, OutcomeUnknown):
        return ()
    reports = [finding["params"]["methods"] for finding in account.findings if finding["code"] == "methods"]
    active = {method for methods in reports for method in methods}
    if not active:
        return gateway.methods
    return tuple(method for method in gateway.methods if method in active or method in account.methods)


@needs(Permission.CONFIGURE_PAYMENTS)
@transaction.atomic(durable=True)
def disconnect(organization: Organization, *, by: Actor, now: datetime) -> None:
    """Ends the connection and turns online payments off; the account stays, for refunds of the payments it took."""
    organization.lock()
    account = GatewayAccount.objects.current(organization).first()
    if account is None:
        return
    GatewayAccount.objects.filter(pk=account.pk).update(is_current=False)
    data = {"gateway": account.gateway}
    events.record("organization.gateway_disconnected", organization, by=by, now=now, data=data)
    organizations.set_payments_enabled(organization, on=False, by=by, now=now)


@transaction.atomic
def _stop_payments(account: GatewayAccount, now: datetime) -> None:
    """Turns online payments off once the account has left the platform, and tells the owners; what was booked stays."""
    organization, by = account.organization, events.gateway_actor(account.gateway)
    organization.lock()
    row = GatewayAccount.objects.filter(pk=account.pk, is_current=True)
    # Once, and not for an account that is of no use any more.
    if not row.update(is_current=False):
        return
    data = {"gateway": account.gateway}
    event = events.record("organization.gateway_left", organization, by=by, now=now, data=data)
    organizations.set_payments_enabled(organization, on=False, by=by, now=now)
    alerts.raise_for_organization(
        "gateway_left", organization.pk, subject=account.pk, now=now, gateway=account.gateway
    )
    outbox.queue_to_owners("gateway_left", event, data=data)


@contextmanager
def asking(gateway: str) -> Iterator[None]:
    """Holds a place among the calls to gateways, and turns a gateway's errors into those of billing."""
    try:
        with gateway_calls.calling_gateway():
            yield
    except Refused as refusal:
        raise GatewayRefused(gateway=gateway, message_of_gateway=refusal.message) from refusal
    except OutcomeUnknown as error:
        raise GatewayUnavailable(reason="connecting", gateway=gateway) from error


def _typed_credentials(account: GatewayAccount, typed: Mapping[str, str]) -> dict[str, str]:
    """Returns the values of the connection form; raises Invalid for empty ones, GatewayNotAllowed for a wrong mode."""
    definition = GATEWAYS[account.gateway]
    values = {one.name: typed.get(one.name, "").strip() for one in definition.fields}
    errors = {name: field_error("credential_required") for name, value in values.items() if not value}
    for one in definition.fields:
        if one.starts_with and not values[one.name].startswith(one.starts_with):
            wrong = field_error("credential_of_another_kind", starts=", ".join(one.starts_with))
            errors.setdefault(one.name, wrong)
    if errors:
        raise Invalid(errors)
    if refusal := definition.refusal(values, live=settings.PARTWAY_LIVE):
        raise GatewayNotAllowed(reason=refusal, gateway=account.gateway)
    return values


def _store_credentials(account: GatewayAccount, before: str, event: str, by: Actor, now: datetime) -> None:
    """Stores changed credentials with the report; raises Stale where another owner changed them meanwhile."""
    columns = ("sealed_credentials", "account_ref", "account_name", "findings", "checked_at")
    with transaction.atomic(durable=True):
        rows = GatewayAccount.objects.filter(pk=account.pk, sealed_credentials=before)
        if not rows.update(**{name: getattr(account, name) for name in columns}):
            raise Stale()
        events.record(event, account.organization, by=by, now=now, data={"gateway": account.gateway})


def take_report(account: GatewayAccount, report: ConnectionReport, now: datetime) -> None:
    """Writes the report into the row, which is not saved, with what only our own books tell."""
    currency = account.organization.currency
    findings = [finding for finding in report.findings if finding.code != "callbacks_undelivered"]
    try:
        is_taken = currency in gateway_calls.gateway_for_account(account).currencies
        level = FindingLevel.OK if is_taken else FindingLevel.ADVICE
        findings.append(Finding(level, "currency", {"currency": currency}))
    except (Refused, OutcomeUnknown):
        pass  # the report says why it cannot be opened
    received = Callback.objects.filter(gateway_account=account)
    for finding in report.findings:
        if finding.code == "callbacks_undelivered":
            # The gateway counts each of its endpoints: one that another program of the business has may be the one
            # that does not answer. What arrived here was delivered to us.
            ids = list(finding.params["event_ids"])  # type: ignore[arg-type]
            arrived = set(received.filter(event_id__in=ids).values_list("event_id", flat=True))
            if missing := [one for one in ids if one not in arrived]:
                findings.append(Finding(finding.level, finding.code, {"event_ids": missing}))
    latest = received.order_by("-received_at").values_list("received_at", flat=True).first()
    if latest is not None:
        findings.append(Finding(FindingLevel.OK, "callbacks_received", {"at": latest.isoformat()}))
    account.account_ref, account.account_name = report.account_ref, report.account_name
    account.findings = [asdict(finding) for finding in findings]
    account.checked_at = now
