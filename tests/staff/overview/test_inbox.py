"""The inbox of a demo: mails that are stored as files instead of being sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from partway.accounts.models import Organization
from partway.billing.models import Customer, Invoice, Mail
from partway.delivery.mail import sending
from partway.lib.clock import now
from partway.staff import keyset_pages
from tests.support import personas

URL = "/o/alder/inbox/"


@pytest.fixture(autouse=True)
def _own_home(settings: LazySettings, tmp_path: Path) -> None:
    settings.PARTWAY_HOME = tmp_path
    settings.EMAIL_BACKEND = (
        "partway.delivery.mail.backends.FileBackend"  # Django's test runner had replaced it
    )


@pytest.fixture
def stored_mail_id(invoice: Invoice) -> str:
    """The id of the invoice's mail, stored as a file."""
    sending.send_due(now=now())
    return Mail.objects.get().pk


def test_demo_inbox_shows_sent_mail(bob: Client, stored_mail_id: str, invoice: Invoice) -> None:
    assert f"{URL}{stored_mail_id}/" in bob.get(URL).content.decode()
    page = bob.get(f"{URL}{stored_mail_id}/").content.decode()
    assert "dana.whitfield@customer.example" in page
    assert f'src="{URL}{stored_mail_id}/body/"' in page
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page


def test_demo_inbox_lists_mails_newest_first(bob: Client, stored_mail_id: str, dana: Customer) -> None:
    personas.sent_invoice(dana)
    sending.send_due(now=now())
    shown = [mail.id for mail in bob.get(URL).context["page"].entries]
    assert shown == list(Mail.objects.order_by("-pk").values_list("pk", flat=True))
    assert len(shown) == 2


def test_demo_inbox_goes_past_mails_without_files(
    bob: Client, stored_mail_id: str, dana: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = personas.sent_invoice(dana)
    Mail.objects.filter(invoice=newer).update(status="sent")  # by a mail server
    monkeypatch.setattr(keyset_pages, "PAGE_ROWS", 1)
    first = bob.get(URL)
    assert "Nothing found yet" in first.content.decode()
    second = bob.get(URL, {"after": first.context["page"].following})
    assert [mail.id for mail in second.context["page"].entries] == [stored_mail_id]


def test_demo_inbox_body_is_sandboxed_by_csp(bob: Client, stored_mail_id: str) -> None:
    response = bob.get(f"{URL}{stored_mail_id}/body/")
    policy = response.headers["Content-Security-Policy"]
    assert "sandbox allow-popups" in policy
    assert "allow-scripts" not in policy
    assert "default-src 'none'" in policy
    assert response.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert '<base target="_blank">' in response.content.decode()


def test_demo_inbox_is_scoped_to_organization(mallory: Client, stored_mail_id: str) -> None:
    assert mallory.get("/o/birch/inbox/").context["page"].entries == []
    assert mallory.get(f"/o/birch/inbox/{stored_mail_id}/").status_code == 404
    assert mallory.get(f"/o/birch/inbox/{stored_mail_id}/body/").status_code == 404


@pytest.mark.parametrize("made_up", ["mail_00000000000000000000000000", "..%2F..%2Fsecret_key", "x"])
def test_demo_inbox_unknown_message_is_404(charlie: Client, organization: Organization, made_up: str) -> None:
    assert charlie.get(f"{URL}{made_up}/").status_code == 404


def test_demo_inbox_is_404_with_real_mail_backend(
    bob: Client, stored_mail_id: str, settings: LazySettings
) -> None:
    settings.PARTWAY_MAIL_TO_FILES = False
    assert bob.get(URL).status_code == 404
    assert bob.get(f"{URL}{stored_mail_id}/").status_code == 404
    assert URL not in bob.get("/o/alder/").content.decode()


def test_demo_inbox_is_empty(charlie: Client) -> None:
    assert "No messages yet" in charlie.get(URL).content.decode()


def test_demo_inbox_shows_invitation_mail_to_owners_only(
    alice: Client, bob: Client, organization: Organization
) -> None:
    alice.post("/o/alder/settings/members/invite/", {"email": "ivy@post.example", "role": "owner"})
    sending.send_due(now=now())
    mail = Mail.objects.get(kind="invitation")
    assert "invites you" in alice.get(URL).content.decode()
    assert "invites you" not in bob.get(URL).content.decode()
    for address in (f"{URL}{mail.pk}/", f"{URL}{mail.pk}/body/"):
        assert (alice.get(address).status_code, bob.get(address).status_code) == (200, 404)
