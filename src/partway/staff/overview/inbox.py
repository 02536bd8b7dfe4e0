"""The messages kept as files where no mail server is set: what customers would have received."""

from __future__ import annotations

from django.http import Http404, HttpResponse

from partway.accounts.models import Organization
from partway.billing.models import Mail
from partway.delivery.mail import kept_files

from ..context import MemberContext


def index(ctx: MemberContext) -> HttpResponse:
    """Newest first."""
    _only_where_kept(ctx)
    hidden = _hidden(ctx)
    kept = [one for one in kept_files.messages(ctx.organization) if one.id not in hidden]
    return ctx.render("staff/inbox/index.html", {"stored_mails": kept})


def show(ctx: MemberContext, mail_id: str) -> HttpResponse:
    """One message with its headers; its body stands in a frame of its own."""
    return ctx.render("staff/inbox/show.html", {"kept": _get_or_404(ctx, mail_id)})


def body(ctx: MemberContext, mail_id: str) -> HttpResponse:
    """The message itself: may style itself, may open links in a new tab, may do nothing else."""
    # Payment pages refuse to be framed, so every link of the message opens beside it.
    answer = HttpResponse(_get_or_404(ctx, mail_id).html.replace("<head>", '<head><base target="_blank">', 1))
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    answer.headers["Content-Security-Policy"] = (
        "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
        "style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
    )
    return answer


def _get_or_404(ctx: MemberContext, mail_id: str) -> kept_files.StoredMail:
    _only_where_kept(ctx)
    found = kept_files.message(ctx.organization, mail_id)
    if found is None or found.id in _hidden(ctx):
        raise Http404
    return found


def _hidden(ctx: MemberContext) -> set[str]:
    """Invitations are for owners' eyes: whoever reads one could join with a higher role than their own.

    Among several organizations not even for theirs: they could come in under an address of somebody else's.
    """
    if ctx.is_owner and Organization.objects.count() == 1:
        return set()
    mine = Mail.objects.for_organization(ctx.organization).filter(kind="invitation")
    return set(mine.values_list("pk", flat=True))


def _only_where_kept(ctx: MemberContext) -> None:
    if not ctx.stores_mail_as_files:
        raise Http404
