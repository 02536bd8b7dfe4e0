"""From the link to the receipt, over real HTTP, with the sandbox as a process."""

from __future__ import annotations

import threading

from django.core import mail as sent_by_django

from partway.billing import links
from partway.billing.models import Invoice, Payment, PaymentRequest
from partway.billing.requests import payment_requests
from partway.delivery.formats import format_date
from partway.delivery.mail import sending
from partway.lib.clock import now
from tests.pay.customer_browser import BANK_DEBIT, DECLINED_CARD, GOOD_CARD, CustomerBrowser
from tests.support import personas
from tests.support.sandbox_server import wait_until


def _asked(customer_browser: CustomerBrowser, amount_minor: int = 30_000) -> PaymentRequest:
    return personas.request_payment(
        personas.sent_invoice(personas.customer(customer_browser.organization)), amount_minor
    )


def test_request_is_paid_and_receipt_shows_amounts(customer_browser: CustomerBrowser) -> None:
    request = _asked(customer_browser)
    receipt = customer_browser.pay(links.request_url(request), GOOD_CARD)
    wait_until(lambda: "Receipt from" in customer_browser.open(receipt).text)
    assert 'aria-label="Paid $300.00 of $1,000.00"' in customer_browser.open(receipt).text
    assert Invoice.objects.get().amount_due_minor == 70_000


def test_payment_mails_receipt_to_customer_and_notice_to_requester(customer_browser: CustomerBrowser) -> None:
    request = _asked(customer_browser)
    receipt = customer_browser.pay(links.request_url(request), GOOD_CARD)
    wait_until(lambda: "Receipt from" in customer_browser.open(receipt).text)
    sending.send_due(now=now())
    subjects = {message.subject: str(message.body) for message in sent_by_django.outbox}
    assert "Dana Whitfield paid $300.00 (invoice INV-0001)" in subjects
    assert receipt in subjects["Receipt: $300.00 paid to Alder Joinery (invoice INV-0001)"]
    assert not any("asks for" in subject for subject in subjects)  # it came too late to be mailed


def test_paid_request_link_shows_amount_date_and_receipt(customer_browser: CustomerBrowser) -> None:
    request = _asked(customer_browser)
    receipt = customer_browser.pay(links.request_url(request), GOOD_CARD)
    wait_until(lambda: "Receipt from" in customer_browser.open(receipt).text)
    page = customer_browser.open(links.request_url(request))
    assert page.status_code == 200
    paid_on = format_date(Payment.objects.get().day(customer_browser.organization.time_zone))
    for words in (
        "You paid Alder Joinery",
        "$300",
        f"on {paid_on}, by card",
        links.link_path(Payment.objects.get()),
    ):
        assert words in page.text
    assert 'action="' not in page.text


def test_pay_now_pays_invoice_and_cancels_open_request(customer_browser: CustomerBrowser) -> None:
    request = _asked(customer_browser)
    receipt = customer_browser.pay(links.invoice_url(request.invoice), GOOD_CARD)
    wait_until(lambda: "The invoice is paid in full" in customer_browser.open(receipt).text)
    request.refresh_from_db()
    assert (request.status, request.cancel_reason) == ("canceled", "invoice_paid")


def test_customer_returning_before_callback_can_refresh_receipt_page(
    customer_browser: CustomerBrowser,
) -> None:
    request = _asked(customer_browser)
    assert customer_browser.sandbox_server.call_api(
        "POST", "/v1/faults", key=_key(customer_browser), kind="callback_lost"
    ).is_success
    receipt = customer_browser.pay(links.request_url(request), GOOD_CARD)
    page = customer_browser.open(receipt)
    assert "whether you paid $300.00" in page.text
    assert customer_browser.submit(page, "/state/").status_code == 302
    assert "Receipt from" in customer_browser.open(receipt).text


def test_customer_returning_without_paying_is_told_so_and_pays_in_same_checkout(
    customer_browser: CustomerBrowser,
) -> None:
    """Without a script, as the response of the button; whatever address the customer came back by."""
    request = _asked(customer_browser)
    checkout = customer_browser.press_pay(links.request_url(request)).headers["location"]
    receipt = links.receipt_url(Payment.objects.get())
    page = customer_browser.submit(customer_browser.open(receipt), "/state/")
    assert page.status_code == 200
    assert "You have not paid yet" in page.text
    assert (
        f"form-action 'self' {customer_browser.sandbox_server.url}" in page.headers["content-security-policy"]
    )
    assert customer_browser.submit(page, "/pay/").headers["location"] == checkout
    assert Payment.objects.count() == 1


