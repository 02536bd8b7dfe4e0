"""The heartbeat of each worker process, by which monitoring distinguishes an idle worker from a dead one."""

from django.db import models


class Heartbeat(models.Model):
    """One worker process; `process` is host:pid."""

    process = models.CharField(primary_key=True, max_length=120)
    started_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
