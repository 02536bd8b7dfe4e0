"""The way of a new organization to its first payment: what was really done, and what comes next for this member.

Nothing of it is stored. Each step asks the rows, so it is done whoever did it and in whatever order, and the list is
gone for good with the first payment.
"""

from __future__ import annotations

from dataclasses import dataclass

from partway.accounts.models import GatewayAccount, Organization, Role
from partway.billing import links
from partway.billing.models import Customer, Invoice, Payment, PaymentRequest
from partway.billing.models.payments import TAKEN

from ..context import Visit


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: its button and where that leads, why it is worth doing, and from which role up."""

    words: str
    button: str
    why: str
    url: str
    done: bool
    role: Role = Role.COLLECTOR


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """The steps that this member can do; `waiting` says what only an owner can, where that is still missing."""

    steps: list[Step]
    waiting: str = ""

    @property
    def next(self) -> Step | None:
        """The first that is not done."""
        return next((step for step in self.steps if not step.done), None)

    @property
    def done_count(self) -> int:
        """How many are done."""
        return sum(step.done for step in self.steps)


def of(visit: Visit) -> FirstSteps | None:
    """The steps, or None for a member who only reads, and after the first payment."""
    if not visit.may_collect or Payment.objects.of(visit.organization).filter(status__in=TAKEN).exists():
        return None
    steps = [*_setting_up(visit), *_collecting(visit)]
    owners = [step for step in steps if step.role == Role.OWNER and not step.done]
    if visit.may_own or not owners:
        return FirstSteps([step for step in steps if visit.member.may(step.role)])
    waiting = "Before a payment can be requested, an owner has to set up online payments."
    mine = [step for step in steps if step.role != Role.OWNER]
    return FirstSteps(mine, waiting if not _can_be_paid(visit.organization) else "")


def _can_be_paid(organization: Organization) -> bool:
    return organization.payments_enabled and GatewayAccount.objects.current(organization).exists()


def _setting_up(visit: Visit) -> list[Step]:
    payments = visit.url("payments_settings")
    return [
        Step(
            words="Say who you are",
            button="Complete the profile",
            why="Your address and how to reach you stand on every invoice, mail and payment page.",
            url=visit.url("settings"),
            done=bool(visit.organization.address.strip()),
            role=Role.OWNER,
        ),
        Step(
            words="Connect a payment service",
            button="Connect a payment service",
            why="It takes the money for you. The sandbox only pretends to, so that you can try everything.",
            url=payments,
            done=GatewayAccount.objects.current(visit.organization).exists(),
            role=Role.OWNER,
        ),
        Step(
            words="Switch online payments on",
            button="Switch online payments on",
            why="From then on customers can pay by link.",
            url=payments,
            done=visit.organization.payments_enabled,
            role=Role.OWNER,
        ),
    ]


def _collecting(visit: Visit) -> list[Step]:
    sent = Invoice.objects.of(visit.organization).filter(number__isnull=False)
    return [
        Step(
            words="Add your first customer",
            button="Add a customer",
            why="A name and a mail address are enough.",
            url=visit.url("customer_new"),
            done=Customer.objects.of(visit.organization).exists(),
        ),
        _sending(visit, done=sent.exists()),
        _requesting(visit),
        _being_paid(visit),
    ]


def _sending(visit: Visit, *, done: bool) -> Step:
    words, why = "Send the first invoice", "It gets its number, and the customer a mail with its link."
    draft = None if done else _newest(visit, "draft")
    if draft is not None:
        return Step(words, "Send the draft", why, visit.url("invoice_send", draft.pk), done)
    return Step(words, "Write an invoice", why, visit.url("invoice_new"), done)


def _requesting(visit: Visit) -> Step:
    done = PaymentRequest.objects.of(visit.organization).exists()
    invoice = _newest(visit, "sent")
    url = visit.url("request_new", invoice.pk) if invoice else visit.url("invoice_new")
    why = "A part of what is due, in a mail with a link that pays just that."
    button = "Request a payment" if invoice else "Write an invoice"
    return Step("Request the first payment", button, why, url, done)


def _being_paid(visit: Visit) -> Step:
    """Sandbox: pay it oneself, as the customer would. Else it is the customer's turn, or time to ask again."""
    words = "Receive the first payment"
    asked = (
        PaymentRequest.objects.of(visit.organization).filter(status="open").order_by("-created_at").first()
    )
    if asked is None:
        again = _requesting(visit)
        return Step(words, again.button, "The last request has ended: ask again.", again.url, done=False)
    if GatewayAccount.objects.current(visit.organization).filter(gateway="sandbox").exists():
        why = "Open the link as your customer would, and pay with the test card 4242 4242 4242 4242."
        return Step(words, "Open the payment link", why, links.request_url(asked), done=False)
    why = "The link was mailed. When the customer has paid, it shows here and on the invoice."
    return Step(words, "Look at the invoice", why, visit.url("invoice", asked.invoice_id), done=False)


def _newest(visit: Visit, status: str) -> Invoice | None:
    mine = Invoice.objects.filter(organization=visit.organization, status=status)
    return mine.order_by("-created_at", "-id").first()
