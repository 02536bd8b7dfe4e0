"""Each fault that can be set happens exactly as often as it was set."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from tests.sandbox.merchant_client import Merchant
from tests.support.sandbox_server import wait_until


def pay(merchant: Merchant, checkout: dict[str, Any]) -> httpx.Response:
    return merchant.sandbox_server.submit_form(f"{checkout['url']}/pay", number="4242424242424242")


def test_fault_is_used_up_after_its_count(merchant: Merchant, checkout: dict[str, Any]) -> None:
    merchant.inject_fault("error_before", act="fetch", count=2)
    responses = [merchant.call_api("GET", f"checkouts/{checkout['id']}").status_code for _ in range(3)]
    assert responses == [500, 500, 200]


def test_fault_affects_only_its_act(merchant: Merchant) -> None:
    merchant.inject_fault("error_before", act="capture")
    assert merchant.start()


def test_faults_can_be_cleared(merchant: Merchant) -> None:
    merchant.inject_fault("error_before", count=100)
    assert merchant.call_api("DELETE", "faults").is_success
    assert merchant.start()


@pytest.mark.parametrize("body", [{"kind": "earthquake"}, {"act": "capture"}, {"kind": "hang", "count": "x"}])
def test_unknown_fault_is_refused(merchant: Merchant, body: dict[str, object]) -> None:
    assert merchant.call_api("POST", "faults", **body).status_code == 422


def test_fault_hang_executes_act_before_delay(merchant: Merchant, checkout: dict[str, Any]) -> None:
    merchant.inject_fault("hang", act="close", delay=0.5)
    began = time.monotonic()
    assert merchant.do("close", checkout).is_success
    assert time.monotonic() - began >= 0.5


def test_fault_callback_first_sends_callback_before_response(
    merchant: Merchant, checkout: dict[str, Any]
) -> None:
    merchant.inject_fault("callback_first")
    pay(merchant, checkout)
    assert merchant.callback_receiver.kinds(checkout["id"]) == ["authorized"]


def test_fault_callback_twice_sends_same_event_twice(merchant: Merchant, checkout: dict[str, Any]) -> None:
    merchant.inject_fault("callback_twice")
    pay(merchant, checkout)
    merchant.callback_receiver.wait_for(checkout["id"], "authorized", "authorized")
    first, second = merchant.callback_receiver.received
    assert first.event["id"] == second.event["id"]


def test_fault_callback_late_delays_callback(merchant: Merchant, checkout: dict[str, Any]) -> None:
    merchant.inject_fault("callback_late", delay=1)
    pay(merchant, checkout)
    time.sleep(0.5)
    assert merchant.callback_receiver.received == []
    merchant.callback_receiver.wait_for(checkout["id"], "authorized")


def test_fault_callback_out_of_order_swaps_callbacks(merchant: Merchant, checkout: dict[str, Any]) -> None:
    merchant.inject_fault("callback_out_of_order")
    pay(merchant, checkout)
    merchant.do("capture", checkout, amount=12_500)
    merchant.callback_receiver.wait_for(checkout["id"], "captured", "authorized")


def test_fault_callback_lost_drops_callback(merchant: Merchant, checkout: dict[str, Any]) -> None:
    merchant.inject_fault("callback_lost")
    pay(merchant, checkout)
    merchant.do("capture", checkout, amount=12_500)
    merchant.callback_receiver.wait_for(checkout["id"], "captured")


@pytest.mark.parametrize("delta", [-1, 250])
def test_fault_wrong_amount_changes_captured_amount(
    merchant: Merchant, checkout: dict[str, Any], delta: int
) -> None:
    merchant.inject_fault("wrong_amount", delta=delta)
    pay(merchant, checkout)
    assert merchant.do("capture", checkout, amount=12_500).json()["captured"] == 12_500 + delta


def test_fault_wrong_currency_changes_captured_currency(merchant: Merchant, checkout: dict[str, Any]) -> None:
    merchant.inject_fault("wrong_currency")
    pay(merchant, checkout)
    captured = merchant.do("capture", checkout, amount=12_500).json()
    assert (captured["captured"], captured["captured_currency"], captured["currency"]) == (
        12_500,
        "CAD",
        "USD",
    )
    [line] = merchant.ledger()
    assert (line["captured_currency"], line["currency"]) == ("CAD", "USD")


def test_refund_after_wrong_currency_fault_is_in_captured_currency(
    merchant: Merchant, checkout: dict[str, Any]
) -> None:
    merchant.inject_fault("wrong_currency", currency="JPY")
    pay(merchant, checkout)
    merchant.do("capture", checkout, amount=12_500)
    assert merchant.do("refunds", checkout, amount=500, currency="USD").status_code == 422
    assert merchant.do("refunds", checkout, amount=500, currency="JPY").json()["currency"] == "JPY"


def test_captured_currency_is_null_before_capture(merchant: Merchant, checkout: dict[str, Any]) -> None:
    assert merchant.fetch(checkout)["captured_currency"] is None


def test_fault_capture_too_late_captures_before_call(merchant: Merchant, checkout: dict[str, Any]) -> None:
    merchant.inject_fault("capture_too_late")
    pay(merchant, checkout)
    assert merchant.do("capture", checkout, amount=12_500).json()["error"]["code"] == "already_captured"
    assert merchant.fetch(checkout)["captured"] == 12_500


def test_fault_garbage_response_still_executes_act(merchant: Merchant, checkout: dict[str, Any]) -> None:
    merchant.inject_fault("garbage", act="close")
    assert merchant.do("close", checkout).text.startswith("<h1>")
    assert merchant.fetch(checkout)["status"] == "closed"


def test_fault_no_amount_omits_captured_amount(merchant: Merchant, checkout: dict[str, Any]) -> None:
    pay(merchant, checkout)
    merchant.inject_fault("no_amount", act="capture")
    merchant.inject_fault("no_amount", act="list_checkouts")
    vague = merchant.do("capture", checkout, amount=12_500).json()
    assert (vague["status"], vague["captured"]) == ("captured", None)
    assert merchant.call_api("GET", "checkouts").json()["data"][0]["captured"] is None
    assert merchant.fetch(checkout)["captured"] == 12_500


def test_fault_callback_unknown_names_nonexistent_checkout(
    merchant: Merchant, checkout: dict[str, Any]
) -> None:
    merchant.inject_fault("callback_unknown")
    pay(merchant, checkout)
    named = wait_until(
        lambda: (
            len(merchant.callback_receiver.received) == 2
            and [one.event["data"] for one in merchant.callback_receiver.received]
        )
    )
    [stray] = [data["checkout"] for data in named if data["checkout"] != checkout["id"]]
    assert merchant.call_api("GET", f"checkouts/{stray}").status_code == 404


def test_authorization_can_lapse(merchant: Merchant, checkout: dict[str, Any]) -> None:
    pay(merchant, checkout)
    assert merchant.do("lapse", checkout).json()["code"] == "authorization_lapsed"
    assert merchant.do("capture", checkout, amount=12_500).json()["error"]["code"] == "authorization_lapsed"
    assert merchant.do("lapse", checkout).json()["error"]["code"] == "not_authorized"


def test_fault_close_too_late_leaves_checkout_processing(
    merchant: Merchant, checkout: dict[str, Any]
) -> None:
    merchant.inject_fault("close_too_late")
    assert merchant.do("close", checkout).json()["status"] == "processing"
    assert wait_until(lambda: merchant.callback_receiver.kinds(checkout["id"])) == ["processing"]
