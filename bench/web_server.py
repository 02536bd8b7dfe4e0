"""Measures the cost of the buffer in front of the WSGI application and the child processes of the PDF documents.

    python bench/web_server.py [--requests 3000]       a throw-away SQLite home

The same granian serves the same Django twice, as WSGI by itself and behind the buffer; counted is the CPU of the
server's process for each request of one client that keeps its connection. A document is made twice as well: in the
process itself, and by a child, by the clock, for the child's CPU is not ours.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import httpx

_HOME = tempfile.TemporaryDirectory(prefix="partway-bench-")
os.environ |= {
    "PARTWAY_HOME": _HOME.name,
    "PARTWAY_LOG": "error",
    "DJANGO_SETTINGS_MODULE": "partway.config.settings",
}

_TICK = os.sysconf("SC_CLK_TCK")
_DOCUMENTS = 30
_SERVERS = {
    "WSGI": """
from granian import Granian
from granian.constants import Interfaces
if __name__ == "__main__":
    Granian("partway.config.wsgi:application", port={port}, interface=Interfaces.WSGI, blocking_threads=16).serve()
""",
    "buffered": """
from partway.lib.web_server import web_server
if __name__ == "__main__":
    web_server("partway.config.asgi:application", host="127.0.0.1", port={port}).serve()
""",
}


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=3_000)
    count = parser.parse_args().requests
    subprocess.run([sys.executable, "-m", "partway", "migrate", "-v", "0"], check=True)
    measured = {name: _requests(code, count) for name, code in _SERVERS.items()}
    print(f"{'CPU a request':24} {'WSGI, ms':>10} {'buffered, ms':>13} {'ratio':>6}")
    for what, bare in measured["WSGI"].items():
        buffered = measured["buffered"][what]
        print(f"{what:24} {bare:10.2f} {buffered:13.2f} {buffered / bare:6.2f}")
    _documents()


def _requests(code: str, count: int) -> dict[str, float]:
    """Returns the milliseconds of CPU a request, by what was asked."""
    with _running(code) as (url, pid), httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        page = client.get("/signin/").text
        font = page.partition("InterVariable.woff2")[0].rpartition('"')[2] + "InterVariable.woff2"
        asked: dict[str, Callable[[], httpx.Response]] = {
            "/healthz": lambda: client.get("/healthz"),
            "the page of sign-in": lambda: client.get("/signin/"),
            "a POST that is refused": lambda: client.post("/signin/", data={"email": "x" * 1000}),
            "a file of 73 kB": lambda: client.get(font),
        }
        measured = {}
        for what, ask in asked.items():
            for _ in range(50):
                ask()
            began = _cpu(pid)
            for _ in range(count):
                ask()
            measured[what] = (_cpu(pid) - began) * 1000 / count
        return measured


@contextmanager
def _running(code: str) -> Iterator[tuple[str, int]]:
    """Runs a server; yields its address and the process that answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = Path(_HOME.name) / "server.py"
    script.write_text(code.format(port=port))
    url = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "PARTWAY_URL": url}
    server = subprocess.Popen(
        [sys.executable, str(script)], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while True:
            try:
                httpx.get(f"{url}/healthz", trust_env=False)
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
        yield url, max(map(int, children), key=_cpu)
    finally:
        server.terminate()
        server.wait()


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def _documents() -> None:
    import django
    import typst

    django.setup()

    from partway.delivery.formats import use_locale
    from partway.delivery.pdf import typesetter, typesetters
    from partway.delivery.pdf.serialization import to_json_value

    sys.path.insert(0, str(Path(__file__).parent.parent))
    from tests.delivery.pdf import sample_documents

    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=True, font_paths=[typesetter.HERE / "fonts"]
    )
    with use_locale("en_US"):
        documents = [
            json.dumps(to_json_value(sample_documents.invoice(number=f"INV-{number}")))
            for number in range(2 * _DOCUMENTS)
        ]
    inside = [_seconds(lambda one=one: typesetter.typeset(one, fonts)) for one in documents[::2]]
    child = [_seconds(lambda one=one: typesetters.typeset(one)) for one in documents[1::2]]
    bare, split = median(inside) * 1000, median(child) * 1000
    print(f"{'a document of one page':24} {bare:10.1f} {split:13.1f} {split / bare:6.2f}   by the clock")
    print(f"{'the first of a child':24} {'':10} {child[0] * 1000:13.1f}")


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
