"""Every address of the pay door.

    the link of                  lets its holder
    a payment request   /p/      see it, pay it
    an invoice          /i/      see it, pay all that is due
    a payment           /r/      see what became of it, later its receipt

None of them needs a login: the token is the right to look and to pay. Nor do they need a cookie, which some
phones refuse: there is nothing in a browser that a foreign page could ride on, so their forms carry no CSRF token.
"""

from __future__ import annotations

from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from . import answers, callbacks, invoices, receipts, requests

app_name = "pay"

urlpatterns = [
    path("p/<str:token>/", requests.show, name="request"),
    path("p/<str:token>/pay/", csrf_exempt(requests.pay), name="request_pay"),
    path("p/<str:token>/opened/", csrf_exempt(requests.opened), name="request_opened"),
    path("i/<str:token>/", invoices.show, name="invoice"),
    path("i/<str:token>/pay/", csrf_exempt(invoices.pay), name="invoice_pay"),
    path("i/<str:token>/opened/", csrf_exempt(invoices.opened), name="invoice_opened"),
    path("r/<str:token>/", receipts.show, name="receipt"),
    path("r/<str:token>/state/", csrf_exempt(receipts.state), name="receipt_state"),
    path("callbacks/<slug:account_id>/", callbacks.receive, name="callback"),
    # Mail programs lose the last slash of a link; and whatever else is no link looks like any unknown one.
    path("p/<str:token>", requests.show),
    path("i/<str:token>", invoices.show),
    path("r/<str:token>", receipts.show),
    *(path(f"{door}/{rest}", answers.unknown) for door in "pir" for rest in ("", "<path:_rest>")),
]