def test_declined_card_charges_nothing_and_link_stays_payable(customer_browser: CustomerBrowser) -> None:
    request = _asked(customer_browser)
    assert customer_browser.pay(links.request_url(request), DECLINED_CARD) == ""
    assert ">Pay $300.00</button>" in customer_browser.open(links.request_url(request)).text


def test_second_pay_press_leads_to_same_checkout(customer_browser: CustomerBrowser) -> None:
    page = customer_browser.open(links.request_url(_asked(customer_browser)))
    first, second = (customer_browser.submit(page, "/pay/").headers["location"] for _ in range(2))
    assert first == second
    assert Payment.objects.count() == 1


def test_concurrent_pay_presses_make_one_payment(customer_browser: CustomerBrowser) -> None:
    url = links.request_url(_asked(customer_browser))
    responses: list[int] = []
    presses = [
        threading.Thread(target=lambda: responses.append(customer_browser.press_pay(url).status_code))
        for _ in range(4)
    ]
    for press in presses:
        press.start()
    for press in presses:
        press.join()
    assert responses == [303] * 4
    assert Payment.objects.count() == 1


def test_processing_bank_debit_blocks_other_payments(customer_browser: CustomerBrowser) -> None:
    request = _asked(customer_browser)
    receipt = customer_browser.pay(links.request_url(request), BANK_DEBIT)
    wait_until(lambda: "Your payment is on its way" in customer_browser.open(receipt).text)
    for link in (links.invoice_url(request.invoice), links.request_url(request)):
        page = customer_browser.open(link).text
        assert "A bank is paying" in page
        assert "the outcome is expected by" in page
        assert "button-primary" not in page


def test_pay_from_page_opened_before_cancel_is_refused(customer_browser: CustomerBrowser) -> None:
    request = _asked(customer_browser)
    page = customer_browser.open(links.request_url(request))
    payment_requests.cancel(request, by=personas.owner_actor(customer_browser.organization), now=now())
    response = customer_browser.submit(page, "/pay/")
    assert response.status_code == 410
    assert "This request was canceled" in response.text
    assert not Payment.objects.exists()


def test_pay_now_from_outdated_invoice_page_shows_new_amount_due(
    customer_browser: CustomerBrowser,
) -> None:
    request = _asked(customer_browser)
    page = customer_browser.open(links.invoice_url(request.invoice))
    receipt = customer_browser.pay(links.request_url(request), GOOD_CARD)
    wait_until(lambda: "Receipt from" in customer_browser.open(receipt).text)
    response = customer_browser.submit(page, f"{links.link_path(request.invoice)}pay/")
    assert response.status_code == 409
    assert "The amount has changed" in response.text
    assert ">Pay Now · $700.00</button>" in response.text


def test_pay_with_forged_amount_is_refused(customer_browser: CustomerBrowser) -> None:
    page = customer_browser.open(links.request_url(_asked(customer_browser)))
    assert customer_browser.submit(page, "/pay/", amount_minor="100").status_code == 409
    assert not Payment.objects.exists()


def test_pay_page_csp_allows_running_gateway(customer_browser: CustomerBrowser) -> None:
    page = customer_browser.open(links.request_url(_asked(customer_browser)))
    assert (
        f"form-action 'self' {customer_browser.sandbox_server.url}" in page.headers["content-security-policy"]
    )


def test_checkout_on_a_domain_of_the_business_is_reached_without_a_redirect(
    customer_browser: CustomerBrowser,
) -> None:
    request = _asked(customer_browser)
    assert customer_browser.press_pay(links.request_url(request)).status_code == 303
    payment = Payment.objects.get()
    # The page's policy names only the gateway's own origin, and binds the redirects of a form too.
    payment.checkout_url = "https://pay.alder.example/c/pay/cs_1?a=1&b=2#x"
    payment.save(update_fields=["sealed_checkout_url"])
    page = customer_browser.press_pay(links.request_url(request))
    assert (page.status_code, page.headers.get("location")) == (200, None)
    for wanted in ('content="0; url=https://pay.alder.example/c/pay/cs_1?a=1&amp;b=2#x"', ">Continue</a>"):
        assert wanted in page.text
    assert "alder.example" not in page.headers["content-security-policy"]


def _key(customer_browser: CustomerBrowser) -> str:
    return customer_browser.organization.gateway_accounts.get().credentials["api_key"]
