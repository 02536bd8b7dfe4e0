"""`partway demo`: the whole product on one machine, with a demo organization, until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from partway.gateways.registry import DEMO_GATEWAY, GATEWAYS
from partway.worker.supervisor import Supervisor, SupervisorConfig, SupervisorError, check_port

SLUG = "demo"
PASSWORD = "partway-demo"  # noqa: S105 - printed by the demo, which only listens on the loopback address
DEMO_USERS = {
    "owner": ("olivia@demo.example", "Olivia Stone"),
    "collector": ("carl@demo.example", "Carl Reyes"),
    "reader": ("rita@demo.example", "Rita Novak"),
}
_MARKER = "demo-home"  # a file in each home that a demo made


def main(arguments: list[str]) -> int:
    """Runs the demo and returns the exit status."""
    parser = argparse.ArgumentParser(prog="partway demo", description=__doc__)
    default_home = Path(os.environ.get("PARTWAY_HOME", "~/.partway/demo"))
    parser.add_argument(
        "--home", type=Path, default=default_home, help="where its data lives (default: %(default)s)"
    )
    parser.add_argument("--port", type=int, default=8000, help="the web port; the sandbox takes the next one")
    parser.add_argument("--fresh", action="store_true", help="throw the demo's data away and start over")
    gateways = [DEMO_GATEWAY, *(code for code, one in GATEWAYS.items() if one.trial)]
    parser.add_argument(
        "--gateway",
        choices=gateways,
        default=DEMO_GATEWAY,
        help="where new payments are made (default: %(default)s); another one takes a key of its test mode from the "
        "environment, as PARTWAY_<CODE>_TEST_KEY",
    )
    options = parser.parse_args(arguments)
    config = SupervisorConfig(options.home.expanduser().resolve(), options.port, options.port + 1)
    try:
        key = f"PARTWAY_{options.gateway.upper()}_TEST_KEY"
        if options.gateway != DEMO_GATEWAY and not os.environ.get(key):
            raise SupervisorError(f"Set {key} to a key of the test mode first.")
        check_port(config.port)
        check_port(config.sandbox_port)
        if options.fresh:
            _delete_home(config.home)
        _run(Supervisor(config), options.gateway)
    except SupervisorError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _delete_home(home: Path) -> None:
    """Deletes a home that a demo made; raises SupervisorError for any other folder that is not empty."""
    if home.exists() and any(home.iterdir()) and not (home / _MARKER).exists():
        message = f"{home} was not made by a demo, so --fresh leaves it alone. Choose another --home."
        raise SupervisorError(message)
    shutil.rmtree(home, ignore_errors=True)


def _run(supervisor: Supervisor, gateway: str) -> None:
    supervisor.stop_on_signals()
    with supervisor:
        (supervisor.config.home / _MARKER).touch()
        print("Starting Partway …", flush=True)
        supervisor.run("migrate", "--verbosity", "0")
        supervisor.start_sandbox()
        supervisor.start_web()
        print(supervisor.run("demo_organization", "--gateway", gateway), flush=True)
        supervisor.start_worker()
        print("Ctrl-C ends it. Logs are in", supervisor.config.home / "logs", flush=True)
        supervisor.run_until_stopped()
        print("\nEnding …", flush=True)
