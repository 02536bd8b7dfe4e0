"""Turns a mail's row into a message at the moment it is sent: text, figures and links (DESIGN R8)."""

from __future__ import annotations

import unicodedata
from contextlib import suppress
from email.headerregistry import Address
from email.utils import parseaddr
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import QuerySet
from django.template.loader import render_to_string

from partway.accounts.models import Organization, User
from partway.billing import outbox
from partway.billing.models import Mail
from partway.lib.email_addresses import InvalidAddress, ascii_address

from ..formats import DEFAULT_LOCALE, use_locale
from .kinds import KINDS


class SenderInvalid(ValueError):
    """The organization's address, as an import stored it, is no mail address; `address` is it."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


class OutgoingMail(EmailMultiAlternatives):
    """A message that knows its row, so that it can be stored and recognized."""

    organization_id = ""
    mail_id = ""


def with_related_rows() -> QuerySet[Mail]:
    """Mails with the rows their content is made from, in one query."""
    return Mail.objects.select_related(
        "organization",
        "event__organization",
        "event__customer__organization",
        "invoice__organization",
        "invoice__customer",
        "invoice__issued_by",
        "invoice__issued_to",
        "payment_request",
        "payment__organization",
        "payment__issued_by",
        "payment__issued_to",
        "payment__invoice__customer",
        "payment__quote__customer",
        "quote__organization",
        "quote__customer",
        "quote__issued_by",
        "quote__issued_to",
    )


def message(mail: Mail) -> OutgoingMail:
    """Returns the message of this mail, in the organization's locale, with its addresses as they are sent.

    A mail about an account belongs to no organization: it is in the locale of those that the user is a member of.
    Raises InvalidAddress for a recipient that is none, SenderInvalid, and KeyError for a kind not in KINDS.
    """
    organization = mail.organization
    locale = organization.locale if organization else User.objects.get(pk=mail.data["user"]).locale
    with use_locale(locale or DEFAULT_LOCALE):
        content = KINDS[mail.kind].content(mail)
        subject = one_line(content.subject)
        context = {"organization": organization, "mail": mail, "subject": subject, **content.context}
        plain = render_to_string(f"mail/{mail.kind}.txt", context)
        html = render_to_string(f"mail/{mail.kind}.html", context)
    host = urlsplit(settings.PARTWAY_URL).hostname or "localhost"
    if ":" in host:  # an IPv6 address needs brackets, which not every server takes
        host = "localhost"
    to, cc, bcc = ([ascii_address(address) for address in typed] for typed in (mail.to, mail.cc, mail.bcc))
    outgoing = OutgoingMail(
        subject=subject,
        body=plain.strip() + "\n",
        from_email=_sender(organization, mail, host),
        to=to,
        cc=cc,
        bcc=bcc,
        reply_to=_reply_to(organization, mail),
        headers={"Message-ID": f"<{mail.id}@{host}>", "Auto-Submitted": "auto-generated"},
    )
    outgoing.attach_alternative(html, "text/html")
    for file in content.attachments:
        outgoing.attach(file.name, file.content, file.media_type)
    outgoing.organization_id, outgoing.mail_id = mail.organization_id or "", mail.id
    return outgoing


def one_line(text: str) -> str:
    """Returns `text` fit for a header: no line breaks, no control characters, and no code that a reader decodes."""
    kept = "".join(character if unicodedata.category(character) != "Cc" else " " for character in text)
    # A name typed as =?utf-8?b?…?= would be read as what it encodes (RFC 2047).
    return " ".join(kept.replace("=?", "= ?").split())


def _sender(organization: Organization | None, mail: Mail, host: str) -> str:
    """Returns the From header: the organization, else the installation.

    With PARTWAY_MAIL_FROM, both send through that one address, which the mail server accepts. Without it, a mail of the
    installation goes through the address of an organization of its recipient.
    """
    shared = parseaddr(settings.PARTWAY_MAIL_FROM)[1] if settings.PARTWAY_MAIL_FROM else ""
    name, address = "Partway", shared
    if organization is not None:
        name = one_line(organization.name)
        name, address = (f"{name} via Partway", shared) if shared else (name, organization.email)
    elif not shared:
        theirs = Organization.objects.filter(members__user__email__in=mail.to).order_by("created_at").first()
        address = theirs.email if theirs else ""
    try:
        return str(Address(name, addr_spec=ascii_address(address)))
    except InvalidAddress as error:
        if organization is not None:
            raise SenderInvalid(address) from error
        # A link to sign in must not fail for what is wrong with an organization.
        return str(Address(name, addr_spec=f"partway@{host}"))


def _reply_to(organization: Organization | None, mail: Mail) -> list[str]:
    """Returns the address for replies: the row's, or the organization's; none where a stored one is no address."""
    if organization is None:
        return []
    request = mail.payment_request
    reply_to = mail.reply_to
    if request is not None and reply_to == request.reply_to:
        reply_to = outbox.requester(request)  # who may have left since the mail was queued
    for address in filter(None, (reply_to, organization.email)):
        with suppress(InvalidAddress):
            return [ascii_address(address)]
    return []
