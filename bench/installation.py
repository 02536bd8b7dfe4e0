"""A throw-away installation to measure: PostgreSQL, web, sandbox and the server of the floor, each with its figures."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg

from bench.processes import cpu_seconds, pss_bytes
from partway.worker.supervisor import Supervisor, SupervisorConfig, free_port
from tests.postgres_plugin import running_server

PROCESSES = 2


@dataclass(frozen=True)
class Server:
    """A web server under measurement, and the PostgreSQL that it uses."""

    url: str
    pid: int
    postgres_pid: int
    started_in: float  # seconds by the clock, until its first good response
    started_cpu: float  # seconds of CPU until then

    def cpu(self) -> tuple[float, float]:
        """Returns the seconds of CPU so far, of the server and of the database, each with all children."""
        return cpu_seconds(self.pid), cpu_seconds(self.postgres_pid)

    def memory(self) -> int:
        """Returns the bytes of memory of the server and its processes."""
        return pss_bytes(self.pid)


@dataclass(frozen=True)
class Installation:
    """All that runs; a worker is started by its own measurement, so that its queries are not counted elsewhere."""

    supervisor: Supervisor
    web: Server
    floor: Server


@contextmanager
def installation(*, invoices: int, database_url: str = "") -> Iterator[Installation]:
    """Seeds a database and starts everything; stops it at the end. Sets the environment for Django in this process.

    database_url: a PostgreSQL of `python -m tests.postgres_plugin`, which is seeded once and stays.
    """
    server = nullcontext(database_url) if database_url else running_server()
    with tempfile.TemporaryDirectory(prefix="partway-bench-") as home, server as database_url:
        config = SupervisorConfig(Path(home), free_port(), free_port(), database_url, isolated=True)
        many = str(10**9)
        extra = {
            "PARTWAY_CHECKOUTS_PER_IP": many,
            "PARTWAY_MAILS_PER_MEMBER": many,
            "PARTWAY_MAILS_PER_ORGANIZATION": many,
        }
        folder = Path(database_url.partition("@/")[2]).parent
        postgres_pid = int((folder / "data/postmaster.pid").read_text().split()[0])
        with Supervisor(config, extra) as supervisor:
            supervisor.run("migrate", "--verbosity", "0")
            host = str(folder)
            with psycopg.connect(dbname="partway", user="partway", host=host, autocommit=True) as database:
                if not database.execute("SELECT 1 FROM billing_invoice LIMIT 1").fetchone():
                    print(supervisor.run("seed", "--invoices", str(invoices)).splitlines()[0], flush=True)
                database.execute((Path(__file__).parent / "floor.sql").read_text())
                database.execute(
                    "VACUUM ANALYZE"
                )  # as autovacuum has done on a database that has run for a day
            supervisor.start_sandbox()
            os.environ.update(config.environment() | extra)
            serve = ["-m", "partway", "serve", "--port", str(config.port), "--processes", str(PROCESSES)]
            bare = ["bench/floor_server.py", "--port", str(free_port()), "--processes", str(PROCESSES)]
            with _running(serve, postgres_pid) as web, _running(bare, postgres_pid) as floor:
                yield Installation(supervisor, web, floor)


@contextmanager
def _running(command: list[str], postgres_pid: int) -> Iterator[Server]:
    url = f"http://127.0.0.1:{command[command.index('--port') + 1]}"
    paths = [str(Path(__file__).parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    with httpx.Client(trust_env=False, timeout=10) as client:
        began = time.perf_counter()
        # Logs as an operator has them, whose making is part of the work.
        with (Path(os.environ["PARTWAY_HOME"]) / "logs" / "measured.log").open("ab") as log:
            process = subprocess.Popen([sys.executable, *command], env=environment, stdout=log, stderr=log)
        try:
            while True:
                try:
                    if client.get(f"{url}/healthz").is_success:
                        break
                except httpx.HTTPError:
                    time.sleep(0.02)
                if process.poll() is not None:
                    sys.exit(f"{command} ended with {process.returncode}")
            took = time.perf_counter() - began
            yield Server(url, process.pid, postgres_pid, took, cpu_seconds(process.pid))
        finally:
            process.terminate()
            process.wait()
