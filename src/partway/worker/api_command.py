"""`partway api METHOD PATH`: one call of the API from the shell, with a key from the environment."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from partway.lib.untrusted_json import InvalidJson, read_json

_SECONDS = 60.0
_MAX_ANSWER = 10_000_000  # bytes


def main(arguments: Sequence[str]) -> int:
    """Makes the call and prints its answer; returns 0, 1 when it was refused, or 2 when nothing answered."""
    parser = argparse.ArgumentParser(
        prog="partway api",
        description="Makes one call of the API with the key in PARTWAY_API_KEY, at PARTWAY_API_URL "
        "(or PARTWAY_URL, by default http://127.0.0.1:8000).",
        epilog="Example: partway api POST /invoices/inv_06c5x/payment_requests amount_requested:=30000",
    )
    parser.add_argument("method", type=str.upper, choices=("GET", "POST", "PATCH", "DELETE"))
    parser.add_argument("path", help="below /api/v1, as /invoices?status=sent")
    parser.add_argument(
        "fields",
        nargs="*",
        help="of the body: name=text, or name:=JSON; without any, a body is read by --input",
    )
    parser.add_argument("--input", metavar="FILE", help="the body as JSON; - is standard input")
    parser.add_argument("--idempotency-key", help="of a POST; by default a new one for each run")
    options = parser.parse_args(arguments)
    key = os.environ.get("PARTWAY_API_KEY", "")
    if not key:
        parser.error("PARTWAY_API_KEY is not set; `partway keys create` prints a key")
    try:
        body = _body(options.fields, options.input)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    host = os.environ.get("PARTWAY_API_URL") or os.environ.get("PARTWAY_URL") or "http://127.0.0.1:8000"
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    if options.method == "POST":
        headers["Idempotency-Key"] = options.idempotency_key or str(uuid4())
    url = f"{host.rstrip('/').removesuffix('/api/v1')}/api/v1/{options.path.lstrip('/')}"
    try:
        response = httpx.request(options.method, url, content=body, headers=headers, timeout=_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        print(f"No answer from {host}: {error}", file=sys.stderr)
        return 2
    try:
        print(json.dumps(read_json(response.content, max_bytes=_MAX_ANSWER), indent=2, ensure_ascii=False))
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has read enough; Python would complain at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except InvalidJson:
        print(f"{url} answered {response.status_code} without JSON; is it Partway?", file=sys.stderr)
        return 2
    return int(not response.is_success)


def _body(fields: Sequence[str], file: str | None) -> str | None:
    """Returns the JSON of the fields, or of the file; raises ValueError or OSError with what is wrong."""
    if file is not None:
        if fields:
            raise ValueError("give either fields or --input")
        if file == "-":
            return sys.stdin.read()
        return Path(file).read_text(encoding="utf-8")
    body: dict[str, Any] = {}
    for field in fields:
        name, separator, text = field.partition("=")
        if not separator or not name.rstrip(":"):
            raise ValueError(f"{field!r} is neither name=text nor name:=JSON")
        try:
            body[name.removesuffix(":")] = read_json(text) if name.endswith(":") else text
        except InvalidJson as error:
            raise ValueError(f"{field!r}: {error}") from None
    return json.dumps(body) if body else None
