"""Names every act of a process for the kill switch: a request is `POST /its/path/`, a job is `job mails`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from tests.support import failpoints

from .kill_at_failpoint import ActTracker, KillSwitch

Answer = Callable[[HttpRequest], HttpResponse]
Job = Callable[..., int]


@contextmanager
def _tracking(act: str) -> Iterator[None]:
    tracker = ActTracker(KillSwitch(settings.PARTWAY_HOME), act)
    try:
        with failpoints.on_failpoint(tracker):
            yield
    finally:
        tracker.end()


def track_requests(get_response: Answer) -> Answer:
    """The outermost middleware; tracks each request."""

    def response(request: HttpRequest) -> HttpResponse:
        with _tracking(f"{request.method} {request.path}"):
            return get_response(request)

    return response


def track_job(name: str, work: Job) -> Job:
    """Returns the job with tracking."""

    def tracked(*, now: datetime) -> int:
        with _tracking(f"job {name}"):
            return work(now=now)

    return tracked
