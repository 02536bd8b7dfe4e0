"""`partway serve`: one web server; one process on SQLite, any number on PostgreSQL."""

from __future__ import annotations

import gc
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import connection

from partway.lib.web_server import web_server
from partway.worker.management.partway_command import PartwayCommand, require_tables

_APPLICATION = "partway.config.asgi"
_API = "partway.api.urls"
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Command(PartwayCommand):
    """Serves pages and callbacks until Ctrl-C or SIGTERM."""

    help = "Serve the web application."

    def add_arguments(self, parser: CommandParser) -> None:
        """--host, --port, --processes."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--processes", type=int, default=1, help="more than one needs PostgreSQL")

    def handle(self, *args: Any, host: str, port: int, processes: int, **options: Any) -> None:
        """Runs the server."""
        if processes > 1 and connection.vendor == "sqlite":
            raise CommandError("SQLite has one writer: use one process, or set DATABASE_URL to a PostgreSQL.")
        trusts_all = settings.PARTWAY_TRUSTED_PROXIES and not settings.PARTWAY_PROXY_NETWORKS
        if trusts_all and host.strip("[]") not in _LOOPBACK:
            raise CommandError(
                f"partway.E013: on {host}, callers beside the trusted proxies could write their headers. "
                "Listen on 127.0.0.1, or set PARTWAY_PROXY_NETWORKS to the networks of the proxies."
            )
        require_tables()
        # Loaded here, so that the processes that are forked share its pages of memory and are ready at once. Frozen, so
        # that the garbage collector never writes to these pages, and does not look through them again and again.
        import_module(_APPLICATION)
        if processes > 1:
            import_module(
                _API
            )  # a single process loads it with the first request below /api/, if one ever comes
        gc.collect()
        gc.freeze()
        connection.close()
        web_server(
            f"{_APPLICATION}:application",
            host=host,
            port=port,
            processes=processes,
            respawn_failed_workers=True,
        ).serve()
