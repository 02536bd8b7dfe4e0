"""Every URL of the customer's pages.

    the link of                  lets its holder
    a payment request   /p/      see it, pay it
    an invoice          /i/      see it, pay all that is due
    a quote             /q/      see it, accept or decline it, pay its deposit
    a payment           /r/      see its state, later its receipt
    a statement         /s/      see what was owed and paid in its period

None of them needs a login: the token is the right to see and to pay. None needs a cookie, which some phones refuse: a
foreign page finds nothing in the browser to act with, so their forms have no CSRF token.
"""

from __future__ import annotations

from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from . import callbacks, invoice, payment_request, quote, receipt, responses, statement

app_name = "pay"

urlpatterns = [
    path("p/<str:token>/", payment_request.show, name="request"),
    path("p/<str:token>/pay/", csrf_exempt(payment_request.pay), name="request_pay"),
    path("p/<str:token>/opened/", csrf_exempt(payment_request.mark_opened), name="request_opened"),
    path("i/<str:token>/", invoice.show, name="invoice"),
    path("i/<str:token>/pay/", csrf_exempt(invoice.pay), name="invoice_pay"),
    path("i/<str:token>/pdf/", invoice.pdf, name="invoice_pdf"),
    path("i/<str:token>/opened/", csrf_exempt(invoice.mark_opened), name="invoice_opened"),
    path("q/<str:token>/", quote.show, name="quote"),
    path("q/<str:token>/pdf/", quote.pdf, name="quote_pdf"),
    path("q/<str:token>/accept/", csrf_exempt(quote.accept), name="quote_accept"),
    path("q/<str:token>/decline/", csrf_exempt(quote.decline), name="quote_decline"),
    path("q/<str:token>/pay/", csrf_exempt(quote.pay), name="quote_pay"),
    path("q/<str:token>/opened/", csrf_exempt(quote.mark_opened), name="quote_opened"),
    path("r/<str:token>/", receipt.show, name="receipt"),
    path("r/<str:token>/pdf/", receipt.pdf, name="receipt_pdf"),
    path("r/<str:token>/state/", csrf_exempt(receipt.refresh), name="receipt_state"),
    path("s/<str:token>/", statement.show, name="statement"),
    path("s/<str:token>/pdf/", statement.pdf, name="statement_pdf"),
    path("callbacks/platforms/<slug:gateway>/", callbacks.platform_callback, name="platform_callback"),
    path("callbacks/<slug:account_id>/", callbacks.gateway_callback, name="callback"),
    # Mail programs lose the last slash of a link. Every other path gets the response of an unknown link.
    path("p/<str:token>", payment_request.show),
    path("i/<str:token>", invoice.show),
    path("q/<str:token>", quote.show),
    path("r/<str:token>", receipt.show),
    path("s/<str:token>", statement.show),
    *(path(f"{door}/{rest}", responses.not_found) for door in "piqrs" for rest in ("", "<path:_rest>")),
]
