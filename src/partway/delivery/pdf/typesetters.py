"""The child processes that typeset documents, so that no document can take the memory or the time of this one.

A child is started when it is needed and used again; it ends itself after a minute without work, after 200 documents,
or when it has grown. There are as many as documents are made at once.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO

import structlog

from partway.lib.bulkheads import PDF_DOCUMENTS

log = structlog.get_logger(__name__)

# The address space, which is what Linux can limit: the largest document, of 200 lines of 300 unbroken letters, takes
# 350 MB of it.
_MEMORY_BYTES = 640 * 1024 * 1024
_CPU_SECONDS = 10  # for one document; an invoice of one page takes 0.03, the largest two
_DEADLINE_SECONDS = 30  # by the clock, on a machine that is busy
# Run as a script and never imported here: typst with its fonts takes memory.
_TYPESETTER = Path(__file__).parent / "typesetter.py"
# Nothing of the environment but what Python itself may need: no settings and no secrets.
_INHERITED = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL")

_idle: list[subprocess.Popen[bytes]] = []


class TypesettingFailed(Exception):
    """The document is too large: it ran into the limit of memory or time. Another attempt would too."""


def typeset(document: str) -> bytes:
    """Returns the PDF of a document in JSON.

    Raises TypesettingFailed; BulkheadFull, in a web process; RuntimeError with the words of typst for a faulty layout.
    """
    with PDF_DOCUMENTS.enter():
        while True:
            child, is_new = _take()
            response = _ask(child, document.encode())
            if response is not None:
                break
            if child.returncode < 0:  # by a signal: a limit, or the deadline
                log.error("typesetting_failed", signal=-child.returncode, document_bytes=len(document))
                raise TypesettingFailed(f"the process that typesets it ended by signal {-child.returncode}")
            if is_new:  # a used one may just have ended because it was idle or old
                raise RuntimeError(f"the process that typesets ended with {child.returncode}")
    _idle.append(child)
    if response[:1] != b"+":
        raise RuntimeError(response[1:].decode())
    return response[1:]


def _take() -> tuple[subprocess.Popen[bytes], bool]:
    """Returns an idle child, else a new one, and whether it is new."""
    while True:
        try:
            child = _idle.pop()
        except IndexError:
            break
        if child.poll() is None:
            return child, False
        _close(child)
    environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    # With more threads or arenas, the address space would depend on the number of processors.
    environment |= {"RAYON_NUM_THREADS": "2", "MALLOC_ARENA_MAX": "2"}
    command = [sys.executable, "-I", str(_TYPESETTER), str(_MEMORY_BYTES), str(_CPU_SECONDS)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment), True


def _ask(child: subprocess.Popen[bytes], document: bytes) -> bytes | None:
    """Returns the child's response; None when it has ended, by itself or killed at the deadline."""
    stdin, stdout = _pipes(child)
    deadline = threading.Timer(_DEADLINE_SECONDS, child.kill)
    deadline.start()
    try:
        stdin.write(len(document).to_bytes(4, "big") + document)
        stdin.flush()
        length = stdout.read(4)
        response = stdout.read(int.from_bytes(length, "big"))
        if length and len(response) == int.from_bytes(length, "big"):
            return response
    except BrokenPipeError:
        pass
    finally:
        deadline.cancel()
    _close(child)
    return None


def _pipes(child: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    """Returns the pipes to and from the child, which `_take` opened."""
    if child.stdin is None or child.stdout is None:
        raise TypeError("a typesetter has two pipes")
    return child.stdin, child.stdout


def _close(child: subprocess.Popen[bytes]) -> None:
    """Closes the pipes, at which the child ends if it has not yet, and waits for it."""
    stdin, stdout = _pipes(child)
    with suppress(BrokenPipeError):
        stdin.close()
    stdout.close()
    try:
        child.wait(1)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


@atexit.register
def _end_idle_children() -> None:
    while _idle:
        _close(_idle.pop())
