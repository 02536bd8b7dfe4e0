"""A supervisor whose processes are forked with all code loaded, since these tests start a hundred of them.

Nearly all of the start of a process is importing. Python's fork server imports the libraries once; from it a template
is forked for each installation, which loads its settings, apps and code as they always are, and never runs any of it.
Each process is forked from the template, so that after a kill nothing is left of what was in the memory of the last.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
import traceback
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any

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
    *("django.views.debug", "email.mime.multipart", "fido2.server", "whitenoise.middleware"),
    *("babel.numbers", "cryptography.fernet", "fido2.webauthn", "granian", "httpx", "psycopg"),
    *("prometheus_client", "sqlparse", "standardwebhooks", "structlog"),
)


# What `serve` and `worker` load beside the apps.
COMMANDS = (
    *("partway.__main__", "partway.config.asgi", "partway.worker.loop"),
    "partway.worker.management.commands.serve",
)


class ForkedSupervisor(Supervisor):
    """Forks the web server and the worker in place of starting an interpreter."""

    _template: Template | None = None

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        if self._template is not None:
            self._template.close()

    def _start(self, name: str, *command: str) -> None:
        if command[:2] != ("-m", "partway"):
            super()._start(name, *command)
            return
        logs = self.config.home / "logs"
        logs.mkdir(exist_ok=True)
        if self._template is None:
            self._template = Template({**self.config.environment(), **self.extra_environment})
        self.processes[name] = self._template.fork(list(command[1:]), str(logs / f"{name}.log"))


class Template:
    """A process that has loaded all code in an environment, and forks when it is asked to."""

    def __init__(self, environment: dict[str, str]) -> None:
        forks = multiprocessing.get_context("forkserver")
        forks.set_forkserver_preload(list(LIBRARIES))
        self._connection, theirs = forks.Pipe()
        self._process = forks.Process(target=_serve, args=(environment, theirs))
        self._process.start()
        theirs.close()

    def fork(self, argv: list[str], log: str) -> ForkedProcess:
        """Starts the `partway` command; its output is appended to the file `log`."""
        self._connection.send((argv, log))
        return ForkedProcess(self, self._connection.recv())

    def exit_status(self, pid: int) -> int | None:
        """Returns the exit status of a process that has ended, negative for a signal; None while it runs."""
        self._connection.send(pid)
        status: int | None = self._connection.recv()
        return status

    def close(self) -> None:
        """Ends the template, not the processes that were forked from it."""
        self._connection.close()
        self._process.join()


class ForkedProcess:
    """The part of subprocess.Popen that the supervisor uses."""

    def __init__(self, template: Template, pid: int) -> None:
        self._template = template
        self._exit_status: int | None = None
        self.pid = pid

    def poll(self) -> int | None:
        """Returns the exit status, negative for a signal; None while the process runs."""
        if self._exit_status is None:
            self._exit_status = self._template.exit_status(self.pid)
        return self._exit_status

    def wait(self, timeout: float | None = None) -> int:
        """Waits for the exit status."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (status := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            time.sleep(0.01)
        return status

    def terminate(self) -> None:
        """Sends SIGTERM."""
        os.kill(self.pid, signal.SIGTERM)


def _serve(environment: dict[str, str], connection: Connection) -> None:
    """Loads all code in this environment, then forks and reports exit statuses until the connection is closed."""
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    multiprocessing.set_start_method(None, force=True)  # the default of a fresh interpreter
    django: Any = import_module("django")
    django.setup()
    for name in COMMANDS:
        import_module(name)
    import_module("django.urls").get_resolver().url_patterns  # noqa: B018 - this imports all pages
    with suppress(EOFError):
        while True:
            request = connection.recv()
            connection.send(
                _exit_status(request) if isinstance(request, int) else _fork(connection, *request)
            )


def _exit_status(pid: int) -> int | None:
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def _fork(connection: Connection, argv: list[str], log: str) -> int:
    """Runs the `partway` command in a child with a session and output of its own; returns its process id."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        connection.close()
        os.setsid()
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(output, 1)
        os.dup2(output, 2)
        sys.argv = argv
        import_module("partway.__main__").main()
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 - it must not return into the loop of the template
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
