"""From the link to the receipt, over real HTTP, with a payment company that runs as a process of its own."""

from __future__ import annotations

import threading

from django.core import mail as sent_by_django

from partway.billing import links
from partway.billing.models import Invoice, Payment, PaymentRequest
from partway.billing.requests import payment_requests
from partway.delivery.mail import sending
from partway.lib.clock import now
from tests.pay.customer_browser import BANK_DEBIT, DECLINED_CARD, GOOD_CARD, CustomerBrowser
from tests.support import personas
from tests.support.sandbox_server import wait_until


def _asked(customer_browser: CustomerBrowser, amount_minor: int = 30_000) -> PaymentRequest:
    return personas.request_payment(
        personas.sent_invoice(personas.customer(customer_browser.organization)), amount_minor
    )


def test_a_part_is_paid_and_the_receipt_says_so(customer_browser: CustomerBrowser) -> None:
    request = _asked(customer_browser)
    receipt = customer_browser.pay(links.request_url(request), GOOD_CARD)
    wait_until(lambda: "Receipt from" in customer_browser.open(receipt).text)
    assert 'aria-label="Paid $300.00 of $1,000.00"' in customer_browser.open(receipt).text
    assert Invoice.objects.get().amount_due_minor == 70_000


def test_the_customer_gets_a_receipt_and_whoever_asked_hears_of_it(customer_browser: CustomerBrowser) -> None:
    request = _asked(customer_browser)
    receipt = customer_browser.pay(links.request_url(request), GOOD_CARD)
    wait_until(lambda: "Receipt from" in customer_browser.open(receipt).text)
    sending.send_due(now=now())
    subjects = {message.subject: str(message.body) for message in sent_by_django.outbox}
    assert "Dana Whitfield paid $300.00 (invoice INV-0001)" in subjects
    assert receipt in subjects["Receipt: $300.00 paid to Alder Joinery (invoice INV-0001)"]
    assert not any("asks for" in subject for subject in subjects)  # it came too late to be mailed


def test_the_link_is_dead_once_it_was_paid(customer_browser: CustomerBrowser) -> None:
    request = _asked(customer_browser)
    receipt = customer_browser.pay(links.request_url(request), GOOD_CARD)
    wait_until(lambda: "Receipt from" in customer_browser.open(receipt).text)
    assert customer_browser.open(links.request_url(request)).status_code == 410


def test_pay_now_pays_all_and_ends_the_open_request(customer_browser: CustomerBrowser) -> None:
    request = _asked(customer_browser)
    receipt = customer_browser.pay(links.invoice_url(request.invoice), GOOD_CARD)
    wait_until(lambda: "The invoice is paid in full" in customer_browser.open(receipt).text)
    request.refresh_from_db()
    assert (request.status, request.cancel_reason) == ("canceled", "invoice_paid")


def test_whoever_returns_before_the_callback_asks_with_the_button(customer_browser: CustomerBrowser) -> None:
    request = _asked(customer_browser)
    assert customer_browser.sandbox_server.call_api(
        "POST", "/v1/faults", key=_key(customer_browser), kind="callback_lost"
    ).is_success
    receipt = customer_browser.pay(links.request_url(request), GOOD_CARD)
    page = customer_browser.open(receipt)
    assert "We are confirming" in page.text
    assert customer_browser.submit(page, "/state/").status_code == 302
    assert "Receipt from" in customer_browser.open(receipt).text


def test_a_declined_card_charges_nothing_and_the_link_lives(customer_browser: CustomerBrowser) -> None:
    request = _asked(customer_browser)
    assert customer_browser.pay(links.request_url(request), DECLINED_CARD) == ""
    assert ">Pay $300.00</button>" in customer_browser.open(links.request_url(request)).text


def test_a_second_press_leads_to_the_same_checkout(customer_browser: CustomerBrowser) -> None:
    page = customer_browser.open(links.request_url(_asked(customer_browser)))
    first, second = (customer_browser.submit(page, "/pay/").headers["location"] for _ in range(2))
    assert first == second
    assert Payment.objects.count() == 1


def test_two_presses_at_once_make_one_payment(customer_browser: CustomerBrowser) -> None:
    url = links.request_url(_asked(customer_browser))
    answers: list[int] = []
    presses = [
        threading.Thread(target=lambda: answers.append(customer_browser.press_pay(url).status_code))
        for _ in range(4)
    ]
    for press in presses:
        press.start()
    for press in presses:
        press.join()
    assert answers == [303] * 4
    assert Payment.objects.count() == 1


def test_a_bank_debit_is_on_its_way_and_nothing_else_can_be_paid(customer_browser: CustomerBrowser) -> None:
    request = _asked(customer_browser)
    receipt = customer_browser.pay(links.request_url(request), BANK_DEBIT)
    wait_until(lambda: "Your payment is on its way" in customer_browser.open(receipt).text)
    assert "A payment is being processed" in customer_browser.open(links.invoice_url(request.invoice)).text


def test_a_page_opened_before_a_cancel_charges_nothing(customer_browser: CustomerBrowser) -> None:
    request = _asked(customer_browser)
    page = customer_browser.open(links.request_url(request))
    payment_requests.cancel(request, by=personas.owner_actor(customer_browser.organization), now=now())
    answer = customer_browser.submit(page, "/pay/")
    assert answer.status_code == 410
    assert "This request was canceled" in answer.text
    assert not Payment.objects.exists()


def test_an_invoice_page_opened_before_a_part_was_paid_shows_what_is_left(
    customer_browser: CustomerBrowser,
) -> None:
    request = _asked(customer_browser)
    page = customer_browser.open(links.invoice_url(request.invoice))
    receipt = customer_browser.pay(links.request_url(request), GOOD_CARD)
    wait_until(lambda: "Receipt from" in customer_browser.open(receipt).text)
    answer = customer_browser.submit(page, "/pay/")
    assert answer.status_code == 409
    assert "The amount has changed" in answer.text
    assert ">Pay Now · $700.00</button>" in answer.text


def test_what_the_page_says_it_costs_is_never_believed(customer_browser: CustomerBrowser) -> None:
    page = customer_browser.open(links.request_url(_asked(customer_browser)))
    assert customer_browser.submit(page, "/pay/", amount_minor="100").status_code == 409
    assert not Payment.objects.exists()


def test_the_form_may_lead_to_the_running_company(customer_browser: CustomerBrowser) -> None:
    page = customer_browser.open(links.request_url(_asked(customer_browser)))
    assert (
        f"form-action 'self' {customer_browser.sandbox_server.url}" in page.headers["content-security-policy"]
    )


def _key(customer_browser: CustomerBrowser) -> str:
    return customer_browser.organization.gateway_accounts.get().credentials["api_key"]
