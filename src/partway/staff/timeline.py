"""Events as sentences for the timeline and the audit log: what happened and who did it, in a bookkeeper's terms."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from partway.accounts.models import Role
from partway.billing.documents import versions
from partway.billing.models import Event
from partway.billing.models.disputes import DisputeReason
from partway.billing.models.refunds import RefundReason
from partway.delivery.formats import format_date, format_deadline, format_money
from partway.delivery.messages.alerts import alert_sentence
from partway.delivery.messages.mails import mail_error_message
from partway.delivery.receipt_figures import adjustment_label, method_label
from partway.delivery.statement_rows import period_label
from partway.lib.money import Money

_MAX_VALUE_LENGTH = 80  # of a setting that is quoted


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One event: its sentence, an optional detail, and the version of the document that it replaced (0 for none)."""

    message: str
    at: datetime
    tone: str  # of its dot: green and ring for money, amber for failures, muted for the rest
    detail: str = ""
    version: int = 0


def entries(events: Iterable[Event], *, with_steps: bool = False) -> list[TimelineEntry]:
    """Returns the entries of the events in their order; `with_steps`: also the internal steps of a checkout."""
    found = []
    for event in events:
        if event.type in _HIDDEN_TYPES and not with_steps:
            continue
        replaced = versions.version_before(event)
        found.append(
            TimelineEntry(
                message=message(event),
                at=event.created_at,
                tone=_TONES.get(event.type, "muted"),
                detail=detail(event),
                version=replaced.version if replaced else 0,
            )
        )
    return found


def message(event: Event) -> str:
    """Returns the sentence of an event."""
    variant = _VARIANTS[event.type](event) if event.type in _VARIANTS else ""
    sentence = _SENTENCES.get(f"{event.type}:{variant}") or _SENTENCES.get(event.type)
    if sentence is None:
        return f"{event.type.replace('.', ' ').replace('_', ' ').capitalize()} ({event.actor_label})"
    return str(sentence) % _Values(event)


@dataclass(frozen=True, slots=True)
class _Values:
    """The values that sentences name; only those that a sentence uses are computed."""

    event: Event

    def __getitem__(self, name: str) -> str:
        compute = _COMPUTED.get(name)
        value = compute(self.event) if compute else self.event.data[name]
        return format_money(value) if isinstance(value, Money) else str(value)


def _amount(event: Event) -> object:
    data = event.data
    for name, currency in (("captured_minor", "captured_currency"), ("amount_minor", "currency")):
        if name in data:
            return Money(data[name], data[currency])
    if event.payment:
        return event.payment.captured or event.payment.amount
    return event.payment_request.amount_requested if event.payment_request else gettext("the amount")


def _recipients(event: Event) -> str:
    """Addresses; `to` of a move between states is the state it moved to, which is text and no list."""
    to: Any = event.data.get("to")
    return ", ".join(to) if isinstance(to, list) else str(event.data.get("email", gettext("the customer")))


_COMPUTED: dict[str, Callable[[Event], object]] = {
    "actor": lambda event: event.actor_label,
    "adjustment": lambda event: adjustment_label(event.data["reason"]),
    "amount": _amount,
    # Without its sign: the sentence says whether it was charged or given back.
    "fee": lambda event: Money(abs(event.data["fee_minor"]), event.data["fee_currency"]),
    "dispute_fee": lambda event: Money(event.data["fee_minor"], event.data["fee_currency"]),
    "day": lambda event: format_date(date.fromisoformat(event.data["on"])),
    "gateway": lambda event: event.data.get("gateway", gettext("a payment service")),
    "method": lambda event: method_label(str(event.data.get("method", "other means"))),
    "person": lambda event: event.data.get("name") or event.data.get("email", gettext("a person")),
    "refund_method": lambda event: method_label(event.data["method"]),
    "refund_reason": lambda event: RefundReason(event.data["reason"]).label,
    "role": lambda event: (
        Role(event.data["role"]).label.lower() if "role" in event.data else gettext("a new role")
    ),
    "to": _recipients,
    "total": lambda event: Money(event.data["total_minor"], event.data["currency"]),
    "was": lambda event: event.data.get("before", {}).get("name", gettext("A member")),
}


