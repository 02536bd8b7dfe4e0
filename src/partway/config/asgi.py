"""The application that the web server runs: the WSGI application of Django, behind a buffer for slow clients."""

from django.conf import settings

from partway.lib.buffered_wsgi import BufferedWsgi

from .limits import MAX_BYTES
from .wsgi import application as wsgi_application

application = BufferedWsgi(
    wsgi_application,
    threads=settings.PARTWAY_THREADS,
    max_body_bytes=MAX_BYTES,
    body_seconds=settings.PARTWAY_BODY_SECONDS,
)
