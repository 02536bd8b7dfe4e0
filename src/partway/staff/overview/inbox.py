"""The inbox: mails that are stored as files where no mail server is set, as customers would have received them."""

from __future__ import annotations

from django.http import Http404, HttpResponse

from partway.accounts.models import Organization
from partway.billing.models import Mail
from partway.delivery.mail import kept_files
from partway.delivery.mail.kinds import KINDS

from .. import mail_frame
from ..context import MemberContext
from ..keyset_pages import Order, Stream, read_page, walk

_NEWEST = Order(("-created_at", "-id"), is_whole=True)


def index(ctx: MemberContext) -> HttpResponse:
    """All stored mails that the member may read, newest first."""
    if not ctx.stores_mail_as_files:
        raise Http404
    mine = Mail.objects.for_organization(ctx.organization)
    page = read_page(
        ctx.request,
        walk([Stream(mine)], mine.filter(kind__in=_readable_kinds(ctx)).exclude(status="queued")),
        _NEWEST,
        count=None,
        # A mail without a file was sent by a mail server, or its file was removed.
        fetch=lambda ids: {pk: mail for pk in ids if (mail := kept_files.message(ctx.organization, pk))},
    )
    return ctx.render("staff/inbox/index.html", {"page": page})


def show(ctx: MemberContext, mail_id: str) -> HttpResponse:
    """One mail with its headers; its body is shown in a frame of its own."""
    return ctx.render("staff/inbox/show.html", {"mail": _get_mail_or_404(ctx, mail_id)})


def body(ctx: MemberContext, mail_id: str) -> HttpResponse:
    """The body of a mail, in a sandbox that allows its styles and links to a new tab, and nothing else."""
    return mail_frame.response(_get_mail_or_404(ctx, mail_id).html)


def _get_mail_or_404(ctx: MemberContext, mail_id: str) -> kept_files.StoredMail:
    found = kept_files.message(ctx.organization, mail_id) if ctx.stores_mail_as_files else None
    mine = Mail.objects.for_organization(ctx.organization).filter(pk=mail_id, kind__in=_readable_kinds(ctx))
    # A file without a row, as after a backup was restored, is not shown: only the row says of which kind it is.
    if found is None or not mine.exists():
        raise Http404
    return found


def _readable_kinds(ctx: MemberContext) -> set[str]:
    """Returns the kinds of mails that the member may read: none with a link that they may not use (DESIGN section 12).

    Where there are several organizations not even owners read invitations: the link could let them in under the address
    of a person of another organization.
    """
    kinds = {kind for kind, module in KINDS.items() if module.read_permission in ctx.permissions}
    return kinds - {"invitation"} if Organization.objects.all()[:2].count() > 1 else kinds
