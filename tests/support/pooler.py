"""Passes connections on to PostgreSQL as PgBouncer does: clients are told a process id that is not the server's."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import connection

_KEY_DATA = b"K\x00\x00\x00\x0c"  # the message with the process id begins so


class Pooler:
    """Keeps the bytes that its clients have sent, and whether the first of them has gone."""

    def __init__(self) -> None:
        self.sent = b""
        self.client_gone = threading.Event()

    def to_server(self, client: socket.socket, server: socket.socket) -> None:
        """Passes on what the client sends, until it has gone."""
        with suppress(OSError):
            while data := client.recv(65536):
                self.sent += data
                server.sendall(data)
        self.client_gone.set()
        server.close()

    def to_client(self, server: socket.socket, client: socket.socket) -> None:
        """Passes on what the server sends, but for the process id."""
        with suppress(OSError):
            while data := server.recv(65536):
                before, found, after = data.partition(_KEY_DATA)
                client.sendall(before + found + (b"\x00\x00\x00\x01" + after[4:] if found else b""))


@contextmanager
def in_front_of_database() -> Iterator[Pooler]:
    """Lets new connections of the block go through a pooler."""
    connection.ensure_connection()
    settings, info, pooler = connection.settings_dict, connection.connection.info, Pooler()

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listening.accept()
                if info.host.startswith("/"):
                    server = socket.socket(socket.AF_UNIX)
                    server.connect(f"{info.host}/.s.PGSQL.{info.port}")
                else:
                    server = socket.create_connection((info.host, info.port))
                for target, ends in (
                    (pooler.to_server, (client, server)),
                    (pooler.to_client, (server, client)),
                ):
                    threading.Thread(target=target, args=ends, daemon=True).start()

    direct = {name: settings[name] for name in ("HOST", "PORT", "OPTIONS")}
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=accept, daemon=True).start()
        host, port = listening.getsockname()
        settings.update(HOST=host, PORT=port, OPTIONS={**settings["OPTIONS"], "sslmode": "disable"})
        try:
            yield pooler
        finally:
            settings.update(direct)