def detail(event: Event) -> str:
    """Returns the detail under the sentence; empty for most events."""
    if "ip_address" in event.data:
        return gettext("from %(address)s") % {"address": event.data["ip_address"]}
    return _DETAILS[event.type](event) if event.type in _DETAILS else ""


def _edit_effects(data: dict[str, Any]) -> str:
    """The totals where they differ, and the amount that became credit."""
    before, parts = data.get("before"), []
    if before and before["total_minor"] != data["total_minor"]:
        old = format_money(Money(before["total_minor"], before["currency"]))
        new = format_money(Money(data["total_minor"], data["currency"]))
        parts.append(gettext("Total %(old)s → %(new)s") % {"old": old, "new": new})
    if data.get("credited_minor"):
        credited = Money(data["credited_minor"], data["currency"])
        parts.append(
            gettext("%(credited)s became the customer’s credit") % {"credited": format_money(credited)}
        )
    return "; ".join(parts)


def _setting_changes(data: dict[str, Any]) -> str:
    """Each changed setting with its old and its new value, as far as the event has them."""
    before, after = data.get("before", {}), data.get("after", {})
    parts = []
    for name, old in before.items():
        new = f" → {_quoted(after[name])}" if name in after else ""
        parts.append(f"{name.replace('_', ' ')}: {_quoted(old)}{new}")
    return "; ".join(parts)


def _recipient_changes(data: dict[str, Any]) -> str:
    """To and Cc before and after; a Bcc was hidden from the others, so readers do not learn it here either."""
    labels = {"to": gettext("To"), "cc": gettext("Cc")}
    before = data["before"]
    return "; ".join(
        f"{label}: {_quoted(', '.join(before[name]))} → {_quoted(', '.join(data[name]))}"
        for name, label in labels.items()
        if before[name] != data[name]
    )


def _quoted(value: object) -> str:
    text = " ".join(str(value).split())
    return f"“{text[:_MAX_VALUE_LENGTH]}”" if text else gettext("nothing")


