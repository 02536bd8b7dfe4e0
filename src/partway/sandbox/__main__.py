"""Runs the sandbox: `python -m partway.sandbox --home DIR --port N`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from granian.log import LogLevels

from partway.lib.web_server import web_server


def main() -> None:
    """Serves until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m partway.sandbox", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="where its SQLite file lives")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument(
        "--host", default="127.0.0.1", help="every client that reaches it can open an account"
    )
    parser.add_argument("--settle-after", type=float, default=5, metavar="SECONDS", help="of a bank debit")
    parser.add_argument(
        "--payout-every", type=float, default=60, metavar="SECONDS", help="0 to pay nothing out by itself"
    )
    options = parser.parse_args()
    options.home.mkdir(
        parents=True, exist_ok=True, mode=0o700
    )  # its database has API keys and signing secrets
    # The worker process reads its settings from here.
    os.environ["DJANGO_SETTINGS_MODULE"] = "partway.sandbox.settings"
    os.environ["PARTWAY_SANDBOX_HOME"] = str(options.home.resolve())
    os.environ["PARTWAY_SANDBOX_SETTLE_AFTER"] = str(options.settle_after)
    os.environ["PARTWAY_SANDBOX_PAYOUT_EVERY"] = str(options.payout_every)
    web_server(
        "partway.sandbox.asgi:application",
        host=options.host,
        port=options.port,
        static_path_mount=[Path(__file__).parent / "static"],
        log_level=LogLevels.error,
    ).serve()


if __name__ == "__main__":
    main()
