"""The response that fills a frame with the HTML of a mail: its styles and links to new tabs work, and nothing else."""

from __future__ import annotations

from django.http import HttpResponse

_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
    "style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
)


def response(html: str, *, headers: str = "", status: int = 200) -> HttpResponse:
    """Returns a mail for a frame of a staff page; `headers` is HTML that is shown above it."""
    # Payment pages refuse to be framed, so every link of the mail opens in a tab of its own.
    html = html.replace("<head>", '<head><base target="_blank">', 1)
    head, tag, body = html.partition("<body")
    attributes, end, content = body.partition(">")
    return HttpResponse(
        "".join([head, tag, attributes, end, headers, content]),
        status=status,
        headers={"X-Frame-Options": "SAMEORIGIN", "Content-Security-Policy": _POLICY},
    )
