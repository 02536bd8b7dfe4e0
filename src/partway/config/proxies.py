"""Believes the headers of a proxy only where the request came from one of the operator's own."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils.deprecation import MiddlewareMixin

from partway.lib.ip_addresses import client_ip, is_in_networks

_HEADERS = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO")


class ProxyHeadersMiddleware(MiddlewareMixin):
    """Drops X-Forwarded-For and X-Forwarded-Proto of a request from outside PARTWAY_PROXY_NETWORKS, where that is set.

    A caller that reaches the port past the proxy would otherwise choose the address by which it is limited.
    """

    def process_request(self, request: HttpRequest) -> None:
        """Passes the request on, without the headers of a stranger."""
        networks = settings.PARTWAY_PROXY_NETWORKS
        peer = client_ip("", request.META.get("REMOTE_ADDR", ""), 0)
        if networks and not (peer and is_in_networks(peer, networks)):
            for header in _HEADERS:
                request.META.pop(header, None)
