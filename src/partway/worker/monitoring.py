"""The pages for monitoring: health of the installation, and Prometheus metrics of queues and failures."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Min, QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, generate_latest

from partway.accounts.models import GatewayAccount
from partway.billing.models import Alert, Callback, Import, Mail, Payment, WebhookDelivery
from partway.lib import clock
from partway.lib.bulkheads import BULKHEADS
from partway.lib.ip_addresses import client_ip, is_in_networks

from .models import Heartbeat

log = structlog.get_logger(__name__)

_MAX_COUNTED = 10_000  # rows of one gauge, so that reading it costs the same whatever waits
_STALE_AFTER = timedelta(seconds=30)


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Responds 200 while the database does, with the number of workers that are alive; else 503."""
    try:
        alive = Heartbeat.objects.filter(last_seen_at__gt=clock.now() - _STALE_AFTER).count()
    except DatabaseError as error:  # it is away, or has no tables yet
        log.warning("database_unavailable", error=str(error))
        return JsonResponse({"status": "no database", "database": connection.vendor}, status=503)
    return JsonResponse({"status": "ok", "database": connection.vendor, "workers_alive": alive})


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Responds with gauges in Prometheus' text format, to callers with the token or from an allowed network."""
    if not _may_read_metrics(request):
        help_text = (
            "Set PARTWAY_METRICS_TOKEN and send it as a bearer token, or set PARTWAY_METRICS_NETWORKS.\n"
        )
        return HttpResponse(help_text, status=403, content_type="text/plain")
    return HttpResponse(_metrics(), content_type=CONTENT_TYPE_LATEST)


def _may_read_metrics(request: HttpRequest) -> bool:
    token, given = settings.PARTWAY_METRICS_TOKEN, request.headers.get("Authorization", "")
    if token and constant_time_compare(given, f"Bearer {token}"):
        return True
    forwarded_for = request.META.get("HTTP_X_FORWARDED_FOR", "")
    address = client_ip(forwarded_for, request.META.get("REMOTE_ADDR", ""), settings.PARTWAY_TRUSTED_PROXIES)
    return address is not None and is_in_networks(address, settings.PARTWAY_METRICS_NETWORKS)


def _metrics() -> bytes:
    """Returns gauges read from the tables at this moment, and this process's bulkheads."""
    now = clock.now()
    queued = Mail.objects.filter(status="queued")
    # A mail or webhook that was put off is due later than it was written, so the one due first need not be the oldest.
    oldest_mail = min(
        queued.order_by("next_attempt_at").values_list("created_at", flat=True)[:_MAX_COUNTED], default=None
    )
    deliveries = WebhookDelivery.objects.filter(status="pending", endpoint__status="enabled")
    oldest_webhook = min(
        deliveries.order_by("next_attempt_at").values_list("created_at", flat=True)[:_MAX_COUNTED],
        default=None,
    )
    # Only accounts that take payments and are reconciled: a replaced one, or that of a seed, is never read again.
    accounts = GatewayAccount.objects.filter(is_current=True, reconcile_at__lt=now + timedelta(days=1))
    oldest_list = accounts.aggregate(oldest=Min(Coalesce("reconciled_until", "created_at")))["oldest"]
    gauges: dict[str, tuple[str, float]] = {
        "workers_alive": (
            "Worker processes seen in the last 30 seconds",
            Heartbeat.objects.filter(last_seen_at__gt=now - _STALE_AFTER).count(),
        ),
        "mails_queued": ("Mails waiting to be sent", _count(queued)),
        "mails_failed": ("Mails given up", _count(Mail.objects.filter(status="failed"))),
        "mail_queue_oldest_seconds": (
            "Age of the oldest waiting mail",
            (now - oldest_mail).total_seconds() if oldest_mail else 0,
        ),
        "webhooks_pending": ("Webhooks waiting to be delivered", _count(deliveries)),
        "webhooks_failed": ("Webhooks given up", _count(WebhookDelivery.objects.filter(status="failed"))),
        "webhook_queue_oldest_seconds": (
            "Age of the oldest waiting webhook",
            (now - oldest_webhook).total_seconds() if oldest_webhook else 0,
        ),
        "payments_unsettled": ("Payments whose end is not known", _count(Payment.objects.unsettled())),
        "callbacks_pending": (
            "Callbacks not processed yet",
            _count(Callback.objects.filter(status="pending")),
        ),
        "gateway_list_age_seconds": (
            "Age of the gateway list that was read least recently",
            max((now - oldest_list).total_seconds(), 0) if oldest_list else 0,
        ),
        "imports_waiting": (
            "Files that wait to be checked or imported",
            _count(Import.objects.filter(next_attempt_at__isnull=False)),
        ),
        "alerts_open": ("Open alerts", _count(Alert.objects.filter(resolved_at__isnull=True))),
    }
    registry = CollectorRegistry()
    for name, (documentation, value) in gauges.items():
        Gauge(f"partway_{name}", documentation, registry=registry).set(value)
    _add_bulkheads(registry)
    return generate_latest(registry)


def _count(rows: QuerySet[Any]) -> int:
    """Returns how many rows there are, at most _MAX_COUNTED."""
    return rows.order_by().values("pk")[:_MAX_COUNTED].count()


def _add_bulkheads(registry: CollectorRegistry) -> None:
    """Adds the figures of each bulkhead. They are of the process that responds, not of the installation."""
    in_use = Gauge("partway_bulkhead_in_use", "Threads inside the bulkhead", ["bulkhead"], registry=registry)
    limit = Gauge("partway_bulkhead_limit", "Threads it lets in", ["bulkhead"], registry=registry)
    refused = Counter("partway_bulkhead_refused", "Requests it refused", ["bulkhead"], registry=registry)
    for bulkhead in BULKHEADS:
        in_use.labels(bulkhead.name).set(bulkhead.in_use)
        limit.labels(bulkhead.name).set(bulkhead.limit or 0)
        refused.labels(bulkhead.name).inc(bulkhead.refused)
