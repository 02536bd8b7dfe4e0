"""Messages stored as files, for installations without a mail server."""

from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.mail import send_mail
from pytest_django import Settings

from partway.accounts.models import Organization
from partway.billing.models import Mail, PaymentRequest
from partway.delivery.mail import kept_files, sending
from partway.delivery.mail.kept_files import StoredMail
from partway.lib.clock import now
from tests.support import personas


@pytest.fixture(autouse=True)
def home(settings: Settings, tmp_path: Path) -> Path:
    settings.PARTWAY_HOME = tmp_path
    settings.EMAIL_BACKEND = "partway.delivery.mail.backends.FileBackend"
    return tmp_path


def kept_message(organization: Organization, mail: Mail) -> StoredMail:
    kept = kept_files.message(organization, mail.pk)
    assert kept is not None
    return kept


def test_message_file_is_kept_in_organization_folder(
    organization: Organization, mail: Mail, home: Path
) -> None:
    sending.send_due(now=now())
    assert [path.name for path in (home / "mail" / organization.pk).iterdir()] == [f"{mail.pk}.eml"]


def test_inbox_reads_kept_messages(organization: Organization, mail: Mail, request_: PaymentRequest) -> None:
    sending.send_due(now=now())
    kept = kept_message(organization, mail)
    assert kept.subject == f"Alder Joinery asks for $300.00 (invoice {request_.invoice.number})"
    assert kept.to == "dana.whitfield@customer.example"
    assert "Pay $300.00" in kept.text
    assert "<!doctype html>" in kept.html
    assert abs(kept.at - now()) < timedelta(minutes=1)
    assert kept.headers["From"] == "Alder Joinery <billing@alder.example>"


def test_kept_message_preserves_non_ascii_text(organization: Organization, mail: Mail) -> None:
    Organization.objects.update(name="Müller & Söhne 木")
    sending.send_due(now=now())
    kept = kept_message(organization, mail)
    assert kept.subject.startswith("Müller & Söhne 木 asks for")
    assert "Müller & Söhne 木" in kept.text


def test_inbox_shows_long_names_whole_and_domains_in_unicode(
    organization: Organization, mail: Mail, request_: PaymentRequest
) -> None:
    Organization.objects.update(name="Жж" * 60, email="post@müller.example")
    for model in (Mail, PaymentRequest):
        model.objects.update(to=["dana@bücher.example", "eve@x.example"])
    sending.send_due(now=now())
    kept = kept_message(organization, mail)
    assert kept.headers["From"] == f"{'Жж' * 60} <post@müller.example>"
    assert kept.to == "dana@bücher.example, eve@x.example"


def test_resent_mail_is_kept_as_one_message(organization: Organization, mail: Mail, home: Path) -> None:
    for _ in range(2):
        Mail.objects.filter(pk=mail.pk).update(status="queued", next_attempt_at=now())
        sending.send_due(now=now())
    assert len(list((home / "mail" / organization.pk).iterdir())) == 1


def test_kept_message_is_hidden_from_another_organization(organization: Organization, mail: Mail) -> None:
    sending.send_due(now=now())
    birch = personas.mallory().organization
    assert kept_files.message(birch, mail.pk) is None


@pytest.mark.parametrize(
    "mail_id", ["", "..", "../secret", "mail_x", "/etc/passwd", "mail_" + "0" * 26 + "/../x"]
)
def test_message_id_cannot_traverse_out_of_folder(
    organization: Organization, home: Path, mail_id: str
) -> None:
    (home / "mail" / organization.pk).mkdir(parents=True)
    (home / "mail" / "secret.eml").write_text("Subject: secret\n\nsecret")
    assert kept_files.message(organization, mail_id) is None
    with pytest.raises(ValueError, match="cannot be"):
        kept_files.store(organization.pk, mail_id, b"")


def test_message_files_are_readable_by_owner_only(organization: Organization, mail: Mail, home: Path) -> None:
    sending.send_due(now=now())
    folder = home / "mail" / organization.pk
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / f"{mail.pk}.eml").stat().st_mode) == 0o600


def test_message_without_mail_row_is_kept(home: Path) -> None:
    send_mail("Test", "Hello", "a@example.com", ["b@example.com"])
    assert len(list((home / "mail").rglob("*.eml"))) == 1
