"""Tells Django of the worker's room, so that its commands are found."""

from django.apps import AppConfig


class WorkerConfig(AppConfig):
    """Jobs and commands."""

    name = "partway.worker"
    label = "worker"
