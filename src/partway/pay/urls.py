"""Every address of the pay door.

    the link of                  lets its holder
    a payment request   /p/      see it, pay it
    an invoice          /i/      see it, pay all that is due
    a payment           /r/      see what became of it, later its receipt

None of them needs a login: the token is the right to look and to pay.
"""

from __future__ import annotations

from django.urls import path

from . import answers, callbacks, invoices, receipts, requests

app_name = "pay"

urlpatterns = [
    path("p/<str:token>/", requests.show, name="request"),
    path("p/<str:token>/pay/", requests.pay, name="request_pay"),
    path("p/<str:token>/opened/", requests.opened, name="request_opened"),
    path("i/<str:token>/", invoices.show, name="invoice"),
    path("i/<str:token>/pay/", invoices.pay, name="invoice_pay"),
    path("i/<str:token>/pdf/", invoices.pdf, name="invoice_pdf"),
    path("i/<str:token>/opened/", invoices.opened, name="invoice_opened"),
    path("r/<str:token>/", receipts.show, name="receipt"),
    path("r/<str:token>/pdf/", receipts.pdf, name="receipt_pdf"),
    path("r/<str:token>/state/", receipts.state, name="receipt_state"),
    path("callbacks/<slug:account_id>/", callbacks.receive, name="callback"),
    # Mail programs lose the last slash of a link; and whatever else is no link looks like any unknown one.
    path("p/<str:token>", requests.show),
    path("i/<str:token>", invoices.show),
    path("r/<str:token>", receipts.show),
    *(path(f"{door}/{rest}", answers.unknown) for door in "pir" for rest in ("", "<path:_rest>")),
]
