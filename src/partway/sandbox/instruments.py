"""The test cards and bank accounts, and how each of them behaves."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Instrument:
    """A card or a bank account; one that fails has a `code` and a `message`, which are data of the API."""

    number: str
    behavior: Promise  # on the page that lists them
    code: str = ""
    message: str = ""
    confirms: bool = False
    lapses: bool = False
    days: int = 0  # after which a bank debit has its outcome; without them it takes a few seconds
    refunds: str = ""  # one of REFUND_BEHAVIORS
    disputes: str = ""  # one of DISPUTE_BEHAVIORS, or empty

    @property
    def display_number(self) -> str:
        """The number as printed: a card's in groups of four."""
        if len(self.number) != 16:
            return self.number
        return " ".join(self.number[start : start + 4] for start in range(0, len(self.number), 4))


# By the card that paid: the status of a new refund, and the one that it gets some seconds later.
REFUND_BEHAVIORS = {
    "": ("succeeded", ""),
    "slow": ("pending", "succeeded"),
    "failing": ("pending", "failed"),
    "returned": ("succeeded", "failed"),
}


@dataclass(frozen=True, slots=True)
class DisputeBehavior:
    """A dispute that follows a payment some seconds later: its reason, its part, and how it ends by itself."""

    reason: str
    outcome: str = ""  # open until it is decided in the dashboard
    percent: int = 100


# By the card or the account that paid.
DISPUTE_BEHAVIORS = {
    "open": DisputeBehavior("fraudulent"),
    "won": DisputeBehavior("not_received", outcome="won"),
    "lost": DisputeBehavior("not_as_described", outcome="lost"),
    "partial": DisputeBehavior("duplicate", percent=50),
    "returned": DisputeBehavior("debit_returned"),
}

CARDS = {
    card.number: card
    for card in (
        Instrument("4242424242424242", _("Succeeds")),
        Instrument("4000000000000002", _("Is declined"), "card_declined", "Your card was declined."),
        Instrument(
            "4000000000009995",
            _("Has insufficient funds"),
            "insufficient_funds",
            "Your card has insufficient funds.",
        ),
        Instrument("4000002500003155", _("Asks for a confirmation"), confirms=True),
        Instrument("4000000000000341", _("Succeeds, but lapses before capture"), lapses=True),
        Instrument("4000000000007726", _("Succeeds; its refunds take a few seconds"), refunds="slow"),
        Instrument(
            "4000000000003055", _("Succeeds; its refunds fail after a few seconds"), refunds="failing"
        ),
        Instrument("4000000000005126", _("Succeeds; its refunds succeed, then fail"), refunds="returned"),
        Instrument("4000000000000259", _("Succeeds; is disputed a few seconds later"), disputes="open"),
        Instrument(
            "4000000000001976", _("Succeeds; half of it is disputed a few seconds later"), disputes="partial"
        ),
        Instrument("4000000000002685", _("Succeeds; is disputed, and the dispute is lost"), disputes="lost"),
        Instrument("4000000000005423", _("Succeeds; is disputed, and the dispute is won"), disputes="won"),
    )
}

DEBITS = {
    debit.number: debit
    for debit in (
        Instrument("000123456789", _("Settles a few seconds later")),
        Instrument(
            "000111111116",
            _("Fails a few seconds later"),
            "bank_debit_failed",
            "The bank could not debit this account.",
        ),
        Instrument(
            "000666666661", _("Settles; the bank takes it back a few seconds later"), disputes="returned"
        ),
        Instrument("000000002002", _("Settles on the second day"), days=2),
        Instrument(
            "000000002004",
            _("Fails on the fourth day"),
            "bank_debit_failed",
            "The account has insufficient funds.",
            days=4,
        ),
    )
}

CONFIRMATION_DECLINED = ("card_declined", "The payment was not confirmed.")
TOO_MANY_DECLINES = ("too_many_declines", "Too many cards were declined here.")
LAPSED = ("authorization_lapsed", "The authorization has lapsed; nothing was taken.")
EXPIRED = ("checkout_expired", "The time for paying has passed.")


def digits(typed: str) -> str:
    """Returns a typed number without its spaces and dashes."""
    return "".join(character for character in typed if character not in " -\u00a0")
