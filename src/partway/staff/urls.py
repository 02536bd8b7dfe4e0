"""Every page of the staff door, and who may see it."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from .access import collector, owner, reader
from .customers import customers
from .invoices import acts as invoice_acts
from .invoices import csv_export as invoice_csv
from .invoices import detail as invoice_detail
from .invoices import editor as invoice_editor
from .invoices import index as invoice_index
from .invoices import versions as invoice_versions
from .overview import attention, home, inbox, overview
from .payments import credit, offline_payments, payment_requests
from .quotes import acts as quote_acts
from .quotes import detail as quote_detail
from .quotes import editor as quote_editor
from .settings import audit, members, organization, quote_terms

app_name = "staff"

_invoices = [
    path("", reader(invoice_index.index), name="invoices"),
    path("csv/", reader(invoice_csv.export), name="invoices_csv"),
    path("new/", collector(invoice_editor.new), name="invoice_new"),
    path("<str:invoice_id>/", reader(invoice_detail.show), name="invoice"),
    path("<str:invoice_id>/versions/<int:version>/", reader(invoice_versions.show), name="invoice_version"),
    path("<str:invoice_id>/pdf/", reader(invoice_detail.pdf), name="invoice_pdf"),
    path("<str:invoice_id>/edit/", collector(invoice_editor.edit), name="invoice_edit"),
    path("<str:invoice_id>/send/", collector(invoice_acts.send), name="invoice_send"),
    path("<str:invoice_id>/resend/", collector(invoice_acts.resend), name="invoice_resend"),
    path("<str:invoice_id>/write-off/", owner(invoice_acts.write_off), name="invoice_write_off"),
    path("<str:invoice_id>/reopen/", owner(invoice_acts.reopen), name="invoice_reopen"),
    path("<str:invoice_id>/void/", owner(invoice_acts.void), name="invoice_void"),
    path("<str:invoice_id>/request/", collector(payment_requests.new), name="request_new"),
    path("<str:invoice_id>/payment/", collector(offline_payments.record), name="payment_record"),
    path("<str:invoice_id>/credit/", collector(credit.apply), name="credit_apply"),
    path("<str:invoice_id>/credit/<str:payment_id>/", owner(credit.release), name="credit_release"),
]
_quotes = [
    path("", reader(quote_detail.index), name="quotes"),
    path("new/", collector(quote_editor.new), name="quote_new"),
    path("<str:quote_id>/", reader(quote_detail.show), name="quote"),
    path("<str:quote_id>/pdf/", reader(quote_detail.pdf), name="quote_pdf"),
    path("<str:quote_id>/edit/", collector(quote_editor.edit), name="quote_edit"),
    path("<str:quote_id>/send/", collector(quote_acts.send), name="quote_send"),
    path("<str:quote_id>/resend/", collector(quote_acts.resend), name="quote_resend"),
    path("<str:quote_id>/link/", collector(quote_acts.link), name="quote_link"),
    path("<str:quote_id>/deposit/", collector(quote_acts.deposit), name="quote_deposit"),
    path("<str:quote_id>/invoice/", collector(quote_acts.invoice), name="quote_invoice"),
]
_requests = [
    path("<str:request_id>/resend/", collector(payment_requests.resend), name="request_resend"),
    path("<str:request_id>/cancel/", collector(payment_requests.cancel), name="request_cancel"),
    path("<str:request_id>/link/", collector(payment_requests.link), name="request_link"),
]
_payments = [
    path("<str:payment_id>/reverse/", owner(offline_payments.reverse), name="payment_reverse"),
]
_customers = [
    path("", reader(customers.index), name="customers"),
    path("new/", collector(customers.new), name="customer_new"),
    path("<str:customer_id>/", reader(customers.show), name="customer"),
    path("<str:customer_id>/edit/", collector(customers.edit), name="customer_edit"),
]
_settings = [
    path("", owner(organization.organization), name="settings"),
    path("logo/", owner(organization.logo), name="settings_logo"),
    path("payments/", owner(organization.payments), name="payments_settings"),
    path("members/", owner(members.index), name="members"),
    path("members/invite/", owner(members.invite), name="member_invite"),
    path("members/<str:member_id>/role/", owner(members.change_role), name="member_role"),
    path("members/<str:member_id>/remove/", owner(members.remove), name="member_remove"),
    path("invitations/<str:invitation_id>/resend/", owner(members.resend), name="invitation_resend"),
    path("invitations/<str:invitation_id>/withdraw/", owner(members.withdraw), name="invitation_withdraw"),
    path("quotes/", owner(quote_terms.show), name="quotes_settings"),
    path("audit/", owner(audit.index), name="audit"),
]
_organization: list[URLPattern | URLResolver] = [
    path("", reader(overview.show), name="organization"),
    path("invoices/", include(_invoices)),
    path("quotes/", include(_quotes)),
    path("requests/", include(_requests)),
    path("payments/", include(_payments)),
    path("customers/", include(_customers)),
    path("attention/", reader(attention.index), name="attention"),
    path("attention/<str:flag_id>/resolve/", collector(attention.resolve), name="attention_resolve"),
    path("settings/", include(_settings)),
    path("logo.png", reader(organization.logo_image), name="logo_image"),
    path("inbox/", reader(inbox.index), name="inbox"),
    path("inbox/<str:mail_id>/", reader(inbox.show), name="inbox_message"),
    path("inbox/<str:mail_id>/body/", reader(inbox.body), name="inbox_body"),
]
urlpatterns = [
    # Anyone; `home` asks for a sign-in itself.
    path("", home.home, name="home"),
    # Members of the organization, from this role up.
    path("o/<slug:slug>/", include(_organization)),
]
