"""Sentences of the report on the connection to a gateway: what was found, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from babel import Locale
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from partway.accounts.models import GatewayAccount
from partway.billing.checkouts.gateway_calls import callback_url
from partway.gateways.registry import GATEWAYS

from ..formats import current_locale, format_datetime
from ..receipt_figures import method_label
from .gateways import gateway_params

_LATE_REPORTS = _(
    "Payments are found all the same, some minutes late. The operator runs “partway gateways platform”."
)

# By the code of the finding, or "code.level" where the level changes it: the sentence, and what to do.
FINDINGS: dict[str, tuple[str | Promise, str | Promise]] = {
    "account": (_("The account is “%(name)s” (%(ref)s)."), ""),
    "mode_live": (_("Live: customers pay real money."), ""),
    "mode_test": (_("Test: everything works, and no real money moves."), ""),
    "charges.ok": (_("The account can take payments."), ""),
    "charges.advice": (
        _("Test payments work. For real ones the account is not activated yet. %(reason)s"),
        _("Before you go live, finish there what %(gateway)s asks for: %(requirements)s."),
    ),
    "charges.wrong": (
        _("The account cannot take payments yet. %(reason)s"),
        _("Finish there what %(gateway)s asks for: %(requirements)s. Then check again."),
    ),
    # Of an account that is held for a reason, while nothing is asked for.
    "charges.advice_held": (
        _("Test payments work. For real ones the account is not activated. %(reason)s"),
        _("The pages of %(gateway)s say what you can do."),
    ),
    "charges.wrong_held": (
        _("The account cannot take payments. %(reason)s"),
        _("The pages of %(gateway)s say what you can do. Then check again."),
    ),
    "payouts.ok": (_("Money is paid out to your bank account."), ""),
    "payouts.advice": (
        _("Payments are taken, and not yet paid out to a bank account. %(reason)s"),
        _("Enter your bank account there and confirm what %(gateway)s asks for."),
    ),
    "country": (_("The country of the account is %(country)s."), ""),
    "currency.ok": (_("Your currency %(currency)s can be paid."), ""),
    "currency.advice": (
        _("%(gateway_at_start)s does not take %(currency)s, the currency of your new invoices."),
        _("Only invoices in another currency can be paid online."),
    ),
    "settlement": (_("It is paid out in %(currency)s; other currencies are converted there."), ""),
    "methods.ok": (_("Customers can pay by: %(methods)s."), ""),
    "methods.wrong": (
        _("No way of paying is switched on in the account."),
        _("Switch on cards there, at least, and check again."),
    ),
    "methods.advice": (
        _("The account has no way of paying switched on for real payments yet."),
        _("To try everything that is enough; cards work in test mode."),
    ),
    "methods_inactive": (
        _("Not switched on in the account: %(methods)s."),
        _("Nothing to do, unless you want to offer them: then switch them on there."),
    ),
    "permissions.ok": (_("The key has every permission that is needed."), ""),
    "permissions.wrong": (
        _("The key lacks permissions: %(permissions)s."),
        _("Edit the key there, allow these, and check again."),
    ),
    "callbacks": (_("%(gateway_at_start)s reports payments to %(url)s."), ""),
    "callbacks_missing": (
        _("%(gateway_at_start)s was not told where to report payments: %(url)s."),
        _("Use “Set up the reports” below."),
    ),
    "callbacks_disabled": (
        _("The reports to %(url)s are switched off there."),
        _("Use “Set up the reports” below, or switch them on there."),
    ),
    "callbacks_incomplete": (
        _("%(gateway_at_start)s does not report everything. Missing: %(events)s."),
        _("Use “Set up the reports” below, or add these events there."),
    ),
    "callbacks_secret": (
        _("The signing secret is missing, so no report can be believed."),
        _("Use “Set up the reports” below, or paste the secret there."),
    ),
    "callbacks_version": (
        _("The reports are of API version %(version)s; Partway was made for %(expected)s."),
        _("They are understood all the same. “Set up the reports” below makes them equal."),
    ),
    "callbacks_unread": (
        _("The key may not read where reports are sent to, so that was not compared."),
        _("Nothing to do where you set it up by hand as described below."),
    ),
    "callbacks_unreachable.wrong": (
        _("%(url)s cannot be reached from the internet."),
        _("The operator sets PARTWAY_URL to the public https address of this installation."),
    ),
    "callbacks_unreachable.advice": (
        _("%(url)s cannot be reached from the internet, so no reports arrive."),
        _(
            "To try it out that is enough: a payment is found when the customer comes back, or after a few minutes."
        ),
    ),
    "callbacks_undelivered": (
        _("Some of the latest reports did not arrive here (%(event_ids)s)."),
        _(
            "Is %(url)s reachable from the internet? %(gateway_at_start)s tries again, and no payment is lost."
        ),
    ),
    "platform_callbacks_missing": (
        _("The operator’s endpoint for reports of %(gateway)s is missing: %(url)s."),
        _LATE_REPORTS,
    ),
    "platform_callbacks_disabled": (
        _("The operator’s endpoint for reports of %(gateway)s is switched off: %(url)s."),
        _LATE_REPORTS,
    ),
    "platform_callbacks_incomplete": (
        _("The operator’s endpoint for reports of %(gateway)s does not get everything. Missing: %(events)s."),
        _LATE_REPORTS,
    ),
    "platform_callbacks_secret": (
        _("The operator has not set the signing secret of the reports of %(gateway)s, so none is believed."),
        _LATE_REPORTS,
    ),
    "callbacks_received": (_("The latest report arrived on %(at)s."), ""),
    "clock.ok": (_("The clocks agree."), ""),
    "clock.wrong": (
        _("The clock of this server differs from that of %(gateway)s by %(seconds)s seconds."),
        _("The operator sets it right, as with NTP: with a wrong clock reports are refused."),
    ),
    "disconnected": (
        _("The account was disconnected from this installation at %(gateway)s."),
        _("Online payments are off. Connect it again to take payments; what was paid stays in your books."),
    ),
    "credentials": (
        _("%(gateway_at_start)s does not accept the key any more: %(message)s"),
        _("Enter a new key of the same account below."),
    ),
    "test_gateway_when_live": (
        _("No real money moves through this account, and this installation is marked live."),
        _("Change to an account for real payments. What was paid here by test cards stays in your books."),
    ),
    "live_account_when_not_live": (
        _("Real money moves through this account, and this installation is not marked live."),
        _("The operator sets PARTWAY_LIVE; a copy of an installation that is only tried out must not."),
    ),
}


@dataclass(frozen=True, slots=True)
class ConnectionNote:
    """One finding for a page: its level, its sentence, and what to do; `advice` is empty where nothing is."""

    level: str
    message: str
    advice: str

    @property
    def status(self) -> str:
        """The status that a page shows as a dot and a word."""
        return f"finding_{self.level}"


def connection_notes(account: GatewayAccount, time_zone: str) -> list[ConnectionNote]:
    """Returns the latest report in sentences, with what is wrong first."""
    order, notes = ("wrong", "advice", "ok"), []
    for finding in sorted(account.findings, key=lambda one: order.index(one["level"])):
        code, level = finding["code"], finding["level"]
        message, advice = FINDINGS.get(f"{code}.{level}") or FINDINGS[code]
        params = {"url": callback_url(account), **gateway_params(account.gateway)}
        given = finding["params"]
        params |= {name: _formatted(name, value, time_zone) for name, value in given.items()}
        # Codes of the gateway, in words, which may be the same for several.
        words = GATEWAYS[account.gateway].words
        if given.get("requirements"):
            params["requirements"] = ", ".join(
                dict.fromkeys(gettext(words(one)) for one in given["requirements"])
            )
        if given.get("reason"):
            params["reason"] = gettext(words(given["reason"]))
        if given.get("requirements") == []:
            message, advice = FINDINGS.get(f"{code}.{level}_held", (message, advice))
        notes.append(ConnectionNote(level, (str(message) % params).strip(), str(advice) % params))
    return notes


def _formatted(name: str, value: Any, time_zone: str) -> str:
    if name == "methods":
        return ", ".join(method_label(method) for method in value)
    if name == "at":
        return format_datetime(datetime.fromisoformat(value), time_zone)
    if name == "country":
        return str(Locale.parse(current_locale()).territories.get(value, value))
    if name == "seconds":
        return str(abs(value))
    return ", ".join(value) if isinstance(value, list) else str(value)
