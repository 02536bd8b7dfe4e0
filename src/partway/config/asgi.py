"""The application that the web server runs: the WSGI application of Django, behind a buffer for slow clients."""

from django.conf import settings
from django.urls import get_resolver

from partway.lib.buffered_wsgi import BufferedWsgi
from partway.lib.bulkheads import BULKHEADS

from .limits import MAX_BYTES
from .wsgi import application as wsgi_application

# The views of all doors, which the first request would import else; before the processes are forked, as all of this.
_views = get_resolver().url_patterns

# Only here: in a worker a job waits for its gateway, and no page does.
for bulkhead in BULKHEADS:
    bulkhead.limit = settings.PARTWAY_BULKHEADS[bulkhead.name]

application = BufferedWsgi(
    wsgi_application,
    threads=settings.PARTWAY_THREADS,
    max_body_bytes=MAX_BYTES,
    body_seconds=settings.PARTWAY_BODY_SECONDS,
    api="/api/",
)
