"""The steps of a new organization to its first payment: which are done, and which comes next for this member.

Nothing is stored: each step is derived from the rows, in any order and by any member. The list disappears for
good with the first payment.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext

from partway.accounts.models import GatewayAccount
from partway.accounts.permissions import Permission
from partway.billing import links
from partway.billing.models import Customer, Invoice, Payment, PaymentRequest
from partway.billing.models.payments import RECEIVED_STATUSES
from partway.gateways.registry import GATEWAYS

from ..context import MemberContext
from ..forms import sentences


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its title, the button and where it leads, why it is useful, and the permission it needs."""

    message: str
    button: str
    description: str
    url: str
    done: bool
    permission: Permission = Permission.REQUEST_PAYMENTS


@dataclass(frozen=True, slots=True)
class Onboarding:
    """The steps that this member can do; `blocked_notice` names what only an owner can, where that is missing."""

    steps: list[Step]
    blocked_notice: str = ""

    @property
    def next(self) -> Step | None:
        """The first step that is not done."""
        return next((step for step in self.steps if not step.done), None)

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
    has_account = GatewayAccount.objects.current(ctx.organization).exists()
    steps = [*_setup_steps(ctx, has_account=has_account), *_collection_steps(ctx)]
    mine = [step for step in steps if step.permission in ctx.permissions]
    blocked_notice = ""
    if len(mine) < len(steps) and not (ctx.organization.payments_enabled and has_account):
        blocked_notice = gettext("Before a payment can be requested, an owner has to set up online payments.")
    return Onboarding(mine, blocked_notice)


def _setup_steps(ctx: MemberContext, *, has_account: bool) -> list[Step]:
    payments = ctx.url("settings_payments")
    hints = [gettext(gateway.onboarding_hint) for gateway in GATEWAYS.values() if gateway.onboarding_hint]
    return [
        Step(
            message=gettext("Enter your business details"),
            button=gettext("Complete the profile"),
            description=gettext(
                "Your address and contact details appear on every invoice, mail and payment page."
            ),
            url=ctx.url("settings"),
            done=bool(ctx.organization.address.strip()),
            permission=Permission.CONFIGURE_ORGANIZATION,
        ),
        Step(
            message=gettext("Connect a payment service"),
            button=gettext("Connect a payment service"),
            description=sentences(gettext("It charges your customers' cards and bank accounts."), *hints),
            url=payments,
            done=has_account,
            permission=Permission.CONFIGURE_PAYMENTS,
        ),
        Step(
            message=gettext("Switch online payments on"),
            button=gettext("Switch online payments on"),
            description=gettext("After that, customers can pay by link."),
            url=payments,
            done=ctx.organization.payments_enabled,
            permission=Permission.CONFIGURE_PAYMENTS,
        ),
    ]


def _collection_steps(ctx: MemberContext) -> list[Step]:
    """The steps of collecting; the last ones lead to the newest draft, sent invoice and open request."""
    invoices = Invoice.objects.for_organization(ctx.organization).order_by("-created_at", "-id")
    has_sent = invoices.filter(number__isnull=False).exists()
    draft = None if has_sent else invoices.filter(status="draft").first()
    sent = invoices.filter(status="sent").first()
    write_url, write_button = ctx.url("invoice_new"), gettext("Write an invoice")
    requests = PaymentRequest.objects.for_organization(ctx.organization).order_by("-created_at", "-id")
    request_button = gettext("Request a payment") if sent else write_button
    request_url = ctx.url("request_new", sent.pk) if sent else write_url
    return [
        Step(
            message=gettext("Add your first customer"),
            button=gettext("Add a customer"),
            description=gettext("A name and a mail address are enough."),
            url=ctx.url("customer_new"),
            done=Customer.objects.for_organization(ctx.organization).exists(),
        ),
        Step(
            message=gettext("Send the first invoice"),
            button=gettext("Send the draft") if draft else write_button,
            description=gettext("The invoice gets its number, and the customer gets a mail with its link."),
            url=ctx.url("invoice_send", draft.pk) if draft else write_url,
            done=has_sent,
        ),
        Step(
            message=gettext("Request the first payment"),
            button=request_button,
            description=gettext("The customer gets a mail with a link to pay a part of the amount due."),
            url=request_url,
            done=requests.exists(),
        ),
        _payment_step(ctx, requests.filter(status="open").first(), request_button, request_url),
    ]


def _payment_step(
    ctx: MemberContext, open_request: PaymentRequest | None, request_button: str, request_url: str
) -> Step:
    """The last step: the member pays a test gateway's checkout; else the customer does, or a new request is due."""
    message = gettext("Receive the first payment")
    if open_request is None:
        description = gettext("The last request has ended. Request the payment again.")
        return Step(message, request_button, description, request_url, done=False)
    account = GatewayAccount.objects.current(ctx.organization).first()
    test_card = GATEWAYS[account.gateway].test_card if account else ""
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
