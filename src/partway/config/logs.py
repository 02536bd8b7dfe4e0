"""Structured logs on standard error, with the tokens of payment links masked."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse

from partway.lib.ids import new_id
from partway.lib.links import mask_links


def configure_logs(level: str) -> None:
    """Sets up one line for each entry: readable on a terminal, JSON elsewhere; also for Django's own logs."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: Any = structlog.processors.JSONRenderer()
    if sys.stderr.isatty():
        renderer = structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    # The whole line, since a token can be in a field that is no text.
    processors: list[Any] = [remove, renderer, lambda _logger, _name, line: mask_links(line)]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=processors))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # RequestLogMiddleware logs each request with its token masked; these would log it again, or whole URLs.
    for noisy in ("httpx", "httpcore", "django.request", "django.server", "_granian"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


class RequestLogMiddleware:
    """Gives each request an id, and logs it when it is finished: method, masked path, status, milliseconds.

    The id is in every line of this request, and in the header X-Request-Id of the response.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.log = structlog.get_logger("partway.request")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Logs after the response."""
        began = time.perf_counter()
        request_id = new_id("req")
        # Until the next one on this thread, since Django logs a refusal after all middleware.
        structlog.contextvars.bind_contextvars(request_id=request_id)
        response = self.get_response(request)
        self.log.info(
            "request_finished",
            method=request.method,
            path=mask_links(request.path),
            status=response.status_code,
            ms=round((time.perf_counter() - began) * 1000, 1),
        )
        response.headers["X-Request-Id"] = request_id
        return response
