"""The web server: granian, with settings under which a slow client costs a socket and nothing else.

sockets ─> granian (headers, 30 s) ─> BufferedWsgi (whole body, then a thread, then the response) ─> WSGI application
"""

from __future__ import annotations

import resource
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.mp import MPServer

# Granian stops accepting at its limit of connections, so with a small one idle sockets would shut all others out.
_MAX_CONNECTIONS = 4096
_FILES_OF_OUR_OWN = 256  # database, pipes, static files, files that are being sent
_HEADER_MILLISECONDS = 30_000  # also how long a connection may stay idle between requests
# What hyper holds of a connection at most, in each direction: headers, and what a client does not read.
_BUFFER_BYTES = 64 * 1024
_SHUTDOWN_SECONDS = 8


def web_server(target: str, *, host: str, port: int, processes: int = 1, **options: Any) -> MPServer:
    """Returns a server of `target`, a BufferedWsgi as "module:name"; `serve()` runs it until SIGTERM or SIGINT.

    A request that has not ended within eight seconds of the signal is cut off; its client sees a broken connection.
    """
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MAX_CONNECTIONS + _FILES_OF_OUR_OWN
    files = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return MPServer(
        target,
        address=host,
        port=port,
        workers=processes,
        # Without the lifespan protocol, which we have no use for.
        interface=Interfaces.ASGINL,
        websockets=False,
        # Detecting HTTP/2 waits for the first bytes of a connection without any limit of time.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=_HEADER_MILLISECONDS, max_buffer_size=_BUFFER_BYTES),
        backlog=1024,
        backpressure=max(files - _FILES_OF_OUR_OWN, 64),
        workers_kill_timeout=_SHUTDOWN_SECONDS,
        **options,
    )
