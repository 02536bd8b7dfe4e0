"""Every change is sent to the merchant as a callback: at once, in order, and repeatedly until it arrives."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

from standardwebhooks import Webhook

from tests.sandbox.merchant_client import Merchant, in_minutes
from tests.support.sandbox_server import wait_until

GOOD, DECLINED = "4242424242424242", "4000000000000002"


def pay(merchant: Merchant, checkout: dict[str, Any], number: str = GOOD) -> None:
    merchant.sandbox_server.submit_form(f"{checkout['url']}/pay", number=number)


def test_callback_is_signed_by_standard_webhooks(merchant: Merchant, checkout: dict[str, Any]) -> None:
    pay(merchant, checkout)
    [received] = wait_until(lambda: merchant.callback_receiver.received)
    event = Webhook(merchant.secret).verify(received.body, received.headers)
    assert event["data"] == {"checkout": checkout["id"]}
    assert received.headers["webhook-id"] == event["id"]


def test_callback_is_sent_at_once(merchant: Merchant) -> None:
    waits = []
    for _ in range(5):
        merchant.callback_receiver.received.clear()
        pay(merchant, merchant.start())
        paid_at = time.monotonic()
        wait_until(lambda: merchant.callback_receiver.received)
        waits.append(time.monotonic() - paid_at)
    # The limit is a tenth of a second; the rest is for a busy machine.
    assert median(waits) < 0.2


def test_card_payment_sends_one_callback_per_step(merchant: Merchant, checkout: dict[str, Any]) -> None:
    callback_receiver, ref = merchant.callback_receiver, checkout["id"]
    pay(merchant, checkout, DECLINED)
    callback_receiver.wait_for(ref, "declined")
    pay(merchant, checkout)
    callback_receiver.wait_for(ref, "declined", "authorized")
    merchant.do("capture", checkout, amount=12_500)
    callback_receiver.wait_for(ref, "declined", "authorized", "captured")
    merchant.do("refunds", checkout, amount=100)
    callback_receiver.wait_for(ref, "declined", "authorized", "captured", "refunded")


def test_failed_bank_debit_sends_callback(merchant: Merchant, checkout: dict[str, Any]) -> None:
    merchant.sandbox_server.submit_form(f"{checkout['url']}/pay", method="bank_debit", account="000111111116")
    merchant.callback_receiver.wait_for(checkout["id"], "processing")
    merchant.do("settle", checkout)
    merchant.callback_receiver.wait_for(checkout["id"], "processing", "failed")


def test_closing_checkout_sends_one_callback(merchant: Merchant, checkout: dict[str, Any]) -> None:
    merchant.do("close", checkout)
    merchant.do("close", checkout)
    merchant.callback_receiver.wait_for(checkout["id"], "closed")


def test_expired_checkout_sends_callback(merchant: Merchant) -> None:
    checkout = merchant.start(expires_at=in_minutes(0.002))
    merchant.callback_receiver.wait_for(checkout["id"], "closed")


def test_callback_is_retried_until_delivered(merchant: Merchant, checkout: dict[str, Any]) -> None:
    merchant.callback_receiver.failures_left = 1
    pay(merchant, checkout)
    merchant.callback_receiver.wait_for(checkout["id"], "authorized", "authorized")
    first, second = merchant.callback_receiver.received
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_checkout_can_have_its_own_callback_url(merchant: Merchant) -> None:
    own = f"{merchant.callback_receiver.url}/own"
    checkout = merchant.start(callback_url=own)
    pay(merchant, checkout)
    [received] = wait_until(lambda: merchant.callback_receiver.received)
    assert received.path == "/callbacks/own"
