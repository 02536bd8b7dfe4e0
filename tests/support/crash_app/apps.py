"""The app that lets a test kill a process at any failpoint; only tests.support.crash_app.settings installs it."""

from django.apps import AppConfig


class CrashApp(AppConfig):
    """Puts the failpoints into each process."""

    name = "tests.support.crash_app"

    def ready(self) -> None:
        """Installs failpoints and tracking, which need models."""
        from partway.worker.jobs import JOBS
        from tests.support import failpoints

        from .act_tracking import track_job

        failpoints.install()
        JOBS.update({name: track_job(name, work) for name, work in JOBS.items()})
