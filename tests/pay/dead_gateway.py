"""A gateway that does not work, and counts calls: tests that must not call one assert zero."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class DeadGateway:
    """Responds to every call with 503, and counts it."""

    def __init__(self) -> None:
        self.calls = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> DeadGateway:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(dead_gateway: DeadGateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            dead_gateway.calls += 1
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.send_error(503)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Logs nothing."""

    return Handler
