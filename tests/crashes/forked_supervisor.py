"""A house whose processes begin with the libraries loaded, because they begin a hundred times in these tests.

Most of the time that a process needs to start goes into importing what never changes. A server of Python's own
imports that once, and each process is forked from it; our settings, apps and code it loads by itself, as always.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from multiprocessing.process import BaseProcess

from partway.worker.supervisor import Supervisor

LIBRARIES = (
    "django.contrib.staticfiles.finders",
    "django.core.management",
    "django.db.backends.postgresql.base",
    "django.db.backends.sqlite3.base",
    "django.db.models",
    "django.forms",
    "django.template",
    *("babel.numbers", "cryptography.fernet", "fido2.webauthn", "granian", "httpx", "PIL.Image", "psycopg"),
    *("prometheus_client", "requests", "segno", "sqlparse", "standardwebhooks", "structlog", "typst"),
)


class ForkedSupervisor(Supervisor):
    """The same house, but for how its own two processes come to life."""

    def _start(self, name: str, *command: str) -> None:
        if command[:2] != ("-m", "partway"):
            super()._start(name, *command)
            return
        logs = self.address.home / "logs"
        logs.mkdir(exist_ok=True)
        environment = {**self.address.environment(), **self.extra_environment}
        arguments = (list(command[1:]), environment, str(logs / f"{name}.log"))
        forks = multiprocessing.get_context("forkserver")
        forks.set_forkserver_preload(list(LIBRARIES))
        process = forks.Process(target=_partway, args=arguments)
        process.start()
        self.processes[name] = ForkedProcess(process)


class ForkedProcess:
    """As much of subprocess.Popen as a house needs."""

    def __init__(self, process: BaseProcess) -> None:
        self._process = process
        assert process.pid is not None
        self.pid = process.pid

    def poll(self) -> int | None:
        """The exit status, negative for the signal it died of; None while it lives."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, once it has one."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return self._process.exitcode

    def terminate(self) -> None:
        """Ask it to end."""
        self._process.terminate()


def _partway(argv: list[str], environment: dict[str, str], log: str) -> None:
    """The `partway` command as a program of its own: session, environment and output, then its own entrance."""
    os.setsid()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = argv
    multiprocessing.set_start_method(None, force=True)  # whatever a program of its own would use

    from partway.__main__ import main

    main()
