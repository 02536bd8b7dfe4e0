"""Answers monitoring: is the house up, what waits, what failed."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Min
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from partway.accounts.models import GatewayAccount
from partway.billing.models import Alert, Callback, Mail, Payment
from partway.lib import clock

from .models import Heartbeat

_STALE_AFTER = timedelta(seconds=30)


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the database answers; says beside it whether a worker is alive."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    alive = _workers_alive(clock.now())
    return JsonResponse({"status": "ok", "database": connection.vendor, "workers_alive": alive})


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format: workers, and what waits or failed, read from the tables themselves."""
    registry = CollectorRegistry()
    for name, (message, value) in _gauges(clock.now()).items():
        Gauge(f"partway_{name}", message, registry=registry).set(value)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _workers_alive(now: datetime) -> int:
    return Heartbeat.objects.filter(last_seen_at__gt=now - _STALE_AFTER).count()


def _gauges(now: datetime) -> dict[str, tuple[str, float]]:
    oldest = (
        Mail.objects.filter(status="queued")
        .order_by("created_at")
        .values_list("created_at", flat=True)
        .first()
    )
    return {
        "workers_alive": ("Worker processes seen in the last 30 seconds", _workers_alive(now)),
        "mails_queued": ("Mails waiting to be sent", Mail.objects.filter(status="queued").count()),
        "mails_failed": ("Mails given up", Mail.objects.filter(status="failed").count()),
        "mail_queue_oldest_seconds": (
            "Age of the oldest waiting mail",
            (now - oldest).total_seconds() if oldest else 0,
        ),
        "payments_unsettled": ("Payments nobody knows the end of", Payment.objects.unsettled().count()),
        "callbacks_pending": ("Callbacks not booked yet", Callback.objects.filter(status="waiting").count()),
        "gateway_list_age_seconds": (
            "Age of the gateway's list that was not read for the longest time",
            _age_of_lists(now),
        ),
        "alerts_open": (
            "What a human must look at",
            Alert.objects.filter(resolved_at__isnull=True).count(),
        ),
    }


def _age_of_lists(now: datetime) -> float:
    """Of the accounts that take payments and are read: a replaced one, or one of a seed, may be unread for good."""
    read = GatewayAccount.objects.filter(is_current=True, reconcile_at__lt=now + timedelta(days=1))
    oldest = read.aggregate(oldest=Min(Coalesce("reconciled_until", "created_at")))["oldest"]
    return max((now - oldest).total_seconds(), 0) if oldest else 0
