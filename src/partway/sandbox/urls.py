"""Every address of the pretend company."""

from __future__ import annotations

from django.urls import path

from partway.sandbox import api, pages
from partway.sandbox.answers import serve

urlpatterns = [
    path("healthz", pages.healthz),
    path("checkout/<str:page>", pages.show),
    path("checkout/<str:page>/pay", pages.pay),
    path("checkout/<str:page>/confirm", pages.confirm),
    path("v1/accounts", serve(post=api.open_account, public=True)),
    path("v1/account", serve(get=api.account)),
    path("v1/checkouts", serve(get=api.listed, post=api.start)),
    path("v1/checkouts/<str:checkout_id>", serve(get=api.fetch)),
    path("v1/checkouts/<str:checkout_id>/capture", serve(post=api.capture)),
    path("v1/checkouts/<str:checkout_id>/close", serve(post=api.close)),
    path("v1/checkouts/<str:checkout_id>/refunds", serve(post=api.refund)),
    path("v1/checkouts/<str:checkout_id>/lapse", serve(post=api.lapse)),
    path("v1/checkouts/<str:checkout_id>/settle", serve(post=api.settle)),
    path("v1/refunds/<str:refund_id>/settle", serve(post=api.settle_refund)),
    path("v1/faults", serve(post=api.set_fault, delete=api.clear_faults)),
    path("v1/ledger", serve(get=api.ledger)),
]
