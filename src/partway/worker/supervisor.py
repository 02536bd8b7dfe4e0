"""Runs a whole installation as processes: web server, worker and sandbox, started and stopped together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import httpx

_START_TIMEOUT_SECONDS = 30
_STOP_TIMEOUT_SECONDS = 10


class SupervisorError(Exception):
    """The installation cannot run; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class SupervisorConfig:
    """The data folder and the ports of an installation, which listens on the loopback address only."""

    home: Path
    port: int
    sandbox_port: int
    database_url: str = ""
    isolated: bool = False  # ignore the caller's own settings, as for an installation that is thrown away

    @property
    def url(self) -> str:
        """The address of the web server."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def sandbox_url(self) -> str:
        """The address of the sandbox."""
        return f"http://127.0.0.1:{self.sandbox_port}"

    def environment(self) -> dict[str, str]:
        """Returns the environment of each process."""
        variables = {
            "PARTWAY_HOME": str(self.home),
            "PARTWAY_URL": self.url,
            "PARTWAY_SANDBOX_URL": self.sandbox_url,
            "DJANGO_SETTINGS_MODULE": "partway.config.settings",
            "PYTHONUNBUFFERED": "1",
            # The organization of a demo or a tour has no operator who approves it, and its payments begin at once.
            "PARTWAY_PAYMENTS_NEED_APPROVAL": "no",
        }
        if self.database_url:
            variables["DATABASE_URL"] = self.database_url
        inherited = dict(os.environ)
        if self.isolated:
            ours = ("DATABASE_URL", "EMAIL_URL")
            inherited = {
                name: value
                for name, value in inherited.items()
                if not name.startswith("PARTWAY_") and name not in ours
            }
        return {**inherited, **variables}


def free_port() -> int:
    """Returns a port on which nothing listens at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def check_port(port: int) -> None:
    """Raises SupervisorError, naming the port, if something already listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            message = f"Port {port} is taken. Choose another with --port, or end what uses it."
            raise SupervisorError(message) from error


@dataclass
class Supervisor:
    """The processes of one installation; a context manager that stops them all when it ends."""

    config: SupervisorConfig
    extra_environment: dict[str, str] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Supervisor:
        self.config.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def run(self, *command: str) -> str:
        """Runs a `partway` command to its end and returns its output; raises SupervisorError when it fails."""
        environment = {**self.config.environment(), **self.extra_environment}
        completed = subprocess.run(
            [sys.executable, "-m", "partway", *command],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if completed.returncode:
            message = f"partway {' '.join(command)} failed:\n{completed.stdout}{completed.stderr}"
            raise SupervisorError(message)
        return completed.stdout

    def start_sandbox(self) -> None:
        """Starts the sandbox and waits until it responds."""
        home, port = str(self.config.home / "sandbox"), str(self.config.sandbox_port)
        # Payouts soon, so that the first evening has some.
        options = ("--home", home, "--port", port, "--payout-every", "10")
        self._start("sandbox", "-m", "partway.sandbox", *options)
        self._wait_until_healthy("sandbox", f"{self.config.sandbox_url}/healthz")

    def start_web(self) -> None:
        """Starts the web server and waits until it responds."""
        self._start("web", "-m", "partway", "serve", "--port", str(self.config.port))
        self._wait_until_healthy("web", f"{self.config.url}/healthz")

    def start_worker(self) -> None:
        """Starts one worker."""
        self._start("worker", "-m", "partway", "worker")

    def _start(self, name: str, *command: str) -> None:
        environment = {**self.config.environment(), **self.extra_environment}
        logs = self.config.home / "logs"
        logs.mkdir(exist_ok=True, mode=0o700)
        # In a session of its own, so that Ctrl-C reaches only the supervisor, which stops the processes in order.
        log_file = os.open(logs / f"{name}.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(log_file, "ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *command], env=environment, stdout=log, stderr=log, start_new_session=True
            )

    def _wait_until_healthy(self, name: str, url: str) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_SECONDS
        # One client for all attempts: creating one costs more than an attempt, and the new process needs the CPU.
        with httpx.Client(trust_env=False, timeout=5) as client:
            while time.monotonic() < deadline and self.processes[name].poll() is None:
                try:
                    if client.get(url).status_code == 200:
                        return
                except httpx.HTTPError:
                    pass
                time.sleep(0.05)
        log = self.config.home / "logs" / f"{name}.log"
        raise SupervisorError(f"The {name} process did not start; see {log}")

    def run_until_stopped(self) -> None:
        """Blocks until `stopping` is set; starts a process again when it dies."""
        starters = {"sandbox": self.start_sandbox, "web": self.start_web, "worker": self.start_worker}
        while not self.stopping.wait(1):
            for name, process in list(self.processes.items()):
                if process.poll() is not None and not self.stopping.is_set():
                    print(f"The {name} process ended ({process.returncode}); starting it again.", flush=True)
                    starters[name]()

    def stop_on_signals(self) -> None:
        """Makes Ctrl-C and SIGTERM end `run_until_stopped`."""

        def stop(_number: int, _frame: FrameType | None) -> None:
            self.stopping.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)

    def kill(self, name: str) -> None:
        """Kills one process and its children without warning, as a crash would."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """Stops every process, callers before the processes that they call."""
        self.stopping.set()
        for name in ("worker", "web", "sandbox"):
            process = self.processes.pop(name, None)
            if process is None:
                continue
            process.terminate()
            try:
                process.wait(_STOP_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
