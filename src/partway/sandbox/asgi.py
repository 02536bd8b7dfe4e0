"""The application that the sandbox's server runs: its WSGI application, behind a buffer for slow clients."""

from partway.lib.buffered_wsgi import BufferedWsgi

from .wsgi import application as wsgi_application

# A merchant may call the API while it handles a callback, so one thread would deadlock.
application = BufferedWsgi(wsgi_application, threads=16, max_body_bytes=64 * 1024)
