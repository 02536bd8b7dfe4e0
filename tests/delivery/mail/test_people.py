"""Mails about accounts: content, sender, and links that are made when the mail is sent."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core import mail as sent_by_django
from pytest_django import Settings

from partway.accounts.models import Invitation, Organization, Role, User
from partway.billing import links, outbox
from partway.billing.models import Event, Mail
from partway.billing.people import members
from partway.delivery.mail import rendering, sending
from partway.lib.clock import now
from tests.support import personas


@pytest.fixture
def alice(organization: Organization) -> User:
    """The owner."""
    return organization.members.get(role=Role.OWNER).user


def invited(organization: Organization) -> tuple[Invitation, Mail]:
    """An invitation and its mail."""
    by = personas.owner_actor(organization)
    made = members.invite(organization, email="ivy@post.example", role="reader", by=by, now=now())
    return made, Mail.objects.get(kind="invitation")


def test_invitation_mail_names_inviter_and_contains_link(organization: Organization) -> None:
    made, mail = invited(organization)
    outgoing = rendering.message(mail)
    assert outgoing.subject == "Alice invites you to Alder Joinery"
    assert links.invitation_url(made) in outgoing.body
    assert links.invitation_url(made) in str(outgoing.alternatives[0])
    assert "as reader" in outgoing.body
    assert outgoing.reply_to == ["billing@alder.example"]


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        ("password_reset", {}, "A new password was requested"),
        ("sign_in_changed", {"what": "password_changed"}, "Your password was changed"),
        ("sign_in_changed", {"what": "two_factor_on"}, "takes a code"),
        ("sign_in_changed", {"what": "two_factor_off"}, "no longer takes"),
        ("sign_in_changed", {"what": "recovery_codes_made"}, "new recovery codes"),
        ("sign_in_changed", {"what": "password_reset"}, "reset with a link"),
        ("sign_in_attempts", {"kind": "password", "ip_address": "203.0.113.9"}, "address 203.0.113.9"),
        ("sign_in_attempts", {"kind": "code", "ip_address": "203.0.113.9"}, "knows your password"),
    ],
)
def test_account_mail_is_sent_from_partway(alice: User, kind: str, data: dict[str, str], words: str) -> None:
    outgoing = rendering.message(outbox.queue_account_mail(alice, kind, now=now(), data=data))
    assert words in outgoing.body
    assert outgoing.from_email == "Partway <billing@alder.example>"  # through a sender the mail server takes
    assert (outgoing.reply_to, outgoing.to) == ([], [alice.email])


def test_account_mail_is_written_in_locale_of_the_users_organizations(
    alice: User, organization: Organization
) -> None:
    mail = outbox.queue_account_mail(
        alice, "sign_in_attempts", now=now(), data={"kind": "code", "ip_address": "203.0.113.9"}
    )
    mail.created_at = datetime(2026, 12, 9, 16, 5, tzinfo=UTC)
    Organization.objects.update(locale="de_AT")
    assert "09.12.2026, 16:05 (UTC)" in rendering.message(mail).body
    other = Organization.objects.create(
        slug="birch", name="Birch", email="post@birch.example", locale="en_US"
    )
    other.members.create(user=alice, role="owner")
    assert "Dec 9, 2026, 4:05 PM (UTC)" in rendering.message(mail).body


def test_account_mail_uses_configured_shared_sender(alice: User, settings: Settings) -> None:
    settings.PARTWAY_MAIL_FROM = "Post <post@host.example>"
    outgoing = rendering.message(outbox.queue_account_mail(alice, "password_reset", now=now()))
    assert outgoing.from_email == "Partway <post@host.example>"


def test_password_reset_link_is_created_at_send_and_not_stored(alice: User) -> None:
    mail = outbox.queue_account_mail(alice, "password_reset", now=now())
    assert "/signin/reset/usr_" in rendering.message(mail).body
    assert "/signin/" not in str(mail.data)


def test_mail_of_withdrawn_invitation_is_dropped(organization: Organization) -> None:
    made, mail = invited(organization)
    members.withdraw(made, by=personas.owner_actor(organization), now=now())
    sending.send_due(now=now())
    mail.refresh_from_db()
    assert (mail.status, sent_by_django.outbox) == ("dropped", [])


def test_mail_to_deactivated_user_is_dropped(alice: User) -> None:
    mail = outbox.queue_account_mail(alice, "password_reset", now=now())
    User.objects.filter(pk=alice.pk).update(is_active=False)
    sending.send_due(now=now())
    mail.refresh_from_db()
    assert (mail.status, sent_by_django.outbox) == ("dropped", [])


def test_undeliverable_invitation_mail_records_event(organization: Organization) -> None:
    _, mail = invited(organization)
    outbox.record_mail_failure(mail, code="unknown", params={"error": "550 no such mailbox"}, now=now())
    assert Event.objects.get(type="mail.failed").data["to"] == ["ivy@post.example"]
