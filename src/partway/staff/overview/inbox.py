"""The inbox: mails that are stored as files where no mail server is set, as customers would have received them."""

from __future__ import annotations

from django.http import Http404, HttpResponse

from partway.accounts.models import Organization
from partway.billing.models import Mail
from partway.delivery.mail import kept_files
from partway.delivery.mail.kinds import KINDS

from .. import mail_frame
from ..context import MemberContext


def index(ctx: MemberContext) -> HttpResponse:
    """All stored mails that the member may read, newest first."""
    if not ctx.stores_mail_as_files:
        raise Http404
    stored = kept_files.messages(ctx.organization)
    readable = _readable_ids(ctx, [mail.id for mail in stored])
    return ctx.render(
        "staff/inbox/index.html", {"stored_mails": [mail for mail in stored if mail.id in readable]}
    )


def show(ctx: MemberContext, mail_id: str) -> HttpResponse:
    """One mail with its headers; its body is shown in a frame of its own."""
    return ctx.render("staff/inbox/show.html", {"mail": _get_mail_or_404(ctx, mail_id)})


def body(ctx: MemberContext, mail_id: str) -> HttpResponse:
    """The body of a mail, in a sandbox that allows its styles and links to a new tab, and nothing else."""
    return mail_frame.response(_get_mail_or_404(ctx, mail_id).html)


def _get_mail_or_404(ctx: MemberContext, mail_id: str) -> kept_files.StoredMail:
    found = kept_files.message(ctx.organization, mail_id) if ctx.stores_mail_as_files else None
    if found is None or not _readable_ids(ctx, [found.id]):
        raise Http404
    return found


def _readable_ids(ctx: MemberContext, ids: list[str]) -> set[str]:
    """Returns those mails that the member may read: none with a link that they may not use (DESIGN section 12).

    A file without a row, as after a backup was restored, is not shown: only the row says of which kind it is.
    Where there are several organizations not even owners read invitations: the link could let them in under the address
    of a person of another organization.
    """
    kinds = {kind for kind, module in KINDS.items() if module.read_permission in ctx.permissions}
    if Organization.objects.count() > 1:
        kinds.discard("invitation")
    mine = Mail.objects.for_organization(ctx.organization).filter(pk__in=ids, kind__in=kinds)
    return set(mine.values_list("pk", flat=True))
