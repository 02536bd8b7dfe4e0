"""The front of the house: which door answers which address."""

from django.urls import include, path

urlpatterns = [
    path("", include("partway.worker.urls")),
    path("", include("partway.pay.urls")),
    path("", include("partway.staff.signin.urls")),
    path("", include("partway.staff.urls")),
]
