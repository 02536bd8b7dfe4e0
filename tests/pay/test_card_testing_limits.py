"""Card testing is limited by link and by IP address, without harm to other customers (DESIGN P8)."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from partway.billing import links
from partway.billing.models import Invoice, Payment
from tests.pay.customer_browser import DECLINED_CARD, GOOD_CARD, CustomerBrowser
from tests.support import personas
from tests.support.sandbox_server import wait_until


@pytest.fixture(autouse=True)
def _low_rate_limits(settings: Settings) -> None:
    """Two checkouts an hour for a link, three for an address, which our one proxy reports."""
    settings.PARTWAY_CHECKOUTS_PER_LINK = 2
    settings.PARTWAY_CHECKOUTS_PER_IP = 3
    settings.PARTWAY_TRUSTED_PROXIES = 1


def _invoice(customer_browser: CustomerBrowser) -> Invoice:
    return personas.sent_invoice(personas.customer(customer_browser.organization))


def _payment_starts(customer_browser: CustomerBrowser, *forwarded_for: str) -> int:
    """Presses Pay on a new invoice from that address; returns the HTTP status."""
    customer_browser.set_forwarded_for(*forwarded_for)
    return customer_browser.press_pay(links.invoice_url(_invoice(customer_browser))).status_code


def _checkouts(customer_browser: CustomerBrowser) -> int:
    key = customer_browser.organization.gateway_accounts.get().credentials["api_key"]
    return len(customer_browser.sandbox_server.call_api("GET", "/v1/ledger", key).json()["data"])


def test_rate_limited_pay_shows_message_and_opens_no_checkout(customer_browser: CustomerBrowser) -> None:
    for _ in range(3):
        assert _payment_starts(customer_browser, "203.0.113.9") == 303
    response = customer_browser.press_pay(links.invoice_url(_invoice(customer_browser)))
    assert response.status_code == 429
    assert "Too many attempts to pay from here." in response.text
    assert "location" not in response.headers
    assert (Payment.objects.count(), _checkouts(customer_browser)) == (3, 3)


def test_rate_limited_payer_can_still_open_page(customer_browser: CustomerBrowser) -> None:
    assert [_payment_starts(customer_browser, "203.0.113.9") for _ in range(4)] == [303, 303, 303, 429]
    assert customer_browser.open(links.invoice_url(_invoice(customer_browser))).status_code == 200


def test_rate_limit_of_one_ip_address_does_not_affect_another(customer_browser: CustomerBrowser) -> None:
    assert [_payment_starts(customer_browser, "203.0.113.9") for _ in range(4)][-1] == 429
    customer_browser.set_forwarded_for("203.0.113.10")
    receipt = customer_browser.pay(links.invoice_url(_invoice(customer_browser)), GOOD_CARD)
    wait_until(lambda: "The invoice is paid in full" in customer_browser.open(receipt).text)


def test_rate_limit_counts_ipv6_prefix_as_one_address(customer_browser: CustomerBrowser) -> None:
    household = [f"2001:db8:7:1::{number:x}" for number in range(4)]
    assert [_payment_starts(customer_browser, address) for address in household] == [303, 303, 303, 429]
    assert _payment_starts(customer_browser, "2001:db8:7:2::1") == 303


@pytest.mark.parametrize("made_up", ["6.6.6.{}", "2001:db8:{}::1", "10.0.0.1, 6.6.6.{}", "<{}>"])
def test_rate_limit_is_not_evaded_by_forged_forwarded_for(
    customer_browser: CustomerBrowser, made_up: str
) -> None:
    responses = [
        _payment_starts(customer_browser, made_up.format(number), "203.0.113.9") for number in range(4)
    ]
    assert responses == [303, 303, 303, 429]


def test_rate_limit_ignores_forwarded_for_without_trusted_proxy(
    customer_browser: CustomerBrowser, settings: Settings
) -> None:
    settings.PARTWAY_TRUSTED_PROXIES = 0
    assert [_payment_starts(customer_browser, f"6.6.6.{number}") for number in range(4)] == [
        303,
        303,
        303,
        429,
    ]


def test_rate_limit_per_link_spans_ip_addresses(customer_browser: CustomerBrowser) -> None:
    invoice = _invoice(customer_browser)
    for number in range(2):
        customer_browser.set_forwarded_for(f"203.0.113.{number}")
        checkout = customer_browser.press_pay(links.invoice_url(invoice)).headers["location"]
        responses = [
            customer_browser.sandbox_server.submit_form(f"{checkout}/pay", **DECLINED_CARD).status_code
            for _ in range(5)
        ]
        assert responses == [402, 402, 402, 402, 410]
        wait_until(lambda: not invoice.payments.unsettled().exists())
    assert customer_browser.press_pay(links.invoice_url(invoice)).status_code == 429
    request = personas.request_payment(invoice)
    assert (
        customer_browser.press_pay(links.request_url(request)).status_code == 303
    )  # its other links have their own count
