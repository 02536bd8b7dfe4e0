"""The floor of every figure: a Django without middleware, sessions and templates, on the same server and database.

    DATABASE_URL=… PYTHONPATH=. python bench/floor_server.py --port N --processes 2

`/one/` asks the database `SELECT 1`. `/settle/` does in one stored procedure what the settlement of a payment writes at
least: the invoice under its lock, payment, request, event and outbox row.
"""

from __future__ import annotations

import argparse

import environ
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

from partway.lib.buffered_wsgi import BufferedWsgi
from partway.lib.ids import new_id
from partway.lib.web_server import web_server

# As many as bench/floor.sql writes.
ROWS = 100


def one(request: HttpRequest) -> HttpResponse:
    """The least that a page with a database can do."""
    return _scalar("SELECT 1", [])


def settle(request: HttpRequest, number: int) -> HttpResponse:
    """The least that a settlement can do."""
    return _scalar("SELECT floor.settle(%s, %s, %s)", [number % ROWS, new_id("pay"), 1])


def _scalar(sql: str, params: list[object]) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return HttpResponse(str(cursor.fetchone()[0]))


urlpatterns = [path("healthz", one), path("one/", one), path("settle/<int:number>/", settle)]

if not settings.configured:  # not in a process that was forked from this module
    database = environ.Env().db_url("DATABASE_URL")
    database |= {"CONN_MAX_AGE": None, "OPTIONS": {"server_side_binding": True, "prepare_threshold": 3}}
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        DATABASES={"default": database},
        MIDDLEWARE=[],
        ROOT_URLCONF="bench.floor_server",
        SECRET_KEY="nothing is signed with it",
        USE_TZ=True,
    )
application = BufferedWsgi(get_wsgi_application(), threads=18, max_body_bytes=1_000)

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--processes", type=int, default=2)
    chosen = parser.parse_args()
    web_server(
        "bench.floor_server:application", host="127.0.0.1", port=chosen.port, processes=chosen.processes
    ).serve()
