"""The steps of a new organization to its first payment: which are done, and which comes next for this member.

Nothing is stored: each step is derived from the rows, in any order and by any member. A step that billing would refuse
now has no button and no link. The list disappears for good with the first payment.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from django.conf import settings
from django.utils.translation import gettext

from partway.accounts.permissions import Permission
from partway.billing import links
from partway.billing.checkouts import gateway_calls
from partway.billing.errors import NotPayable
from partway.billing.models import Invoice, Payment, PaymentRequest
from partway.billing.models.payments import RECEIVED_STATUSES
from partway.billing.payments.start import check_payable
from partway.billing.people import gateway_accounts
from partway.billing.requests import payment_requests
from partway.delivery.messages.gateways import gateway_phrase
from partway.gateways.registry import GATEWAYS, available_gateways

from ..context import MemberContext
from ..forms import sentences

_SEARCHED_INVOICES = 20  # the newest sent ones, of which one may be asked for


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its title, the button and where it leads, why it is useful, and the permission it needs.

    Without a `url` it cannot be done now. With `fields` the button sends them to the `url` and does the step at once.
    """

    message: str
    button: str
    description: str
    url: str
    done: bool
    permission: Permission = Permission.REQUEST_PAYMENTS
    fields: tuple[tuple[str, str], ...] = ()
    is_required: bool = True


@dataclass(frozen=True, slots=True)
class Onboarding:
    """The steps that this member can do; `blocked_notice` names what only an owner can, where that is missing."""

    steps: list[Step]
    blocked_notice: str = ""

    @property
    def next(self) -> Step | None:
        """The first required step that is not done and can be done now."""
        return next((step for step in self.steps if step.url and step.is_required and not step.done), None)

    @property
    def done_count(self) -> int:
        """The number of steps that are done."""
        return sum(step.done for step in self.steps)


def onboarding(ctx: MemberContext) -> Onboarding | None:
    """Returns the steps; None for a reader, and after the first payment."""
    payments = Payment.objects.for_organization(ctx.organization)
    if (
        Permission.REQUEST_PAYMENTS not in ctx.permissions
        or payments.filter(status__in=RECEIVED_STATUSES).exists()
    ):
        return None
    has_account = gateway_accounts.current_account(ctx.organization) is not None
    accepts_payments = has_account and ctx.organization.payments_enabled
    steps = [
        Step(
            message=gettext("Enter your business details"),
            button=gettext("Complete the profile"),
            description="",
            url=ctx.url("settings"),
            done=bool(ctx.organization.address.strip()),
            permission=Permission.CONFIGURE_ORGANIZATION,
            is_required=False,
        ),
        _payments_step(ctx, has_account=has_account),
        *_collection_steps(ctx, accepts_payments=accepts_payments),
    ]
    mine = [step for step in steps if step.permission in ctx.permissions]
    blocked_notice = ""
    if len(mine) < len(steps) and not accepts_payments:
        blocked_notice = gettext("Before a payment can be requested, an owner has to set up online payments.")
    return Onboarding(mine, blocked_notice)


def _payments_step(ctx: MemberContext, *, has_account: bool) -> Step:
    """Connects a payment service, or switches online payments on again; at once where nothing has to be typed."""
    offered = available_gateways(live=settings.PARTWAY_LIVE)
    # A new owner can try everything before there is an account to type the key of.
    at_once = [code for code, gateway in offered.items() if gateway.create_account and not gateway.fields]
    hints = [gettext(offered[code].onboarding_hint) for code in at_once]
    button, fields = gettext("Connect a payment service"), dict[str, str]()
    if has_account:
        button, fields = gettext("Switch online payments on"), {"operation": "switch_on"}
    elif at_once:
        button = gettext("Connect %(gateway)s") % {"gateway": gateway_phrase(at_once[0])}
        fields = {"operation": "connect", "gateway": at_once[0]}
        hints.append(gettext("For real money, connect another one in the settings at any time."))
    return Step(
        message=gettext("Accept online payments"),
        button=button,
        description=sentences(gettext("It charges your customers' cards and bank accounts."), *hints),
        url=ctx.url("settings_payments") if has_account or offered else "",
        done=has_account and ctx.organization.payments_enabled,
        permission=Permission.CONFIGURE_PAYMENTS,
        fields=tuple(fields.items()),
    )


def _collection_steps(ctx: MemberContext, *, accepts_payments: bool) -> list[Step]:
    """The steps of collecting; they lead to the newest draft, the newest requestable invoice and the open request."""
    invoices = Invoice.objects.for_organization(ctx.organization).order_by("-created_at", "-id")
    has_sent = invoices.filter(number__isnull=False).exists()
    draft = None if has_sent else invoices.filter(status="draft").first()
    send_url, send_button = _way_to_first_invoice(ctx, draft)
    sent = islice(invoices.filter(status="sent").select_related("organization"), _SEARCHED_INVOICES)
    requestable = next((one for one in sent if payment_requests.unavailable_reason(one) is None), None)
    request_url, request_button = ctx.url("invoice_new"), gettext("Write an invoice")
    if requestable is not None:
        request_url, request_button = ctx.url("request_new", requestable.pk), gettext("Request a payment")
    requests = PaymentRequest.objects.for_organization(ctx.organization).order_by("-created_at", "-id")
    open_request = requests.filter(status="open").select_related("invoice__organization").first()
    can_request = accepts_payments and has_sent
    return [
        Step(
            message=gettext("Send the first invoice"),
            button=send_button,
            description=gettext("The invoice gets its number, and the customer gets a mail with its link."),
            url=send_url,
            done=has_sent,
        ),
        Step(
            message=gettext("Request the first payment"),
            button=request_button,
            description=gettext("The customer gets a mail with a link to pay a part of the amount due."),
            url=request_url if can_request else "",
            done=requests.exists(),
        ),
        _receive_step(ctx, open_request)
        if open_request is not None
        else Step(
            message=gettext("Receive the first payment"),
            button=request_button,
            description=gettext("The last request has ended. Request the payment again."),
            url=request_url if can_request and requests.exists() else "",
            done=False,
        ),
    ]


def _way_to_first_invoice(ctx: MemberContext, draft: Invoice | None) -> tuple[str, str]:
    """Returns the URL and the label of the button that leads to the first sent invoice."""
    if draft is None:
        return ctx.url("invoice_new"), gettext("Write an invoice")
    if draft.total_minor:
        return ctx.url("invoice_send", draft.pk), gettext("Send the draft")
    # Billing sends no invoice on which nothing is due.
    return ctx.url("invoice_edit", draft.pk), gettext("Finish the draft")


def _receive_step(ctx: MemberContext, open_request: PaymentRequest) -> Step:
    """The last step: the member pays a test gateway's checkout; else the customer does, by the link that was mailed."""
    message = gettext("Receive the first payment")
    account = gateway_accounts.current_account(ctx.organization)
    test_gateway = gateway_calls.test_gateway_of(account) if account else ""
    test_card = GATEWAYS[test_gateway].test_card if test_gateway else ""
    try:
        check_payable(open_request, now=ctx.now)
    except NotPayable:  # payments are off, or its last day is over
        test_card = ""
    if test_card:
        description = gettext("Open the link as your customer would, and pay with the test card %(card)s.")
        description %= {"card": test_card}
        url = links.request_url(open_request)
        return Step(message, gettext("Open the payment link"), description, url, done=False)
    description = gettext(
        "The link was mailed. When the customer has paid, it shows here and on the invoice."
    )
    url = ctx.url("invoice", open_request.invoice_id)
    return Step(message, gettext("Look at the invoice"), description, url, done=False)
