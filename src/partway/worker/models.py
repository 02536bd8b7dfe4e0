"""The pulse of each worker process, so that monitoring can tell a quiet worker from a dead one."""

from django.db import models


class Heartbeat(models.Model):
    """When a worker process was last seen alive."""

    process = models.CharField(primary_key=True, max_length=120)  # host:pid
    started_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.process
