"""The page where a customer pays, and the pages of a checkout that cannot be paid."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.sandbox.merchant_client import CHECKOUT_FIELDS, Merchant, in_minutes
from tests.support.sandbox_server import SandboxServer, wait_until

GOOD, DECLINED, CONFIRMED = "4242 4242 4242 4242", "4000-0000-0000-0002", "4000002500003155"


Look = Callable[..., httpx.Response]


@pytest.fixture
def open_page(sandbox_server: SandboxServer) -> Look:
    """Opens an address as a browser does, with these headers."""
    return lambda address, method="GET", **headers: sandbox_server.client.request(
        method, address, headers=headers
    )


def hidden(response: httpx.Response, name: str) -> str:
    return response.text.split(f'name="{name}" value="')[1].split('"')[0]


def test_checkout_page_marks_sandbox(open_page: Look, page: str) -> None:
    assert "no real money moves" in open_page(page).text


def test_checkout_page_shows_amount_merchant_and_description(open_page: Look, page: str) -> None:
    shown = open_page(page).text
    assert "$125.00" in shown
    assert "Acme" in shown
    assert "Invoice INV-0042 &lt;b&gt;first&lt;/b&gt; stage" in shown


def test_checkout_page_lists_test_cards(open_page: Look, page: str) -> None:
    shown = open_page(page).text
    assert all(number in shown for number in (GOOD, "4000 0025 0000 3155", "000123456789"))


def test_checkout_page_csp_forbids_foreign_and_inline_script(open_page: Look, page: str) -> None:
    response = open_page(page)
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert " style=" not in response.text
    assert "onclick" not in response.text


def test_checkout_page_csp_allows_return_to_merchant(open_page: Look, page: str) -> None:
    assert "form-action 'self' http://merchant.test" in open_page(page).headers["content-security-policy"]


def test_checkout_page_sets_no_cookie_and_is_not_cached(open_page: Look, page: str) -> None:
    response = open_page(page)
    assert "set-cookie" not in response.headers
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("file", ["checkout.css", "checkout.js", "mark.svg"])
def test_checkout_page_static_files_are_served(
    open_page: Look, sandbox_server: SandboxServer, file: str
) -> None:
    assert open_page(f"{sandbox_server.url}/static/sandbox/{file}").is_success


def test_get_and_head_of_checkout_page_change_nothing(
    open_page: Look, merchant: Merchant, checkout: dict[str, Any], page: str
) -> None:
    open_page(page)
    open_page(page, "HEAD")
    assert merchant.fetch(checkout) == checkout


def test_paying_checkout_redirects_to_return_url(sandbox_server: SandboxServer, page: str) -> None:
    response = sandbox_server.submit_form(f"{page}/pay", number=GOOD)
    assert response.status_code == 303
    assert response.headers["location"] == CHECKOUT_FIELDS["return_url"]


def test_checkout_page_has_link_to_return_without_paying(open_page: Look, page: str) -> None:
    assert 'href="http://merchant.test/back?payment=1"' in open_page(page).text


def test_declined_card_shows_message_and_allows_another_card(
    sandbox_server: SandboxServer, page: str
) -> None:
    response = sandbox_server.submit_form(f"{page}/pay", number=DECLINED)
    assert response.status_code == 402
    assert "Your card was declined." in response.text
    assert sandbox_server.submit_form(f"{page}/pay", number=GOOD).status_code == 303


def test_too_many_declined_cards_close_checkout(
    open_page: Look, merchant: Merchant, checkout: dict[str, Any], page: str
) -> None:
    responses = [merchant.sandbox_server.submit_form(f"{page}/pay", number=DECLINED) for _ in range(5)]
    assert [response.status_code for response in responses] == [402] * 4 + [410]
    assert "Too many cards were declined" in responses[-1].text
    assert "Too many cards were declined" in open_page(page).text
    assert merchant.sandbox_server.submit_form(f"{page}/pay", number=GOOD).status_code == 410
    assert (merchant.fetch(checkout)["status"], merchant.fetch(checkout)["code"]) == (
        "closed",
        "too_many_declines",
    )
    expected = ["closed", *["declined"] * 4]
    wait_until(lambda: sorted(merchant.callback_receiver.kinds(checkout["id"])) == expected)


def test_a_refused_confirmation_counts_as_a_decline(
    merchant: Merchant, checkout: dict[str, Any], page: str
) -> None:
    for _ in range(4):
        merchant.sandbox_server.submit_form(f"{page}/pay", number=DECLINED)
    confirmation_page = merchant.sandbox_server.submit_form(f"{page}/pay", number=CONFIRMED)
    answer_form = {"confirmation": hidden(confirmation_page, "confirmation"), "decision": "refuse"}
    assert merchant.sandbox_server.submit_form(f"{page}/confirm", **answer_form).status_code == 410


@pytest.mark.parametrize("number", ["", "4111111111111111", "42424242", "４２４２", "drop table"])
def test_checkout_accepts_only_test_cards(merchant: Merchant, checkout: dict[str, Any], number: str) -> None:
    response = merchant.sandbox_server.submit_form(f"{checkout['url']}/pay", number=number)
    assert response.status_code == 422
    assert "Only the test cards" in response.text
    assert merchant.fetch(checkout)["status"] == "open"


def test_bank_debit_checkout_is_processing(merchant: Merchant, checkout: dict[str, Any], page: str) -> None:
    response = merchant.sandbox_server.submit_form(f"{page}/pay", method="bank_debit", account="000123456789")
    assert response.status_code == 303
    assert merchant.fetch(checkout)["status"] == "processing"


def test_days_of_bank_debit_can_pass_at_once(
    open_page: Look, merchant: Merchant, checkout: dict[str, Any], page: str
) -> None:
    merchant.sandbox_server.submit_form(f"{page}/pay", method="bank_debit", account="000000002004")
    assert "Let the days pass" in open_page(page).text
    assert merchant.sandbox_server.submit_form(f"{page}/days").status_code == 303
    wait_until(lambda: merchant.fetch(checkout)["status"] == "failed")
    assert "Let the days pass" not in open_page(page).text


def test_paid_checkout_is_refunded_and_disputed_from_its_page(
    open_page: Look, merchant: Merchant, checkout: dict[str, Any], page: str
) -> None:
    server = merchant.sandbox_server
    server.submit_form(f"{page}/pay", number=GOOD)
    merchant.do("capture", checkout, amount=checkout["amount"])
    assert server.submit_form(f"{page}/dashboard", act="refund_half").status_code == 303
    assert server.submit_form(f"{page}/dashboard", act="dispute").status_code == 303
    [dispute] = merchant.fetch(checkout)["disputes"]
    assert "The customer wins" in open_page(page).text
    assert server.submit_form(f"{page}/dashboard", act=f"lost:{dispute['id']}").status_code == 303
    now = merchant.fetch(checkout)
    assert (now["refunded"], now["disputes"][0]["status"]) == (now["captured"] // 2, "lost")
    assert server.submit_form(f"{page}/dashboard", act=f"lost:{dispute['id']}").status_code == 409
    assert server.submit_form(f"{page}/dashboard", act="lost:dp_of_another").status_code == 303


def test_payment_method_not_requested_is_not_offered(open_page: Look, merchant: Merchant) -> None:
    page = merchant.start(methods=["card"])["url"]
    assert "Bank debit" not in open_page(page).text
    response = merchant.sandbox_server.submit_form(f"{page}/pay", method="bank_debit", account="000123456789")
    assert response.status_code == 422


def test_second_tab_of_paid_checkout_shows_already_paid(sandbox_server: SandboxServer, page: str) -> None:
    sandbox_server.submit_form(f"{page}/pay", number=GOOD)
    response = sandbox_server.submit_form(f"{page}/pay", number=GOOD)
    assert response.status_code == 409
    assert "Already paid" in response.text
    assert str(CHECKOUT_FIELDS["return_url"]) in response.text


def test_concurrent_payments_of_checkout_pay_once(merchant: Merchant, checkout: dict[str, Any]) -> None:
    address = f"{checkout['url']}/pay"
    with ThreadPoolExecutor(8) as pool:
        responses = list(
            pool.map(lambda _: merchant.sandbox_server.submit_form(address, number=GOOD), range(8))
        )
    assert sorted(response.status_code for response in responses) == [303] + [409] * 7
    merchant.callback_receiver.wait_for(checkout["id"], "authorized")


def test_card_confirmation_is_requested_before_authorization(
    merchant: Merchant, checkout: dict[str, Any]
) -> None:
    response = merchant.sandbox_server.submit_form(f"{checkout['url']}/pay", number=CONFIRMED)
    assert "Confirm this payment" in response.text
    assert merchant.fetch(checkout)["status"] == "open"


@pytest.mark.parametrize(
    ("decision", "status", "end"), [("confirm", 303, "authorized"), ("refuse", 402, "open")]
)
def test_card_confirmation_decision_authorizes_or_declines(
    merchant: Merchant, checkout: dict[str, Any], decision: str, status: int, end: str
) -> None:
    page = checkout["url"]
    confirmation_page = merchant.sandbox_server.submit_form(f"{page}/pay", number=CONFIRMED)
    answer_form = {"confirmation": hidden(confirmation_page, "confirmation"), "decision": decision}
    assert merchant.sandbox_server.submit_form(f"{page}/confirm", **answer_form).status_code == status
    assert merchant.fetch(checkout)["status"] == end


@pytest.mark.parametrize("confirmation", ["", "made up", "ü"])
def test_forged_card_confirmation_pays_nothing(
    merchant: Merchant, checkout: dict[str, Any], confirmation: str
) -> None:
    answer_form = {"confirmation": confirmation, "decision": "confirm"}
    assert merchant.sandbox_server.submit_form(f"{checkout['url']}/confirm", **answer_form).status_code == 409
    assert merchant.fetch(checkout)["status"] == "open"


def test_card_confirmation_after_close_pays_nothing(merchant: Merchant, checkout: dict[str, Any]) -> None:
    confirmation_page = merchant.sandbox_server.submit_form(f"{checkout['url']}/pay", number=CONFIRMED)
    merchant.do("close", checkout)
    answer_form = {"confirmation": hidden(confirmation_page, "confirmation"), "decision": "confirm"}
    assert merchant.sandbox_server.submit_form(f"{checkout['url']}/confirm", **answer_form).status_code == 410
    assert merchant.fetch(checkout)["status"] == "closed"


def test_closed_checkout_cannot_be_paid(
    open_page: Look, merchant: Merchant, checkout: dict[str, Any]
) -> None:
    merchant.do("close", checkout)
    assert "This checkout is closed" in open_page(checkout["url"]).text
    assert merchant.sandbox_server.submit_form(f"{checkout['url']}/pay", number=GOOD).status_code == 410


def test_expired_checkout_page_shows_expiry_and_cannot_be_paid(open_page: Look, merchant: Merchant) -> None:
    checkout = merchant.start(expires_at=in_minutes(0.005))
    wait_until(lambda: "The time for paying has passed" in open_page(checkout["url"]).text)
    assert merchant.sandbox_server.submit_form(f"{checkout['url']}/pay", number=GOOD).status_code == 410


def test_failed_bank_debit_page_shows_message(
    open_page: Look, merchant: Merchant, checkout: dict[str, Any], page: str
) -> None:
    merchant.sandbox_server.submit_form(f"{page}/pay", method="bank_debit", account="000111111116")
    merchant.do("settle", checkout)
    assert "The bank could not debit this account." in open_page(page).text


def test_an_unknown_checkout_is_not_found(open_page: Look, sandbox_server: SandboxServer) -> None:
    response = open_page(f"{sandbox_server.url}/checkout/co_nobody")
    assert response.status_code == 404
    assert "no real money moves" in response.text


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://evil.test"},
        {"origin": "http://["},
    ],
)
def test_cross_site_form_cannot_pay_checkout(open_page: Look, page: str, headers: dict[str, str]) -> None:
    assert open_page(f"{page}/pay", "POST", **headers).status_code == 403


def test_same_origin_form_can_pay_checkout(open_page: Look, sandbox_server: SandboxServer, page: str) -> None:
    own = {"sec-fetch-site": "same-origin", "origin": sandbox_server.url}
    assert open_page(f"{page}/pay", "POST", **own).status_code == 422
    assert open_page(f"{page}/pay", "POST", origin=sandbox_server.url).status_code == 422


def test_checkout_id_without_secret_opens_no_page(
    open_page: Look, sandbox_server: SandboxServer, merchant: Merchant
) -> None:
    checkout = merchant.start()
    for address in (checkout["id"], checkout["id"].removeprefix("co_"), f"{checkout['id']}-{'0' * 32}"):
        assert open_page(f"{sandbox_server.url}/checkout/{address}").status_code == 404
        assert (
            sandbox_server.submit_form(
                f"{sandbox_server.url}/checkout/{address}/pay", number=GOOD
            ).status_code
            == 404
        )
    assert merchant.fetch(checkout)["status"] == "open"
