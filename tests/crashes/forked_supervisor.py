"""A supervisor whose processes are forked with the libraries loaded, since these tests start a hundred of them.

Most of the start of a process is importing libraries. Python's fork server imports them once, and each process is
forked from it; it loads our settings, apps and code by itself, as always.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from multiprocessing.process import BaseProcess

from partway.worker.supervisor import Supervisor

LIBRARIES = (
    *("django.contrib.auth.password_validation", "django.contrib.staticfiles.finders"),
    *("django.contrib.staticfiles.storage", "django.core.handlers.wsgi", "django.core.management"),
    *(
        "django.db.backends.postgresql.base",
        "django.db.backends.sqlite3.base",
        "django.db.migrations.executor",
    ),
    *("django.db.models", "django.forms", "django.template.defaulttags", "django.template.loader_tags"),
    *("django.views.debug", "email.mime.multipart", "fido2.server", "PIL.ImageOps", "whitenoise.middleware"),
    *("babel.numbers", "cryptography.fernet", "fido2.webauthn", "granian", "httpx", "PIL.Image", "psycopg"),
    *("prometheus_client", "requests", "segno", "sqlparse", "standardwebhooks", "structlog"),
)


class ForkedSupervisor(Supervisor):
    """Forks the web server and the worker in place of starting an interpreter."""

    def _start(self, name: str, *command: str) -> None:
        if command[:2] != ("-m", "partway"):
            super()._start(name, *command)
            return
        logs = self.config.home / "logs"
        logs.mkdir(exist_ok=True)
        environment = {**self.config.environment(), **self.extra_environment}
        arguments = (list(command[1:]), environment, str(logs / f"{name}.log"))
        forks = multiprocessing.get_context("forkserver")
        forks.set_forkserver_preload(list(LIBRARIES))
        process = forks.Process(target=_partway, args=arguments)
        process.start()
        self.processes[name] = ForkedProcess(process)


class ForkedProcess:
    """The part of subprocess.Popen that the supervisor uses."""

    def __init__(self, process: BaseProcess) -> None:
        self._process = process
        assert process.pid is not None
        self.pid = process.pid

    def poll(self) -> int | None:
        """Returns the exit status, negative for a signal; None while the process runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Waits for the exit status."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return self._process.exitcode

    def terminate(self) -> None:
        """Sends SIGTERM."""
        self._process.terminate()


def _partway(argv: list[str], environment: dict[str, str], log: str) -> None:
    """Runs the `partway` command in a session, environment and output of its own."""
    os.setsid()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = argv
    multiprocessing.set_start_method(None, force=True)  # the default of a fresh interpreter

    from partway.__main__ import main

    main()
