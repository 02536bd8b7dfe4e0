"""`partway demo`: the whole product on one machine, with a believable organization, until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from .supervisor import Supervisor, SupervisorConfig, SupervisorError, check_port

SLUG = "demo"
PASSWORD = "partway-demo"  # noqa: S105 - printed by the demo, which only listens on the loopback address
DEMO_USERS = {
    "owner": ("olivia@demo.example", "Olivia Stone"),
    "collector": ("carl@demo.example", "Carl Reyes"),
    "reader": ("rita@demo.example", "Rita Novak"),
}
_MARK = "demo-home"


def main(arguments: list[str]) -> int:
    """Run the demo; answers the exit status."""
    options = _options(arguments)
    address = SupervisorConfig(options.home.expanduser().resolve(), options.port, options.port + 1)
    try:
        for port in (address.port, address.sandbox_port):
            check_port(port)
        if options.fresh:
            _start_over(address.home)
        return _run(Supervisor(address))
    except SupervisorError as error:
        print(error, file=sys.stderr)
        return 1


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="partway demo", description=__doc__)
    home = Path(os.environ.get("PARTWAY_HOME", "~/.partway/demo"))
    parser.add_argument("--home", type=Path, default=home, help="where its data lives (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="the web port; the sandbox takes the next one")
    parser.add_argument("--fresh", action="store_true", help="throw the demo's data away and start over")
    return parser.parse_args(arguments)


def _start_over(home: Path) -> None:
    """Only a home that a demo made is ever emptied."""
    if home.exists() and any(home.iterdir()) and not (home / _MARK).exists():
        raise SupervisorError(
            f"{home} was not made by a demo, so --fresh leaves it alone. Choose another --home."
        )
    shutil.rmtree(home, ignore_errors=True)


def _run(supervisor: Supervisor) -> int:
    supervisor.stop_on_signals()
    with supervisor:
        (supervisor.address.home / _MARK).touch()
        print("Starting Partway …", flush=True)
        supervisor.run("migrate", "--verbosity", "0")
        supervisor.start_sandbox()
        supervisor.start_web()
        print(supervisor.run("demo_organization"), flush=True)
        supervisor.start_worker()
        print("Ctrl-C ends it. Logs are in", supervisor.address.home / "logs", flush=True)
        supervisor.run_until_stopped()
        print("\nEnding …", flush=True)
    return 0
