"""The URLs of the installation: monitoring, and the URLs of each door but the API, whose middleware names its own."""

from django.urls import include, path

from partway.worker import monitoring

handler404 = "partway.staff.access.not_found"
urlpatterns = [
    path("healthz", monitoring.healthz, name="healthz"),
    path("metrics", monitoring.metrics, name="metrics"),
    path("", include("partway.pay.urls")),
    path("", include("partway.staff.signin.urls")),
    path("", include("partway.staff.urls")),
]
