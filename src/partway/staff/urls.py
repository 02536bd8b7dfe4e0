"""Every page of the staff door, and who may see it."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from . import (
    attention,
    customers,
    home,
    inbox,
    invoice_acts,
    invoice_csv,
    invoice_editor,
    invoice_list,
    invoices,
    overview,
    requests,
    settings,
    signin,
)
from .access import collector, owner, reader

app_name = "staff"

_invoices = [
    path("", reader(invoice_list.index), name="invoices"),
    path("csv/", reader(invoice_csv.export), name="invoices_csv"),
    path("new/", collector(invoice_editor.new), name="invoice_new"),
    path("<str:invoice_id>/", reader(invoices.show), name="invoice"),
    path("<str:invoice_id>/edit/", collector(invoice_editor.edit), name="invoice_edit"),
    path("<str:invoice_id>/send/", collector(invoice_acts.send), name="invoice_send"),
    path("<str:invoice_id>/resend/", collector(invoice_acts.resend), name="invoice_resend"),
    path("<str:invoice_id>/void/", owner(invoice_acts.void), name="invoice_void"),
    path("<str:invoice_id>/request/", collector(requests.new), name="request_new"),
]
_requests = [
    path("<str:request_id>/resend/", collector(requests.resend), name="request_resend"),
    path("<str:request_id>/cancel/", collector(requests.cancel), name="request_cancel"),
    path("<str:request_id>/link/", collector(requests.link), name="request_link"),
]
_customers = [
    path("", reader(customers.index), name="customers"),
    path("new/", collector(customers.new), name="customer_new"),
    path("<str:customer_id>/", reader(customers.show), name="customer"),
    path("<str:customer_id>/edit/", collector(customers.edit), name="customer_edit"),
]
_organization: list[URLPattern | URLResolver] = [
    path("", reader(overview.show), name="organization"),
    path("invoices/", include(_invoices)),
    path("requests/", include(_requests)),
    path("customers/", include(_customers)),
    path("attention/", reader(attention.index), name="attention"),
    path("attention/<str:flag_id>/resolve/", collector(attention.resolve), name="attention_resolve"),
    path("settings/", owner(settings.organization), name="settings"),
    path("settings/payments/", owner(settings.payments), name="payments_settings"),
    path("inbox/", reader(inbox.index), name="inbox"),
    path("inbox/<str:mail_id>/", reader(inbox.show), name="inbox_message"),
    path("inbox/<str:mail_id>/body/", reader(inbox.body), name="inbox_body"),
]
urlpatterns = [
    # Anyone; `home` asks for a sign-in itself.
    path("", home.home, name="home"),
    path("signin/", signin.signin, name="signin"),
    path("signout/", signin.signout, name="signout"),
    path("welcome/<str:uid>/<str:token>/", signin.welcome, name="welcome"),
    # Members of the organization, from this role up.
    path("o/<slug:slug>/", include(_organization)),
]
