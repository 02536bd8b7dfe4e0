"""A child process that typesets documents, started by `typesetters.py` as a script: it imports nothing of Partway.

arguments        the limits: bytes of memory, seconds of CPU for each document
standard input   4 bytes of length, the document as JSON, again and again
standard output  4 bytes of length, b"+" and the PDF, or b"-" and the error
"""

from __future__ import annotations

import os
import resource
import select
import sys
from io import RawIOBase
from pathlib import Path

import typst

HERE = Path(__file__).parent
LAYOUT = HERE / "layout"

# Typst keeps what it computed for its last ten documents. A child that has grown to this, or is old, ends.
RECYCLE_BYTES = 160 * 1024 * 1024
RECYCLE_DOCUMENTS = 200
# An idle child gives its memory back.
IDLE_SECONDS = 60


def main(memory_bytes: int, cpu_seconds: int) -> None:
    """Typesets until the parent is gone, or until the process is to be replaced."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    # Unbuffered, since `select` knows nothing of bytes that Python has read ahead.
    requests = os.fdopen(os.dup(0), "rb", buffering=0)
    responses = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not end up in a document
    fonts = load_fonts()
    for _ in range(RECYCLE_DOCUMENTS):
        if not select.select([requests], [], [], IDLE_SECONDS)[0]:
            return
        length = _read(requests, 4)
        document = _read(requests, int.from_bytes(length, "big"))
        if not document:  # the parent is gone
            return
        used = resource.getrusage(resource.RUSAGE_SELF)
        # The kernel ends the process when it has used this much in all.
        limit = int(used.ru_utime + used.ru_stime) + cpu_seconds
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
        try:
            response = b"+" + typeset(document.decode(), fonts)
        except MemoryError:
            os.abort()  # as typst itself does, which is how the parent knows
        except Exception as error:  # noqa: BLE001 - the parent raises it again
            response = b"-" + str(error).encode()
        responses.write(len(response).to_bytes(4, "big") + response)
        responses.flush()
        # The memory of this process. Not ru_maxrss, which begins with that of the parent that started it.
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        if pages * resource.getpagesize() > RECYCLE_BYTES:
            return


def load_fonts() -> typst.Fonts:
    """Returns the fonts of documents.

    Without those inside typst: no file says which characters these have, and `printable.py` must know all of them.
    """
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[HERE / "fonts"])


def typeset(document: str, fonts: typst.Fonts) -> bytes:
    """Returns the PDF. Uses no network, no file outside this folder, and no font of the machine."""
    return typst.compile(
        LAYOUT / "document.typ",
        root=LAYOUT,
        font_paths=fonts,
        ignore_system_fonts=True,
        sys_inputs={"document": document},
    )


def _read(stream: RawIOBase, count: int) -> bytes:
    """Returns this many bytes, fewer only at the end of the stream."""
    received = bytearray()
    while len(received) < count and (piece := stream.read(count - len(received))):
        received += piece
    return bytes(received)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