# By event type, or by type and variant.
_SENTENCES = {
    **dict.fromkeys(
        [f"{noun}.external_fields_changed" for noun in ("customer", "invoice", "quote", "payment_request")],
        _("%(actor)s changed the reference or the metadata by which a program knows this"),
    ),
    "invoice.created": _("%(actor)s wrote the invoice"),
    "invoice.created:of_quote": _("%(actor)s made this invoice of %(number)s"),
    "invoice.deleted": _("%(actor)s deleted a draft invoice over %(total)s"),
    "invoice.deposit_allocated": _("The deposit of %(amount)s from %(number)s was put on this invoice"),
    "invoice.edited": _("%(actor)s changed the invoice"),
    "invoice.parties_corrected": _("%(actor)s corrected who the invoice is from and to"),
    "invoice.sent": _("%(actor)s sent the invoice to %(to)s"),
    "invoice.resent": _("%(actor)s sent the invoice again to %(to)s"),
    "invoice.opened": _("%(actor)s opened the invoice"),
    "invoice.paid": _("The invoice is paid in full"),
    "invoice.voided": _("%(actor)s voided the invoice"),
    "invoice.reopened": _("The invoice is due again"),
    "invoice.reopened:written_off": _("%(actor)s reopened the invoice"),
    "invoice.written_off": _("%(actor)s wrote off %(amount)s of the invoice"),
    "invoice.written_off:again": _("%(amount)s is written off again"),
    "invoice.settled": _("%(actor)s settled the remaining %(amount)s (%(adjustment)s)"),
    "invoice.adjustment_taken_back": _("%(actor)s took back that %(amount)s was settled (%(adjustment)s)"),
    "invoice.adjustment_taken_back:payment_reversed": _(
        "%(amount)s is no longer settled (%(adjustment)s), because a payment was reversed"
    ),
    "invoice.adjustment_taken_back:invoice_changed": _(
        "%(amount)s is no longer settled (%(adjustment)s), because the total is lower"
    ),
    "invoice.adjustment_taken_back:invoice_voided": _(
        "%(amount)s is no longer settled (%(adjustment)s), because the invoice is void"
    ),
    "invoice.sent:not_mailed": _("%(actor)s issued the invoice without a mail"),
    "quote.created": _("%(actor)s wrote this quote"),
    "quote.edited": _("%(actor)s changed this quote"),
    "quote.sent": _("%(actor)s sent the quote to %(to)s"),
    "quote.resent": _("%(actor)s sent the quote again to %(to)s"),
    "quote.opened": _("%(actor)s opened the quote"),
    "quote.accepted": _("%(name)s accepted the quote"),
    "quote.accepted:recorded": _("%(actor)s recorded that %(name)s accepted the quote on %(day)s"),
    "quote.declined": _("%(actor)s declined the quote"),
    "quote.declined:recorded": _("%(actor)s recorded that %(name)s declined the quote on %(day)s"),
    "quote.deleted": _("%(actor)s deleted a draft quote over %(total)s"),
    "quote.withdrawn": _("%(actor)s withdrew the quote"),
    "quote.expired": _("The quote expired: its last day is over"),
    "quote.invoiced": _("%(actor)s made an invoice of this quote"),
    "quote.reopened": _("%(actor)s voided %(number)s, so another invoice can be made of this quote"),
    "quote.reopened:deleted": _(
        "%(actor)s deleted the draft invoice, so another one can be made of this quote"
    ),
    "quote.reopened:draft": _("%(actor)s voided the draft invoice, so another one can be made of this quote"),
    "payment.recorded": _("%(actor)s recorded a payment of %(amount)s (%(method)s)"),
    "payment.recorded:deposit": _("%(actor)s recorded the deposit of %(amount)s (%(method)s)"),
    "payment.reversed": _("%(actor)s reversed a payment of %(amount)s"),
    "payment.reversed:deposit": _("%(actor)s reversed the deposit of %(amount)s"),
    "payment.receipt_resent": _("%(actor)s sent the receipt again to %(to)s"),
    "credit.applied": _("%(actor)s put %(amount)s of credit on the invoice"),
    "invoice.adjustment_taken_back:refund_failed": _(
        "%(amount)s is no longer settled (%(adjustment)s), because its refund failed"
    ),
    "invoice.adjustment_taken_back:dispute_won": _(
        "%(amount)s is no longer settled (%(adjustment)s), because the customer’s bank returned the money"
    ),
    "invoice.payment_lost": _("%(amount)s was taken off the invoice, because a dispute was lost"),
    "invoice.payment_reinstated": _(
        "%(amount)s is on the invoice again, because the customer’s bank returned it"
    ),
    "dispute.opened": _("The customer’s bank disputed %(amount)s of a payment"),
    "dispute.opened:debit_returned": _("The customer’s bank returned %(amount)s of a bank debit"),
    "dispute.updated": _("The dispute is about %(amount)s now"),
    "dispute.fee_changed": _("The payment service charges %(dispute_fee)s for the dispute"),
    "dispute.fee_changed:none": _("The payment service gave the fee of the dispute back"),
    "dispute.reminded": _("A reminder was sent: evidence for the dispute about %(amount)s is due soon"),
    "dispute.won": _("The dispute about %(amount)s was won"),
    "dispute.won:lost": _("The lost dispute about %(amount)s was won after all"),
    "dispute.lost": _("The dispute about %(amount)s was lost; the customer has the money again"),
    "dispute.lost:debit_returned": _(
        "The customer has %(amount)s again, because the bank returned the debit"
    ),
    "dispute.lost:won": _("The dispute about %(amount)s was lost after it had been won"),
    "dispute.loss_covered": _(
        "%(amount)s of a dispute is no longer lost: the payment has money for it again"
    ),
    "invoice.payment_refunded": _("%(amount)s was taken off the invoice, because it was given back"),
    "invoice.payment_restored": _("%(amount)s is on the invoice again, because its refund failed"),
    "refund.started": _("%(actor)s sent %(amount)s back to the customer (%(refund_reason)s)"),
    "refund.started:automatic": _("%(amount)s that was not due is sent back to the customer by itself"),
    "refund.reported": _("%(amount)s was sent back in the dashboard of the payment service"),
    "refund.reported:lost": _(
        "%(amount)s was sent back in the dashboard of the payment service, more than was left"
    ),
    "refund.loss_covered": _("%(amount)s of a refund is no longer lost: the payment has money for it again"),
    "refund.succeeded": _("The payment service confirmed the refund of %(amount)s"),
    "refund.succeeded:offline": _("%(actor)s recorded that %(amount)s was given back (%(refund_method)s)"),
    "refund.failed": _("The refund of %(amount)s failed; the customer does not get it"),
    "refund.failed:disputed": _("The refund of %(amount)s was not sent, because the payment was disputed"),
    "refund.fee_booked": _("The payment service charged a fee of %(fee)s for the refund"),
    "refund.fee_booked:none": _("The payment service charged no fee for the refund"),
    "refund.fee_booked:given_back": _("The payment service gave back %(fee)s of its fees with the refund"),
    "refund.reversed": _("%(actor)s reversed the refund of %(amount)s"),
    "credit.released": _("%(actor)s moved %(amount)s to the customer’s credit"),
    "payment_request.sent": _("%(actor)s requested %(amount)s from %(to)s"),
    "payment_request.sent:not_mailed": _("%(actor)s requested %(amount)s with a link, without a mail"),
    "payment_request.resent": _("%(actor)s sent the payment link again to %(to)s"),
    "payment_request.recipients_changed": _("%(actor)s changed who gets the payment link"),
    "payment_request.opened": _("%(actor)s opened the payment link"),
    "payment_request.paid": _("The request for %(amount)s was paid"),
    "payment_request.expired": _("The request for %(amount)s expired"),
    "payment_request.canceled": _("%(actor)s canceled the request for %(amount)s"),
    "payment_request.canceled:invoice_paid": _(
        "The request for %(amount)s was canceled, because the invoice was paid in full"
    ),
    "payment_request.canceled:invoice_voided": _("The request for %(amount)s was canceled with the invoice"),
    "payment_request.canceled:invoice_written_off": _(
        "The request for %(amount)s was canceled with the invoice"
    ),
    "payment_request.canceled:invoice_changed": _(
        "The request for %(amount)s was canceled, because the invoice changed"
    ),
    "payment_request.canceled:offline_payment": _(
        "The request for %(amount)s was canceled by an offline payment"
    ),
    "payment_request.canceled:replaced": _("The request for %(amount)s was replaced by another"),
    "payment.started": _("%(actor)s started to pay %(amount)s"),
    "payment.declined": _("A payment of %(amount)s was declined"),
    "payment.authorized": _("The card was authorized for %(amount)s"),
    "payment.capturing": _("The charge of %(amount)s was started"),
    "payment.releasing": _("The release of %(amount)s was started; nothing is charged"),
    "payment.closing": _("The checkout for %(amount)s is being closed"),
    "payment.processing": _("A payment of %(amount)s is being processed by the bank"),
    "payment.processing:unwanted": _(
        "A payment of %(amount)s is being processed by the bank, which is no longer needed"
    ),
    "payment.succeeded": _("%(amount)s was paid"),
    "payment.failed": _("The payment of %(amount)s failed; nothing was taken"),
    "payment.fee_booked": _("The payment service charged a fee of %(fee)s"),
    "payment.fee_booked:none": _("The payment service charged no fee"),
    "payment.fee_booked:given_back": _("The payment service gave back a fee of %(fee)s"),
    "payment.canceled": _("The payment of %(amount)s was closed; nothing was taken"),
    "payout.reported": _("The payment service began a payout of %(amount)s"),
    "payout.changed": _("The payment service changed a payout to %(amount)s"),
    "payout.paid": _("The payment service paid out %(amount)s"),
    "payout.failed": _("The payout of %(amount)s failed"),
    "mail.failed": _("A mail to %(to)s could not be delivered"),
    "alert.resolved": _("%(actor)s marked an entry of Attention as dealt with"),
    "customer.created": _("%(actor)s added a customer"),
    "customer.changed": _("%(actor)s changed a customer"),
    "customer.statement_sent": _("%(actor)s sent a statement of account to %(to)s"),
    "organization.created": _("%(actor)s created the organization"),
    "organization.changed": _("%(actor)s changed the settings"),
    "organization.logo_changed": _("%(actor)s changed the logo"),
    "organization.logo_removed": _("%(actor)s removed the logo"),
    "organization.payments_enabled": _("%(actor)s switched online payments on"),
    "organization.payments_disabled": _("%(actor)s switched online payments off"),
    "organization.gateway_connected": _("%(actor)s connected %(gateway)s"),
    "organization.gateway_disconnected": _("%(actor)s disconnected %(gateway)s"),
    "organization.gateway_credentials_replaced": _("%(actor)s entered a new key of %(gateway)s"),
    "organization.gateway_callbacks_changed": _("%(actor)s set up the reports of %(gateway)s"),
    "organization.online_methods_changed": _("%(actor)s changed the ways to pay online"),
    "key.created": _("%(actor)s created the key “%(person)s” (%(scope)s, …%(last_letters)s)"),
    "key.revoked": _("%(actor)s revoked the key “%(person)s” (%(scope)s, …%(last_letters)s)"),
    "member.added": _("%(actor)s added %(person)s as %(role)s"),
    "member.invited": _("%(actor)s invited %(person)s as %(role)s"),
    "member.invitation_resent": _("%(actor)s invited %(person)s once more"),
    "member.invitation_withdrawn": _("%(actor)s withdrew the invitation of %(person)s"),
    "member.joined": _("%(person)s joined as %(role)s"),
    "webhook_endpoint.created": _("%(actor)s added the webhook endpoint %(url)s"),
    "webhook_endpoint.changed": _("%(actor)s changed the webhook endpoint %(url)s"),
    "webhook_endpoint.enabled": _("%(actor)s enabled the webhook endpoint %(url)s"),
    "webhook_endpoint.disabled": _("%(actor)s disabled the webhook endpoint %(url)s"),
    "webhook_endpoint.secret_rotated": _("%(actor)s made a new secret for the webhook endpoint %(url)s"),
    "webhook_endpoint.deleted": _("%(actor)s deleted the webhook endpoint %(url)s"),
    "webhook_endpoint.tested": _("%(actor)s sent a test to the webhook endpoint %(url)s"),
    "webhook_endpoint.deliveries_retried": _("%(actor)s sent %(deliveries)s webhooks to %(url)s again"),
    "member.role_changed": _("%(actor)s made %(person)s %(role)s"),
    "member.removed": _("%(actor)s removed %(person)s"),
    "member.renamed": _("%(was)s changed their name to %(person)s"),
    "member.password_changed": _("%(person)s changed their password"),
    "member.password_reset": _("%(person)s set a new password by mail"),
    "member.two_factor_on": _("%(person)s switched two-factor sign-in on"),
    "member.two_factor_off": _("%(person)s switched two-factor sign-in off"),
    "member.two_factor_reset": _("%(actor)s switched the two-factor sign-in of %(person)s off"),
    "member.recovery_codes_made": _("%(person)s made new recovery codes"),
    "member.sessions_ended": _("%(person)s ended their other sessions"),
    "member.signed_in": _("%(person)s signed in"),
    "member.signed_out": _("%(person)s signed out"),
    "member.sign_in_failed": _("A wrong password was typed for %(person)s"),
    "member.sign_in_failed:code": _("A wrong code was typed for %(person)s, after the right password"),
    "member.sign_in_limited": _("Wrong passwords were tried for %(person)s; attempts are slowed down"),
    "member.sign_in_limited:code": _(
        "Sign-in codes of %(person)s were guessed after the right password; attempts are slowed down"
    ),
    "organization.import_uploaded": _("%(actor)s uploaded “%(file)s” to import it"),
    "organization.import_confirmed": _("%(actor)s confirmed the import of “%(file)s”"),
    "organization.import_finished": _("%(actor)s imported %(made)s rows of “%(file)s”"),
    "organization.import_discarded": _("%(actor)s discarded “%(file)s” without importing it"),
    "organization.invoices_exported": _("%(actor)s exported the list of invoices"),
    "organization.payments_exported": _("%(actor)s exported the list of payments"),
    "organization.journal_exported": _("%(actor)s exported the journal"),
    "organization.journal_closed": _("%(actor)s closed the journal"),
    "organization.journal_reopened": _("%(actor)s opened a closed period of the journal again"),
    "organization.accounts_changed": _("%(actor)s changed accounts of the journal"),
    "organization.payouts_exported": _("%(actor)s exported the list of payouts"),
}


