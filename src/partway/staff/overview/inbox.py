"""The messages kept as files where no mail server is set: what customers would have received."""

from __future__ import annotations

from django.http import Http404, HttpResponse

from partway.accounts.models import Organization
from partway.billing.models import Mail
from partway.delivery.mail import kept_files

from ..context import Visit


def index(visit: Visit) -> HttpResponse:
    """Newest first."""
    _only_where_kept(visit)
    hidden = _hidden(visit)
    kept = [one for one in kept_files.messages(visit.organization) if one.id not in hidden]
    return visit.render("staff/inbox/index.html", {"messages_kept": kept})


def show(visit: Visit, mail_id: str) -> HttpResponse:
    """One message with its headers; its body stands in a frame of its own."""
    return visit.render("staff/inbox/show.html", {"kept": _find(visit, mail_id)})


def body(visit: Visit, mail_id: str) -> HttpResponse:
    """The message itself: may style itself, may open links in a new tab, may do nothing else."""
    # Payment pages refuse to be framed, so every link of the message opens beside it.
    answer = HttpResponse(_find(visit, mail_id).html.replace("<head>", '<head><base target="_blank">', 1))
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    answer.headers["Content-Security-Policy"] = (
        "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
        "style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
    )
    return answer


def _find(visit: Visit, mail_id: str) -> kept_files.Kept:
    _only_where_kept(visit)
    found = kept_files.message(visit.organization, mail_id)
    if found is None or found.id in _hidden(visit):
        raise Http404
    return found


def _hidden(visit: Visit) -> set[str]:
    """Invitations are for owners' eyes: whoever reads one could join with a higher role than their own.

    Among several organizations not even for theirs: they could come in under an address of somebody else's.
    """
    if visit.may_own and Organization.objects.count() == 1:
        return set()
    mine = Mail.objects.of(visit.organization).filter(kind="invitation")
    return set(mine.values_list("pk", flat=True))


def _only_where_kept(visit: Visit) -> None:
    if not visit.keeps_mail:
        raise Http404
