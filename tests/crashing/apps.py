"""The app that lets a test kill a process of a house at any stop point; only tests.crashing.settings installs it."""

from django.apps import AppConfig


class Crashing(AppConfig):
    """Puts the stop points into each process."""

    name = "tests.crashing"

    def ready(self) -> None:
        """Both need models, which are there only now."""
        from partway.worker.jobs import JOBS
        from tests import stops

        from .following import job

        stops.install()
        JOBS.update({name: job(name, work) for name, work in JOBS.items()})
