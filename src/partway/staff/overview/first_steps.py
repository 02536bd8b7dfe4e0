"""The way of a new organization to its first payment: what was really done, and what comes next for this member.

Nothing of it is stored. Each step asks the rows, so it is done whoever did it and in whatever order, and the list is
gone for good with the first payment.
"""

from __future__ import annotations

from dataclasses import dataclass

from partway.accounts.models import GatewayAccount, Organization, Role
from partway.billing import links
from partway.billing.models import Customer, Invoice, Payment, PaymentRequest
from partway.billing.models.payments import RECEIVED_STATUSES

from ..context import MemberContext


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: its button and where that leads, why it is worth doing, and from which role up."""

    message: str
    button: str
    description: str
    url: str
    done: bool
    role: Role = Role.COLLECTOR


@dataclass(frozen=True, slots=True)
class Onboarding:
    """The steps that this member can do; `waiting` says what only an owner can, where that is still missing."""

    steps: list[Step]
    blocked_notice: str = ""

    @property
    def next(self) -> Step | None:
        """The first that is not done."""
        return next((step for step in self.steps if not step.done), None)

    @property
    def done_count(self) -> int:
        """How many are done."""
        return sum(step.done for step in self.steps)


def of(ctx: MemberContext) -> Onboarding | None:
    """The steps, or None for a member who only reads, and after the first payment."""
    if (
        not ctx.may_collect
        or Payment.objects.for_organization(ctx.organization).filter(status__in=RECEIVED_STATUSES).exists()
    ):
        return None
    steps = [*_setting_up(ctx), *_collecting(ctx)]
    owners = [step for step in steps if step.role == Role.OWNER and not step.done]
    if ctx.is_owner or not owners:
        return Onboarding([step for step in steps if ctx.member.has_role(step.role)])
    blocked_notice = "Before a payment can be requested, an owner has to set up online payments."
    mine = [step for step in steps if step.role != Role.OWNER]
    return Onboarding(mine, blocked_notice if not _can_be_paid(ctx.organization) else "")


def _can_be_paid(organization: Organization) -> bool:
    return organization.payments_enabled and GatewayAccount.objects.current(organization).exists()


def _setting_up(ctx: MemberContext) -> list[Step]:
    payments = ctx.url("payments_settings")
    return [
        Step(
            message="Say who you are",
            button="Complete the profile",
            description="Your address and how to reach you stand on every invoice, mail and payment page.",
            url=ctx.url("settings"),
            done=bool(ctx.organization.address.strip()),
            role=Role.OWNER,
        ),
        Step(
            message="Connect a payment service",
            button="Connect a payment service",
            description="It takes the money for you. The sandbox only pretends to, so that you can try everything.",
            url=payments,
            done=GatewayAccount.objects.current(ctx.organization).exists(),
            role=Role.OWNER,
        ),
        Step(
            message="Switch online payments on",
            button="Switch online payments on",
            description="From then on customers can pay by link.",
            url=payments,
            done=ctx.organization.payments_enabled,
            role=Role.OWNER,
        ),
    ]


def _collecting(ctx: MemberContext) -> list[Step]:
    sent = Invoice.objects.for_organization(ctx.organization).filter(number__isnull=False)
    return [
        Step(
            message="Add your first customer",
            button="Add a customer",
            description="A name and a mail address are enough.",
            url=ctx.url("customer_new"),
            done=Customer.objects.for_organization(ctx.organization).exists(),
        ),
        _sending(ctx, done=sent.exists()),
        _requesting(ctx),
        _being_paid(ctx),
    ]


def _sending(ctx: MemberContext, *, done: bool) -> Step:
    message, description = (
        "Send the first invoice",
        "It gets its number, and the customer a mail with its link.",
    )
    draft = None if done else _newest(ctx, "draft")
    if draft is not None:
        return Step(message, "Send the draft", description, ctx.url("invoice_send", draft.pk), done)
    return Step(message, "Write an invoice", description, ctx.url("invoice_new"), done)


def _requesting(ctx: MemberContext) -> Step:
    done = PaymentRequest.objects.for_organization(ctx.organization).exists()
    invoice = _newest(ctx, "sent")
    url = ctx.url("request_new", invoice.pk) if invoice else ctx.url("invoice_new")
    description = "A part of what is due, in a mail with a link that pays just that."
    button = "Request a payment" if invoice else "Write an invoice"
    return Step("Request the first payment", button, description, url, done)


def _being_paid(ctx: MemberContext) -> Step:
    """Sandbox: pay it oneself, as the customer would. Else it is the customer's turn, or time to ask again."""
    message = "Receive the first payment"
    asked = (
        PaymentRequest.objects.for_organization(ctx.organization)
        .filter(status="open")
        .order_by("-created_at")
        .first()
    )
    if asked is None:
        again = _requesting(ctx)
        return Step(message, again.button, "The last request has ended: ask again.", again.url, done=False)
    if GatewayAccount.objects.current(ctx.organization).filter(gateway="sandbox").exists():
        description = "Open the link as your customer would, and pay with the test card 4242 4242 4242 4242."
        return Step(message, "Open the payment link", description, links.request_url(asked), done=False)
    description = "The link was mailed. When the customer has paid, it shows here and on the invoice."
    return Step(message, "Look at the invoice", description, ctx.url("invoice", asked.invoice_id), done=False)


def _newest(ctx: MemberContext, status: str) -> Invoice | None:
    mine = Invoice.objects.filter(organization=ctx.organization, status=status)
    return mine.order_by("-created_at", "-id").first()
