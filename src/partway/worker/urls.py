"""What monitoring asks: is the house up, and what waits."""

from django.urls import path

from . import operations

app_name = "worker"
urlpatterns = [
    path("healthz", operations.healthz, name="healthz"),
    path("metrics", operations.metrics, name="metrics"),
]
