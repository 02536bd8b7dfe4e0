"""Profiles the busiest acts in one process on PostgreSQL, and writes a text for each: where its time goes.

    PYTHONPATH=. python -m bench.profiles [--invoices 3000] [--rounds 50]

The requests are those of `make bench`, sent through all of Django in this process. A profile makes calls dearer than
what they do, so it says where to look; how much an act takes is for `make bench` to say. The figures of calls and
statements depend on no machine.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import pstats
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench.clients import Request, Response
from bench.installation import installation

FOLDER = Path(__file__).parent / "profiles"
_LINES = 40
_LIBRARIES = re.compile(r"/\S*/(?:site-packages|lib/python3\.\d+|src)/")


@dataclass(frozen=True, slots=True)
class Profile:
    """The profile of some requests that are alike."""

    stats: pstats.Stats
    requests: int
    statements: int


def main() -> None:
    """Seed, send each act a few times, profile it, and write the texts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--invoices", type=int, default=3_000)
    parser.add_argument("--rounds", type=int, default=50, help="requests of each act")
    chosen = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    with installation(invoices=chosen.invoices):
        import django

        django.setup()
        from django.conf import settings

        settings.ALLOWED_HOSTS = ["testserver"]
        for warm, each in ((True, 10), (False, chosen.rounds)):
            for name, profile in _profiles(each):
                if not warm:
                    _write(name, profile)


def _profiles(each: int) -> list[tuple[str, Profile]]:
    from bench.acts import Acts

    acts = Acts[Profile]()
    found = [("A payment request", _send(acts.request_forms(each))[0])]
    requests = acts.open_requests()
    found.append(("B payment page", _send(acts.pages(requests, each))[0]))
    found += [(f"C {name}", profile) for name, profile in acts.pay(requests, _send)]
    return [*found, ("D list of 50 invoices", _send(acts.lists(each))[0])]


def _send(requests: Sequence[Request]) -> tuple[Profile, list[Response]]:
    """Sends the requests through Django in this process."""
    from django.db import connection
    from django.test import Client

    statements, responses, profiler = [], [], cProfile.Profile()
    client = Client()

    def note(execute: Any, *arguments: Any) -> Any:
        statements.append(arguments[0])
        return execute(*arguments)

    for request in requests:
        headers = dict(request.headers)
        client.cookies.load(headers.pop("Cookie", ""))
        send = partial(
            *(client.generic, request.method, request.path, request.body),
            content_type=headers.pop("Content-Type", "application/octet-stream"),
            headers=headers,
        )
        with connection.execute_wrapper(note):
            response = profiler.runcall(send)
        assert response.status_code == request.status, (request.path, response.status_code)
        responses.append(
            Response(
                response.status_code,
                {name.lower(): value for name, value in response.items()},
                response.content,
            )
        )
    return Profile(pstats.Stats(profiler), len(requests), len(statements)), responses


def _write(name: str, profile: Profile) -> None:
    text = io.StringIO()
    stats, count = profile.stats, profile.requests
    stats.stream = text  # type: ignore[attr-defined]  # pstats has it, its types do not
    calls = stats.total_calls / count  # type: ignore[attr-defined]  # the same
    print(
        f"{name}, {count} requests: {calls:,.0f} calls and {profile.statements / count:.1f} statements each",
        file=text,
    )
    print("\nOwn time:", file=text)
    stats.sort_stats("tottime").print_stats(_LINES)
    print("Our own functions, with all that they call:", file=text)
    stats.sort_stats("cumtime").print_stats(r"src/partway", _LINES)
    lines = [_LIBRARIES.sub("", line).rstrip() for line in text.getvalue().splitlines()]
    path = FOLDER / f"{name.replace(' ', '-')}.txt"
    path.write_text(re.sub(r"\n{2,}", "\n\n", "\n".join(lines)) + "\n")
    print(lines[0], flush=True)


if __name__ == "__main__":
    main()
