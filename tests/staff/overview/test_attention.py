"""The Attention page: open alerts, their remedies, and resolving them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client

from partway.accounts.models import Organization
from partway.billing import alerts
from partway.billing.models import Alert, Invoice
from partway.delivery.mail import sending
from partway.delivery.messages import alerts as alert_messages
from partway.gateways.protocol import PayoutStatus
from partway.lib.clock import now
from partway.staff.overview import attention
from tests.support import personas

URL = "/o/alder/attention/"


@pytest.fixture
def alert(invoice: Invoice) -> Alert:
    """An open alert about a payment that came too late."""
    return Alert.objects.create(
        organization=invoice.organization,
        kind="unwanted_payment",
        params={"captured": {"amount_minor": 30_000, "currency": "USD"}},
        subject="pay_1",
        invoice=invoice,
        created_at=now(),
    )


def test_alert_is_listed_and_counted_on_every_page(charlie: Client, alert: Alert) -> None:
    page = charlie.get(URL).content.decode()
    assert "$300.00 was paid after it was no longer due." in page
    assert "INV-0001" in page
    assert 'class="count"' in charlie.get("/o/alder/customers/").content.decode()
    assert "1 thing needs your attention" in charlie.get("/o/alder/").content.decode()


def test_collector_resolves_alert(bob: Client, alert: Alert) -> None:
    page = bob.post(f"{URL}{alert.pk}/resolve/", {"digest": alert.digest}, follow=True).content.decode()
    alert.refresh_from_db()
    assert alert.resolved_at
    assert "Nothing needs your attention" in page
    assert "Dealt with" in page
    assert 'class="count"' not in page


def test_get_does_not_resolve_alert(bob: Client, alert: Alert) -> None:
    assert bob.get(f"{URL}{alert.pk}/resolve/").status_code == 302
    alert.refresh_from_db()
    assert alert.resolved_at is None


def test_reader_sees_no_resolve_button_for_alert(charlie: Client, alert: Alert) -> None:
    assert "resolve/" not in charlie.get(URL).content.decode()


def test_attention_page_without_alerts_is_empty(charlie: Client) -> None:
    assert "Nothing needs your attention" in charlie.get(URL).content.decode()


def test_alert_shows_advice_and_customer_link(charlie: Client, alert: Alert) -> None:
    page = charlie.get(URL).content.decode()
    assert "Apply the credit to another invoice of this customer" in page
    assert f"/o/alder/customers/{alert.invoice.customer_id}/" in page


def test_alert_about_payout_links_to_it(charlie: Client, organization: Organization) -> None:
    payout = personas.pay_out(organization, personas.payout_item(), status=PayoutStatus.FAILED)
    page = charlie.get(URL).content.decode()
    assert "The payout of $295.55 (po_at_gateway) failed" in page
    assert f'href="/o/alder/payouts/{payout.pk}/"' in page


def test_alert_resolution_is_stored_with_member(bob: Client, alert: Alert) -> None:
    form = {"digest": alert.digest, "resolution": "Called Dana."}
    page = bob.post(f"{URL}{alert.pk}/resolve/", form, follow=True).content.decode()
    alert.refresh_from_db()
    assert (alert.resolution, alert.resolved_by) == ("Called Dana.", "Bob")
    assert "Called Dana." in page


def test_too_long_alert_resolution_is_refused_and_kept(bob: Client, alert: Alert) -> None:
    response = bob.post(f"{URL}{alert.pk}/resolve/", {"resolution": "x" * 301})
    alert.refresh_from_db()
    assert (response.status_code, alert.resolved_at) == (422, None)
    assert "x" * 301 in response.content.decode()


def test_changed_alert_is_shown_again_before_resolution(bob: Client, alert: Alert) -> None:
    [shown] = re.findall(r'name="digest" value="(\w+)"', bob.get(URL).content.decode())
    Alert.objects.update(params={"captured": {"amount_minor": 45_000, "currency": "USD"}})
    response = bob.post(f"{URL}{alert.pk}/resolve/", {"digest": shown, "resolution": "Called Dana."})
    alert.refresh_from_db()
    page = response.content.decode()
    assert (response.status_code, alert.resolved_at) == (409, None)
    assert all(
        message in page for message in ("This entry has changed", "$450.00 was paid after", "Called Dana.")
    )


def test_every_raised_alert_kind_has_advice() -> None:
    """Billing and the sending of mails raise kinds by name; the page has a title and a remedy for each."""
    roots = (Path(alerts.__file__).parent, Path(sending.__file__).parent)
    source = "".join(path.read_text() for root in roots for path in root.rglob("*.py"))
    raised = set(
        re.findall(r'(?:raise_for_(?:payment|dispute|organization|mail)\(\s*|alert=)"(\w+)"', source)
    )
    advised, worded = (
        {key.partition(".")[0] for key in table} for table in (attention._KINDS, alert_messages._ALERTS)
    )
    assert raised == advised == worded
    assert {key for key in attention._KINDS if "." in key} <= set(alert_messages._ALERTS)
