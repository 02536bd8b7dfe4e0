"""Follows every act of this process by its name: a request is `POST /its/path/`, a job of the worker `job mails`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from tests import stops

from .traps import Follower, Trap

Answer = Callable[[HttpRequest], HttpResponse]
Job = Callable[..., int]


@contextmanager
def _following(act: str) -> Iterator[None]:
    follower = Follower(Trap(settings.PARTWAY_HOME), act)
    try:
        with stops.visiting(follower):
            yield
    finally:
        follower.end()


def requests(get_response: Answer) -> Answer:
    """Middleware around all others."""

    def answer(request: HttpRequest) -> HttpResponse:
        with _following(f"{request.method} {request.path}"):
            return get_response(request)

    return answer


def job(name: str, work: Job) -> Job:
    """The same job, followed."""

    def followed(*, now: datetime) -> int:
        with _following(f"job {name}"):
            return work(now=now)

    return followed
