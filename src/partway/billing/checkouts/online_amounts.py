"""Amounts that can be paid online: the gateway's minimum and step, and what one payment can bring of an amount due."""

from __future__ import annotations

from dataclasses import dataclass

from partway.accounts.models import GatewayAccount, Organization
from partway.gateways.protocol import Capabilities, OutcomeUnknown, Refused
from partway.lib.money import Money

from ..models import Invoice, PaymentRequest, Quote
from . import gateway_calls


@dataclass(frozen=True, slots=True)
class OnlineAmounts:
    """The amounts that a gateway takes in one currency: the multiples of `step` from `minimum` on (DESIGN R2)."""

    minimum: Money
    step: Money

    def accepts(self, amount: Money) -> bool:
        """Returns whether one payment can be of exactly this amount."""
        return self.minimum <= amount and amount.amount_minor % self.step.amount_minor == 0

    def payable_part(self, due: Money) -> Money:
        """Returns the most of `due` that one payment can bring: zero where `due` is below the minimum."""
        part = Money(due.amount_minor - due.amount_minor % self.step.amount_minor, due.currency)
        return part if self.minimum <= part else Money(0, due.currency)


def of_gateway(gateway: Capabilities, currency: str) -> OnlineAmounts:
    """Returns the amounts in `currency` that this gateway takes."""
    return OnlineAmounts(
        minimum=Money(gateway.minimum(currency), currency), step=Money(gateway.step(currency), currency)
    )


def of_organization(organization: Organization, currency: str) -> OnlineAmounts | None:
    """Returns the amounts that its current gateway takes; None while it cannot be opened, or there is none.

    Whether payments are enabled is left out: an amount that cannot be paid online is so before they are, too.
    """
    account = GatewayAccount.objects.current(organization).first()
    try:
        gateway = gateway_calls.gateway_for_account(account) if account else None
    except (Refused, OutcomeUnknown):  # the sandbox of a live installation, unreadable credentials
        return None
    return of_gateway(gateway, currency) if gateway else None


def amount_to_charge(target: PaymentRequest | Invoice | Quote) -> Money:
    """Returns what this link charges now: a request and a deposit always in full, an invoice as much as can be paid.

    Where no part of an invoice can be paid online, returns all that is due, which the gateway then does not take.
    """
    whole = target.amount_payable
    if target.kind != "invoice":
        return whole
    online = of_organization(target.organization, whole.currency)
    return (online.payable_part(whole) if online else whole) or whole
