"""Who tries out stolen cards is stopped at our door, kindly; who stands beside them is not (DESIGN P8)."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from partway.billing import links
from partway.billing.models import Invoice, Payment
from tests import personas
from tests.gateways.company import eventually
from tests.pay.walk import DECLINED_CARD, GOOD_CARD, Walk


@pytest.fixture(autouse=True)
def _few(settings: Settings) -> None:
    """Two checkouts an hour for a link, three for an address, which our one proxy tells."""
    settings.PARTWAY_CHECKOUTS_PER_LINK = 2
    settings.PARTWAY_CHECKOUTS_PER_ADDRESS = 3
    settings.PARTWAY_TRUSTED_PROXIES = 1


def _invoice(walk: Walk) -> Invoice:
    return personas.sent(personas.customer(walk.organization))


def _pressed(walk: Walk, *forwarded_for: str) -> int:
    """Pay is pressed on an invoice of its own, from there; the status that was answered."""
    walk.come_from(*forwarded_for)
    return walk.press_pay(links.invoice_url(_invoice(walk))).status_code


def _checkouts(walk: Walk) -> int:
    key = walk.organization.gateway_accounts.get().credentials["api_key"]
    return len(walk.company.ask("GET", "/v1/ledger", key).json()["data"])


def test_the_refusal_is_kind_and_opens_no_checkout(walk: Walk) -> None:
    for _ in range(3):
        assert _pressed(walk, "203.0.113.9") == 303
    answer = walk.press_pay(links.invoice_url(_invoice(walk)))
    assert answer.status_code == 429
    assert "Too many attempts to pay from here." in answer.text
    assert "location" not in answer.headers
    assert (Payment.objects.count(), _checkouts(walk)) == (3, 3)


def test_the_page_itself_can_still_be_read(walk: Walk) -> None:
    assert [_pressed(walk, "203.0.113.9") for _ in range(4)] == [303, 303, 303, 429]
    assert walk.open(links.invoice_url(_invoice(walk))).status_code == 200


def test_a_neighbor_pays_at_the_same_moment(walk: Walk) -> None:
    assert [_pressed(walk, "203.0.113.9") for _ in range(4)][-1] == 429
    walk.come_from("203.0.113.10")
    receipt = walk.pay(links.invoice_url(_invoice(walk)), GOOD_CARD)
    eventually(lambda: "The invoice is paid in full" in walk.open(receipt).text)


def test_a_household_has_one_count_however_many_addresses_it_has(walk: Walk) -> None:
    household = [f"2001:db8:7:1::{number:x}" for number in range(4)]
    assert [_pressed(walk, address) for address in household] == [303, 303, 303, 429]
    assert _pressed(walk, "2001:db8:7:2::1") == 303


@pytest.mark.parametrize("made_up", ["6.6.6.{}", "2001:db8:{}::1", "10.0.0.1, 6.6.6.{}", "<{}>"])
def test_made_up_addresses_do_not_help(walk: Walk, made_up: str) -> None:
    answers = [_pressed(walk, made_up.format(number), "203.0.113.9") for number in range(4)]
    assert answers == [303, 303, 303, 429]


def test_without_a_proxy_nobody_is_believed(walk: Walk, settings: Settings) -> None:
    settings.PARTWAY_TRUSTED_PROXIES = 0
    assert [_pressed(walk, f"6.6.6.{number}") for number in range(4)] == [303, 303, 303, 429]


def test_a_link_is_counted_from_wherever_it_is_used(walk: Walk) -> None:
    invoice = _invoice(walk)
    for number in range(2):
        walk.come_from(f"203.0.113.{number}")
        checkout = walk.press_pay(links.invoice_url(invoice)).headers["location"]
        answers = [walk.company.type_in(f"{checkout}/pay", **DECLINED_CARD).status_code for _ in range(5)]
        assert answers == [402, 402, 402, 402, 410]
        eventually(lambda: not invoice.payments.unsettled().exists())
    assert walk.press_pay(links.invoice_url(invoice)).status_code == 429
    request = personas.ask(invoice)
    assert (
        walk.press_pay(links.request_url(request)).status_code == 303
    )  # its other links have their own count
