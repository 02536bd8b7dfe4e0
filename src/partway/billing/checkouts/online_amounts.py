"""Amounts that can be paid online: the gateway's minimum and step, and what one payment can bring of an amount due."""

from __future__ import annotations

from dataclasses import dataclass

from partway.accounts.models import Organization
from partway.gateways.protocol import Capabilities
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
    gateway = gateway_calls.current_gateway(organization)
    return of_gateway(gateway, currency) if gateway else None


def amount_to_charge(target: PaymentRequest | Invoice | Quote, gateway: Capabilities | None) -> Money:
    """Returns what this link charges now: a request and a deposit always in full, an invoice as much as can be paid.

    Where no part of an invoice can be paid online, or there is no gateway, returns all that is due.
    """
    whole = target.amount_payable
    if target.kind != "invoice" or gateway is None:
        return whole
    return of_gateway(gateway, whole.currency).payable_part(whole) or whole
