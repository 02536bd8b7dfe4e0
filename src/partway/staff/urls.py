"""Every page of the staff door, and the permission it takes."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from partway.accounts.permissions import Permission

from .access import page
from .customers import customers, statements
from .imports import pages as imports
from .invoices import acts as invoice_acts
from .invoices import csv_export as invoice_csv
from .invoices import detail as invoice_detail
from .invoices import editor as invoice_editor
from .invoices import index as invoice_index
from .invoices import parties as invoice_parties
from .invoices import versions as invoice_versions
from .invoices import voiding as invoice_voiding
from .journal import accounts as journal_accounts
from .journal import balances as journal_balances
from .journal import closing as journal_closing
from .journal import export as journal_export
from .journal import index as journal_index
from .overview import attention, home, inbox, overview
from .payments import (
    credit,
    disputes,
    gateway_refunds,
    offline_payments,
    payment_requests,
    refunds,
    settlements,
)
from .payments import detail as payment_detail
from .payments import export as payment_export
from .payments import index as payment_index
from .payouts import detail as payout_detail
from .payouts import export as payout_export
from .payouts import index as payout_index
from .quotes import acts as quote_acts
from .quotes import decisions as quote_decisions
from .quotes import detail as quote_detail
from .quotes import editor as quote_editor
from .settings import audit, connection, keys, members, onboarding, organization, quote_terms, webhooks
from .settings import payments as payment_settings

app_name = "staff"

_invoices = [
    page("", Permission.VIEW_INVOICES, invoice_index.index, "invoices"),
    page("csv/", Permission.EXPORT_INVOICES, invoice_csv.export, "invoices_csv"),
    page("new/", Permission.EDIT_INVOICES, invoice_editor.new, "invoice_new"),
    page("<str:invoice_id>/", Permission.VIEW_INVOICES, invoice_detail.show, "invoice"),
    page(
        "<str:invoice_id>/live/",
        Permission.VIEW_INVOICES,
        invoice_detail.live,
        "invoice_live",
        is_background=True,
    ),
    page(
        "<str:invoice_id>/versions/<int:version>/",
        Permission.VIEW_INVOICES,
        invoice_versions.show,
        "invoice_version",
    ),
    page("<str:invoice_id>/pdf/", Permission.VIEW_INVOICES, invoice_detail.pdf, "invoice_pdf"),
    page("<str:invoice_id>/edit/", Permission.EDIT_INVOICES, invoice_editor.edit, "invoice_edit"),
    page("<str:invoice_id>/parties/", Permission.CORRECT_PARTIES, invoice_parties.correct, "invoice_parties"),
    page("<str:invoice_id>/send/", Permission.SEND_INVOICES, invoice_acts.send, "invoice_send"),
    page("<str:invoice_id>/delete/", Permission.EDIT_INVOICES, invoice_acts.delete, "invoice_delete"),
    page("<str:invoice_id>/resend/", Permission.SEND_INVOICES, invoice_acts.resend, "invoice_resend"),
    page(
        "<str:invoice_id>/write-off/",
        Permission.WRITE_OFF_INVOICES,
        invoice_acts.write_off,
        "invoice_write_off",
    ),
    page("<str:invoice_id>/reopen/", Permission.WRITE_OFF_INVOICES, invoice_acts.reopen, "invoice_reopen"),
    page("<str:invoice_id>/void/", Permission.VOID_INVOICES, invoice_voiding.void, "invoice_void"),
    page("<str:invoice_id>/request/", Permission.REQUEST_PAYMENTS, payment_requests.new, "request_new"),
    page("<str:invoice_id>/payment/", Permission.RECORD_PAYMENTS, offline_payments.record, "payment_record"),
    page("<str:invoice_id>/settle/", Permission.SETTLE_INVOICES, settlements.settle, "invoice_settle"),
    page(
        "<str:invoice_id>/settle/<str:adjustment_id>/take-back/",
        Permission.SETTLE_INVOICES,
        settlements.take_back,
        "settlement_take_back",
    ),
    page("<str:invoice_id>/credit/", Permission.APPLY_CREDIT, credit.apply, "credit_apply"),
    page(
        "<str:invoice_id>/credit/<str:payment_id>/",
        Permission.RELEASE_CREDIT,
        credit.release,
        "credit_release",
    ),
]
_quotes = [
    page("", Permission.VIEW_QUOTES, quote_detail.index, "quotes"),
    page("new/", Permission.EDIT_QUOTES, quote_editor.new, "quote_new"),
    page("<str:quote_id>/", Permission.VIEW_QUOTES, quote_detail.show, "quote"),
    page("<str:quote_id>/live/", Permission.VIEW_QUOTES, quote_detail.live, "quote_live", is_background=True),
    page("<str:quote_id>/pdf/", Permission.VIEW_QUOTES, quote_detail.pdf, "quote_pdf"),
    page("<str:quote_id>/edit/", Permission.EDIT_QUOTES, quote_editor.edit, "quote_edit"),
    page("<str:quote_id>/send/", Permission.SEND_QUOTES, quote_acts.send, "quote_send"),
    page("<str:quote_id>/delete/", Permission.EDIT_QUOTES, quote_acts.delete, "quote_delete"),
    page("<str:quote_id>/resend/", Permission.SEND_QUOTES, quote_acts.resend, "quote_resend"),
    page(
        "<str:quote_id>/accept/",
        Permission.RECORD_QUOTE_DECISIONS,
        quote_decisions.record_acceptance,
        "quote_accept",
    ),
    page(
        "<str:quote_id>/decline/",
        Permission.RECORD_QUOTE_DECISIONS,
        quote_decisions.record_decline,
        "quote_decline",
    ),
    page("<str:quote_id>/withdraw/", Permission.WITHDRAW_QUOTES, quote_decisions.withdraw, "quote_withdraw"),
    page("<str:quote_id>/link/", Permission.COPY_LINKS, quote_acts.link, "quote_link"),
    page("<str:quote_id>/deposit/", Permission.RECORD_PAYMENTS, quote_acts.deposit, "quote_deposit"),
    page("<str:quote_id>/invoice/", Permission.INVOICE_QUOTES, quote_acts.invoice, "quote_invoice"),
]
_requests = [
    page("<str:request_id>/resend/", Permission.REQUEST_PAYMENTS, payment_requests.resend, "request_resend"),
    page("<str:request_id>/cancel/", Permission.REQUEST_PAYMENTS, payment_requests.cancel, "request_cancel"),
    page("<str:request_id>/link/", Permission.COPY_LINKS, payment_requests.link, "request_link"),
]
_payments = [
    page("", Permission.VIEW_PAYMENTS, payment_index.index, "payments"),
    page("csv/", Permission.EXPORT_PAYMENTS, payment_export.export_csv, "payments_csv"),
    page("xlsx/", Permission.EXPORT_PAYMENTS, payment_export.export_xlsx, "payments_xlsx"),
    page("<str:payment_id>/", Permission.VIEW_PAYMENTS, payment_detail.show, "payment"),
    page(
        "<str:payment_id>/receipt/",
        Permission.SEND_RECEIPTS,
        payment_detail.resend_receipt,
        "payment_receipt",
    ),
    page(
        "<str:payment_id>/reverse/", Permission.REVERSE_PAYMENTS, offline_payments.reverse, "payment_reverse"
    ),
    page("<str:payment_id>/refund/", Permission.REFUND_PAYMENTS, refunds.record_of_payment, "payment_refund"),
    page(
        "<str:payment_id>/gateway-refund/",
        Permission.REFUND_PAYMENTS,
        gateway_refunds.refund,
        "payment_gateway_refund",
    ),
]
_payouts = [
    page("", Permission.VIEW_PAYMENTS, payout_index.index, "payouts"),
    page("csv/", Permission.EXPORT_PAYMENTS, payout_export.export_csv, "payouts_csv"),
    page("xlsx/", Permission.EXPORT_PAYMENTS, payout_export.export_xlsx, "payouts_xlsx"),
    page("<str:payout_id>/", Permission.VIEW_PAYMENTS, payout_detail.show, "payout"),
]
_refunds = [
    page("<str:refund_id>/reverse/", Permission.REFUND_PAYMENTS, refunds.reverse, "refund_reverse"),
]
_journal = [
    page("", Permission.VIEW_JOURNAL, journal_index.index, "journal"),
    page("balances/", Permission.VIEW_JOURNAL, journal_balances.trial_balance, "journal_balances"),
    page("account/", Permission.VIEW_JOURNAL, journal_balances.account, "journal_account"),
    page("csv/", Permission.EXPORT_JOURNAL, journal_export.export_csv, "journal_csv"),
    page("xlsx/", Permission.EXPORT_JOURNAL, journal_export.export_xlsx, "journal_xlsx"),
    page("quickbooks/", Permission.EXPORT_JOURNAL, journal_export.export_quickbooks, "journal_quickbooks"),
    page("close/", Permission.CLOSE_PERIODS, journal_closing.close, "journal_close"),
    page("reopen/", Permission.CLOSE_PERIODS, journal_closing.reopen, "journal_reopen"),
    page("accounts/", Permission.CONFIGURE_ACCOUNTS, journal_accounts.rename, "journal_accounts"),
]
_disputes = [
    page("<str:dispute_id>/loss/", Permission.WRITE_OFF_INVOICES, disputes.settle, "dispute_loss"),
]
_customers = [
    page("", Permission.VIEW_CUSTOMERS, customers.index, "customers"),
    page("new/", Permission.EDIT_CUSTOMERS, customers.new, "customer_new"),
    page("<str:customer_id>/", Permission.VIEW_CUSTOMERS, customers.show, "customer"),
    page(
        "<str:customer_id>/refund/", Permission.REFUND_PAYMENTS, refunds.record_of_credit, "customer_refund"
    ),
    page("<str:customer_id>/statement/", Permission.VIEW_CUSTOMERS, statements.show, "customer_statement"),
    page(
        "<str:customer_id>/statement/pdf/",
        Permission.VIEW_CUSTOMERS,
        statements.pdf,
        "customer_statement_pdf",
    ),
    page(
        "<str:customer_id>/statement/send/",
        Permission.SEND_STATEMENTS,
        statements.send,
        "customer_statement_send",
    ),
    page("<str:customer_id>/edit/", Permission.EDIT_CUSTOMERS, customers.edit, "customer_edit"),
]
_imports = [
    page("", Permission.IMPORT_DATA, imports.index, "imports"),
    page("new/", Permission.IMPORT_DATA, imports.new, "import_new"),
    page("<str:import_id>/", Permission.IMPORT_DATA, imports.show, "import"),
    page("<str:import_id>/columns/", Permission.IMPORT_DATA, imports.columns, "import_columns"),
    page("<str:import_id>/run/", Permission.IMPORT_DATA, imports.run_import, "import_run"),
    page("<str:import_id>/discard/", Permission.IMPORT_DATA, imports.discard, "import_discard"),
]
_settings = [
    page("", Permission.CONFIGURE_ORGANIZATION, organization.organization, "settings"),
    page("logo/", Permission.CONFIGURE_ORGANIZATION, organization.logo, "settings_logo"),
    page("locale/", Permission.CONFIGURE_ORGANIZATION, organization.locale_sample, "settings_locale"),
    page("payments/", Permission.CONFIGURE_PAYMENTS, payment_settings.payments, "settings_payments"),
    page(
        "payments/off/",
        Permission.CONFIGURE_PAYMENTS,
        payment_settings.switch_off,
        "settings_payments_off",
    ),
    page(
        "payments/account/",
        Permission.CONFIGURE_PAYMENTS,
        connection.change_account,
        "gateway_account_change",
    ),
    page(
        "payments/open/<slug:gateway>/",
        Permission.CONFIGURE_PAYMENTS,
        onboarding.open_account,
        "gateway_open_account",
    ),
    page(
        "payments/<str:account_id>/onboarding/",
        Permission.CONFIGURE_PAYMENTS,
        onboarding.proceed,
        "gateway_onboarding",
    ),
    page(
        "payments/<str:account_id>/onboarded/",
        Permission.CONFIGURE_PAYMENTS,
        onboarding.returned,
        "gateway_onboarded",
    ),
    page("payments/disconnect/", Permission.CONFIGURE_PAYMENTS, connection.disconnect, "gateway_disconnect"),
    page(
        "payments/<str:account_id>/key/", Permission.CONFIGURE_PAYMENTS, connection.replace_key, "gateway_key"
    ),
    page(
        "payments/<str:account_id>/reports/",
        Permission.CONFIGURE_PAYMENTS,
        connection.callbacks,
        "gateway_callbacks",
    ),
    page("members/", Permission.MANAGE_MEMBERS, members.index, "members"),
    page("members/invite/", Permission.MANAGE_MEMBERS, members.invite, "member_invite"),
    page("members/<str:member_id>/role/", Permission.MANAGE_MEMBERS, members.change_role, "member_role"),
    page("members/<str:member_id>/remove/", Permission.MANAGE_MEMBERS, members.remove, "member_remove"),
    page(
        "invitations/<str:invitation_id>/resend/",
        Permission.MANAGE_MEMBERS,
        members.resend,
        "invitation_resend",
    ),
    page(
        "invitations/<str:invitation_id>/withdraw/",
        Permission.MANAGE_MEMBERS,
        members.withdraw,
        "invitation_withdraw",
    ),
    page("keys/", Permission.MANAGE_KEYS, keys.index, "keys"),
    page("keys/new/", Permission.MANAGE_KEYS, keys.new, "key_new"),
    page("keys/<str:key_id>/revoke/", Permission.MANAGE_KEYS, keys.revoke, "key_revoke"),
    page("webhooks/", Permission.MANAGE_WEBHOOKS, webhooks.index, "webhooks"),
    page("webhooks/new/", Permission.MANAGE_WEBHOOKS, webhooks.new, "webhook_new"),
    page("webhooks/<str:endpoint_id>/", Permission.MANAGE_WEBHOOKS, webhooks.show, "webhook"),
    page("webhooks/<str:endpoint_id>/edit/", Permission.MANAGE_WEBHOOKS, webhooks.edit, "webhook_edit"),
    page("webhooks/<str:endpoint_id>/switch/", Permission.MANAGE_WEBHOOKS, webhooks.switch, "webhook_switch"),
    page("webhooks/<str:endpoint_id>/secret/", Permission.MANAGE_WEBHOOKS, webhooks.rotate, "webhook_rotate"),
    page("webhooks/<str:endpoint_id>/delete/", Permission.MANAGE_WEBHOOKS, webhooks.delete, "webhook_delete"),
    page("webhooks/<str:endpoint_id>/test/", Permission.MANAGE_WEBHOOKS, webhooks.send_test, "webhook_test"),
    page(
        "webhooks/<str:endpoint_id>/retry/",
        Permission.MANAGE_WEBHOOKS,
        webhooks.retry_range,
        "webhook_retry_range",
    ),
    page(
        "webhooks/<str:endpoint_id>/<str:delivery_id>/",
        Permission.MANAGE_WEBHOOKS,
        webhooks.delivery,
        "webhook_delivery",
    ),
    page(
        "webhooks/<str:endpoint_id>/<str:delivery_id>/retry/",
        Permission.MANAGE_WEBHOOKS,
        webhooks.retry,
        "webhook_retry",
    ),
    page("quotes/", Permission.CONFIGURE_QUOTES, quote_terms.show, "settings_quotes"),
    page("audit/", Permission.VIEW_AUDIT_LOG, audit.index, "audit"),
]
_organization: list[URLPattern | URLResolver] = [
    page("", Permission.VIEW_OVERVIEW, overview.show, "organization"),
    path("invoices/", include(_invoices)),
    path("quotes/", include(_quotes)),
    path("requests/", include(_requests)),
    path("payments/", include(_payments)),
    path("payouts/", include(_payouts)),
    path("refunds/", include(_refunds)),
    path("journal/", include(_journal)),
    path("disputes/", include(_disputes)),
    path("customers/", include(_customers)),
    path("imports/", include(_imports)),
    page("attention/", Permission.VIEW_ALERTS, attention.index, "attention"),
    page(
        "attention/<str:alert_id>/resolve/", Permission.RESOLVE_ALERTS, attention.resolve, "attention_resolve"
    ),
    path("settings/", include(_settings)),
    page("logo.png", Permission.VIEW_OVERVIEW, organization.logo_image, "logo_image"),
    page("inbox/", Permission.VIEW_STORED_MAIL, inbox.index, "inbox"),
    page("inbox/<str:mail_id>/", Permission.VIEW_STORED_MAIL, inbox.show, "inbox_message"),
    page("inbox/<str:mail_id>/body/", Permission.VIEW_STORED_MAIL, inbox.body, "inbox_body"),
]
urlpatterns = [
    # No permission; `home` asks for a sign-in itself.
    path("", home.home, name="home"),
    path("o/<slug:slug>/", include(_organization)),
]
