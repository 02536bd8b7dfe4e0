"""Runs the whole house as real processes: web server, worker and sandbox, started and ended together."""

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

_START_WITHIN_SECONDS = 30
_END_WITHIN_SECONDS = 10


class SupervisorError(Exception):
    """The house cannot run; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class SupervisorConfig:
    """Where a house lives: its data, and its two ports on the loopback address."""

    home: Path
    port: int
    sandbox_port: int
    database_url: str = ""
    isolated: bool = False  # a throw-away house: nothing of the caller's own installation may reach it

    @property
    def url(self) -> str:
        """Where the web server answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def sandbox_url(self) -> str:
        """Where the pretend payment company answers."""
        return f"http://127.0.0.1:{self.sandbox_port}"

    def environment(self) -> dict[str, str]:
        """What each process of this house is told."""
        told = {
            "PARTWAY_HOME": str(self.home),
            "PARTWAY_URL": self.url,
            "PARTWAY_SANDBOX_URL": self.sandbox_url,
            "DJANGO_SETTINGS_MODULE": "partway.config.settings",
            "PYTHONUNBUFFERED": "1",
        }
        if self.database_url:
            told["DATABASE_URL"] = self.database_url
        inherited = {
            name: value for name, value in os.environ.items() if not (self.isolated and _is_ours(name))
        }
        return {**inherited, **told}


def _is_ours(name: str) -> bool:
    return name.startswith("PARTWAY_") or name in ("DATABASE_URL", "EMAIL_URL")


def free_port() -> int:
    """A port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def check_port(port: int) -> None:
    """Raise HouseError, naming the port, if something already listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise SupervisorError(
                f"Port {port} is taken. Choose another with --port, or end what uses it."
            ) from error


@dataclass
class Supervisor:
    """The processes of one house; a context manager that leaves none behind."""

    address: SupervisorConfig
    extra_environment: dict[str, str] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Supervisor:
        self.address.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def run(self, *command: str) -> str:
        """Run a `partway` command to its end and answer what it printed; raises HouseError when it fails."""
        environment = {**self.address.environment(), **self.extra_environment}
        done = subprocess.run(
            [sys.executable, "-m", "partway", *command],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SupervisorError(f"partway {' '.join(command)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def start_sandbox(self) -> None:
        """Start the pretend payment company and wait until it answers."""
        home, port = str(self.address.home / "sandbox"), str(self.address.sandbox_port)
        self._start("sandbox", "-m", "partway.sandbox", "--home", home, "--port", port)
        self._wait_for("sandbox", f"{self.address.sandbox_url}/healthz")

    def start_web(self) -> None:
        """Start the web server and wait until it answers."""
        self._start("web", "-m", "partway", "serve", "--port", str(self.address.port))
        self._wait_for("web", f"{self.address.url}/healthz")

    def start_worker(self) -> None:
        """Start one worker."""
        self._start("worker", "-m", "partway", "worker")

    def _start(self, name: str, *command: str) -> None:
        environment = {**self.address.environment(), **self.extra_environment}
        logs = self.address.home / "logs"
        logs.mkdir(exist_ok=True)
        # A session of its own: Ctrl-C reaches only us, and we end the others in the right order.
        with (logs / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *command], env=environment, stdout=log, stderr=log, start_new_session=True
            )

    def _wait_for(self, name: str, url: str) -> None:
        give_up_at = time.monotonic() + _START_WITHIN_SECONDS
        # One client for all tries: making one costs more than a try, and what is starting needs the processor.
        with httpx.Client(trust_env=False, timeout=5) as client:
            while time.monotonic() < give_up_at and self.processes[name].poll() is None:
                if _answers(client, url):
                    return
                time.sleep(0.05)
        raise SupervisorError(
            f"The {name} process did not start; see {self.address.home / 'logs' / f'{name}.log'}"
        )

    def run_until_stopped(self) -> None:
        """Stay until told to end; a process that dies is started again."""
        starters = {"sandbox": self.start_sandbox, "web": self.start_web, "worker": self.start_worker}
        while not self.stopping.wait(1):
            for name, process in list(self.processes.items()):
                if process.poll() is not None and not self.stopping.is_set():
                    print(f"The {name} process ended ({process.returncode}); starting it again.", flush=True)
                    starters[name]()

    def stop_on_signals(self) -> None:
        """Ctrl-C and SIGTERM end `watch`."""

        def stop(_number: int, _frame: FrameType | None) -> None:
            self.stopping.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)

    def kill(self, name: str) -> None:
        """End one process and all it started without warning, as a crash would."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """End every process, those that call others first."""
        self.stopping.set()
        for name in ("worker", "web", "sandbox"):
            process = self.processes.pop(name, None)
            if process is not None:
                _end(process)


def _answers(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).status_code == 200
    except httpx.HTTPError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_END_WITHIN_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
