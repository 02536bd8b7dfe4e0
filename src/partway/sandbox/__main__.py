"""Runs the pretend company: `python -m partway.sandbox --home DIR --port N`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.mp import MPServer

# A merchant may call back into us while we wait for it to take a callback.
THREADS = 16


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    options = _options()
    options.home.mkdir(parents=True, exist_ok=True)
    # The worker process reads its settings from here.
    os.environ["DJANGO_SETTINGS_MODULE"] = "partway.sandbox.settings"
    os.environ["PARTWAY_SANDBOX_HOME"] = str(options.home.resolve())
    os.environ["PARTWAY_SANDBOX_SETTLE_AFTER"] = str(options.settle_after)
    _server(options.host, options.port).serve()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m partway.sandbox", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="where its SQLite file lives")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1", help="anybody who reaches it can open an account")
    parser.add_argument("--settle-after", type=float, default=5, metavar="SECONDS", help="of a bank debit")
    return parser.parse_args()


def _server(host: str, port: int) -> MPServer:
    return MPServer(
        "partway.sandbox.wsgi:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS,
        workers_kill_timeout=3,
        static_path_mount=[Path(__file__).parent / "static"],
        log_level=LogLevels.error,
    )


if __name__ == "__main__":
    main()
