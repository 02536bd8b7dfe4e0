"""Every URL of the sandbox."""

from __future__ import annotations

from django.urls import path

from partway.sandbox import api, checkout_pages
from partway.sandbox.api_view import api_view

urlpatterns = [
    path("healthz", checkout_pages.healthz),
    path("checkout/<str:page>", checkout_pages.show),
    path("checkout/<str:page>/pay", checkout_pages.pay),
    path("checkout/<str:page>/confirm", checkout_pages.confirm),
    path("checkout/<str:page>/days", checkout_pages.pass_days),
    path("checkout/<str:page>/dashboard", checkout_pages.dashboard),
    path("v1/accounts", api_view(post=api.open_account, public=True)),
    path("v1/account", api_view(get=api.account, post=api.change_account)),
    path("v1/checkouts", api_view(get=api.list_checkouts, post=api.start)),
    path("v1/checkouts/<str:checkout_id>", api_view(get=api.fetch)),
    path("v1/checkouts/<str:checkout_id>/capture", api_view(post=api.capture)),
    path("v1/checkouts/<str:checkout_id>/close", api_view(post=api.close)),
    path("v1/checkouts/<str:checkout_id>/refunds", api_view(post=api.refund)),
    path("v1/checkouts/<str:checkout_id>/lapse", api_view(post=api.lapse)),
    path("v1/checkouts/<str:checkout_id>/days", api_view(post=api.pass_days)),
    path("v1/checkouts/<str:checkout_id>/settle", api_view(post=api.settle)),
    path("v1/refunds/<str:refund_id>/settle", api_view(post=api.settle_refund)),
    path("v1/checkouts/<str:checkout_id>/disputes", api_view(post=api.dispute)),
    path("v1/disputes/<str:dispute_id>", api_view(post=api.update_dispute)),
    path("v1/disputes/<str:dispute_id>/decide", api_view(post=api.decide_dispute)),
    path("v1/payouts", api_view(get=api.list_payouts, post=api.pay_out)),
    path("v1/payouts/<str:payout_id>/settle", api_view(post=api.settle_payout)),
    path("v1/faults", api_view(post=api.set_fault, delete=api.clear_faults)),
    path("v1/ledger", api_view(get=api.ledger)),
]
