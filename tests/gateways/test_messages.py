"""Messages of a gateway may quote our links; what is kept of them opens nothing."""

from __future__ import annotations

from partway.gateways.protocol import CheckoutState, CheckoutStatus, Refused
from partway.lib.ids import new_id
from partway.lib.links import make_token

TOKEN = make_token(new_id("pay"), "a key")
MESSAGE = f"Not a valid return URL: https://pay.example/r/{TOKEN}/"
MASKED = MESSAGE.replace(TOKEN.partition("-")[2], "…")


def test_refusal_that_quotes_return_url_has_no_token() -> None:
    refusal = Refused("invalid_url", MESSAGE)
    assert (refusal.message, str(refusal)) == (MASKED, f"invalid_url: {MASKED}")


def test_checkout_message_that_quotes_return_url_has_no_token() -> None:
    state = CheckoutState(CheckoutStatus.FAILED, None, None, "card", "card_declined", MESSAGE)
    assert state.message == MASKED
