"""Mails about people: what they say, whom they come from, and that their links are made when they leave."""

from __future__ import annotations

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
    """Somebody, and the mail that tells them."""
    by = personas.owner_actor(organization)
    made = members.invite(organization, email="ivy@post.example", role="reader", by=by, now=now())
    return made, Mail.objects.get(kind="invitation")


def test_an_invitation_says_who_asks_and_carries_the_link(organization: Organization) -> None:
    made, mail = invited(organization)
    letter = rendering.message(mail)
    assert letter.subject == "Alice invites you to Alder Joinery"
    assert links.invitation_url(made) in letter.body
    assert links.invitation_url(made) in str(letter.alternatives[0])
    assert "as reader" in letter.body
    assert letter.reply_to == ["billing@alder.example"]


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        ("password_reset", {}, "asked for a new password"),
        ("sign_in_changed", {"what": "password_changed"}, "Your password was changed"),
        ("sign_in_changed", {"what": "two_factor_on"}, "takes a code"),
        ("sign_in_changed", {"what": "two_factor_off"}, "no longer takes"),
        ("sign_in_changed", {"what": "recovery_codes_made"}, "new recovery codes"),
        ("sign_in_changed", {"what": "password_reset"}, "set anew"),
    ],
)
def test_a_mail_of_sign_in_is_from_partway(alice: User, kind: str, data: dict[str, str], words: str) -> None:
    letter = rendering.message(outbox.queue_account_mail(alice, kind, now=now(), data=data))
    assert words in letter.body
    assert letter.from_email == "Partway <billing@alder.example>"  # through a sender the mail server takes
    assert (letter.reply_to, letter.to) == ([], [alice.email])


def test_one_shared_sender_is_used_where_there_is_one(alice: User, settings: Settings) -> None:
    settings.PARTWAY_MAIL_FROM = "Post <post@host.example>"
    letter = rendering.message(outbox.queue_account_mail(alice, "password_reset", now=now()))
    assert letter.from_email == "Partway <post@host.example>"


def test_each_reset_mail_has_a_link_of_its_own_moment(alice: User) -> None:
    mail = outbox.queue_account_mail(alice, "password_reset", now=now())
    assert "/signin/reset/usr_" in rendering.message(mail).body
    assert "/signin/" not in str(mail.data)


def test_an_invitation_that_was_withdrawn_is_not_mailed(organization: Organization) -> None:
    made, mail = invited(organization)
    members.withdraw(made, by=personas.owner_actor(organization), now=now())
    sending.send_due(now=now())
    mail.refresh_from_db()
    assert (mail.status, sent_by_django.outbox) == ("dropped", [])


def test_nothing_is_sent_to_who_was_switched_off_meanwhile(alice: User) -> None:
    mail = outbox.queue_account_mail(alice, "password_reset", now=now())
    User.objects.filter(pk=alice.pk).update(is_active=False)
    sending.send_due(now=now())
    mail.refresh_from_db()
    assert (mail.status, sent_by_django.outbox) == ("dropped", [])


def test_an_invitation_that_cannot_be_delivered_is_told(organization: Organization) -> None:
    _, mail = invited(organization)
    outbox.record_mail_failure(mail, words="550 nobody here", now=now())
    assert Event.objects.get(type="mail.failed").data["to"] == ["ivy@post.example"]
