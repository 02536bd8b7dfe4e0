"""The Django app of the worker, so that Django finds its commands and its model."""

from django.apps import AppConfig


class WorkerConfig(AppConfig):
    """Jobs, commands and the heartbeat."""

    name = "partway.worker"
    label = "worker"