# The key of what a member or customer typed, which is the detail of these.
def _value(key: str) -> Callable[[Event], str]:
    """Returns the function that reads a text of the event's data; empty where the event has none."""
    return lambda event: str(event.data.get(key, ""))


def _end_of_deposit(event: Event) -> str:
    return gettext("No longer the deposit of the quote") if event.data.get("ends_deposit") else ""


def _dispute_details(event: Event) -> str:
    """The reason that the bank gives, the last day for evidence, and the fee."""
    data, zone = event.data, event.organization.time_zone
    parts = [str(DisputeReason(data["reason"]).label)]
    if data["evidence_due_at"]:
        until = format_deadline(datetime.fromisoformat(data["evidence_due_at"]), zone)
        parts.append(gettext("evidence until %(until)s") % {"until": until})
    if data["fee_minor"]:
        fee = Money(data["fee_minor"], data["fee_currency"])
        parts.append(gettext("fee %(amount)s") % {"amount": format_money(fee)})
    return " · ".join(parts)


# Tells apart the sentences of one event type.
_VARIANTS: dict[str, Callable[[Event], str]] = {
    "dispute.fee_changed": lambda event: "" if event.data["fee_minor"] else "none",
    "dispute.lost": lambda event: "won" if event.data["from"] == "won" else event.data["reason"],
    "dispute.opened": _value("reason"),
    "dispute.won": _value("from"),
    "refund.failed": _value("code"),
    "invoice.adjustment_taken_back": _value("cause"),
    "invoice.created": lambda event: "of_quote" if event.data.get("number") else "",
    "invoice.reopened": _value("from"),
    "invoice.written_off": lambda event: "again" if event.data.get("from") == "paid" else "",
    "member.sign_in_failed": _value("kind"),
    "member.sign_in_limited": _value("kind"),
    **dict.fromkeys(
        ("payment.fee_booked", "refund.fee_booked"),
        lambda event: (
            "given_back" if event.data["fee_minor"] < 0 else "" if event.data["fee_minor"] else "none"
        ),
    ),
    "payment.recorded": lambda event: "deposit" if event.quote_id else "",
    "payment.reversed": lambda event: "deposit" if event.quote_id else "",
    "payment.processing": lambda event: "" if event.data.get("accepted", True) else "unwanted",
    "payment_request.canceled": _value("reason"),
    "invoice.sent": lambda event: "not_mailed" if event.data.get("not_mailed") else "",
    "payment_request.sent": lambda event: "not_mailed" if event.data.get("not_mailed") else "",
    "refund.started": lambda event: "automatic" if event.data.get("automatic") else "",
    "refund.reported": lambda event: "lost" if event.data["lost_minor"] else "",
    "refund.succeeded": lambda event: "offline" if event.data["mode"] == "offline" else "",
    "quote.accepted": lambda event: "recorded" if "on" in event.data else "",
    "quote.declined": lambda event: "recorded" if "on" in event.data else "",
    "quote.reopened": lambda event: (
        "deleted" if "deleted" in event.data else "" if event.data.get("number") else "draft"
    ),
}
_DETAILS: dict[str, Callable[[Event], str]] = {
    "alert.resolved": lambda event: alert_sentence(event.data["kind"], event.data["params"]),
    "customer.statement_sent": lambda event: (
        f"{period_label(*(date.fromisoformat(event.data[name]) for name in ('since', 'until')))}, "
        f"{event.data['currency']}"
    ),
    "invoice.edited": lambda event: _edit_effects(event.data),
    "invoice.settled": _value("note"),
    "mail.failed": lambda event: mail_error_message(event.data["code"], event.data["params"]),
    "organization.changed": lambda event: _setting_changes(event.data),
    "organization.invoices_exported": _value("filters"),
    "organization.payments_exported": _value("filters"),
    "organization.journal_exported": _value("filters"),
    "organization.journal_closed": lambda event: format_date(date.fromisoformat(event.data["through"])),
    "organization.journal_reopened": _value("reason"),
    "organization.payouts_exported": _value("filters"),
    "payment.declined": _value("message"),
    "payment.failed": _value("message"),
    "payment.recorded": lambda event: (
        " · ".join(filter(None, (event.payment.reference, event.payment.note))) if event.payment else ""
    ),
    "payment.reversed": _value("reason"),
    "payment_request.sent": lambda event: event.payment_request.note if event.payment_request else "",
    "payment_request.recipients_changed": lambda event: _recipient_changes(event.data),
    "quote.accepted": _value("note"),
    "quote.declined": _value("reason"),
    "refund.reversed": _value("reason"),
    # The note of the member, and that the payment was a deposit and is none any more.
    **dict.fromkeys(
        ("refund.started", "refund.reported", "refund.succeeded"),
        lambda event: " · ".join(filter(None, (event.data.get("note"), _end_of_deposit(event)))),
    ),
    "refund.failed": _value("message"),
    **dict.fromkeys(("dispute.opened", "dispute.updated", "dispute.reminded"), _dispute_details),
    **dict.fromkeys(("dispute.lost", "dispute.loss_covered", "refund.loss_covered"), _end_of_deposit),
}
# Steps of a checkout, and what the business pays for it, which the customer's documents have nothing to do with.
_HIDDEN_TYPES = frozenset(
    {
        *("payment.authorized", "payment.capturing", "payment.releasing", "payment.closing"),
        *("payment.fee_booked", "refund.fee_booked"),
    }
)
_TONES = {
    "payment_request.sent": "ring",
    "payment.succeeded": "green",
    "payment_request.paid": "green",
    "invoice.paid": "green",
    "invoice.deposit_allocated": "green",
    "invoice.settled": "green",
    "invoice.adjustment_taken_back": "amber",
    "payment.recorded": "green",
    "payment.reversed": "amber",
    **dict.fromkeys(("refund.started", "refund.succeeded", "refund.reversed"), "amber"),
    **dict.fromkeys(("refund.reported", "refund.failed"), "amber"),
    **dict.fromkeys(("dispute.opened", "dispute.lost", "invoice.payment_lost"), "amber"),
    **dict.fromkeys(("dispute.won", "invoice.payment_reinstated"), "green"),
    "credit.applied": "green",
    "quote.sent": "ring",
    "quote.accepted": "green",
    "quote.declined": "amber",
    "quote.withdrawn": "amber",
    "payment.processing": "ring",
    "payment.declined": "amber",
    "payment.failed": "amber",
    "mail.failed": "amber",
    "payout.failed": "amber",
    "member.sign_in_failed": "amber",
    "member.sign_in_limited": "amber",
}
