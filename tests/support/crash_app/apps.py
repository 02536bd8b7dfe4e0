"""The app that lets a test kill a process of a house at any stop point; only tests.support.crash_app.settings installs it."""

from django.apps import AppConfig


class CrashApp(AppConfig):
    """Puts the stop points into each process."""

    name = "tests.support.crash_app"

    def ready(self) -> None:
        """Both need models, which are there only now."""
        from partway.worker.jobs import JOBS
        from tests import failpoints

        from .act_tracking import track_job

        failpoints.install()
        JOBS.update({name: track_job(name, work) for name, work in JOBS.items()})
