"""`partway seed`: a large organization whose books are right, with invoices in every state."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from random import Random

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django.fixtures import Settings

from partway.accounts.models import Organization, User
from partway.billing.models import Allocation, Event, Invoice, InvoiceLine, Payment, PaymentRequest
from partway.billing.verification import verify
from partway.lib.clock import now
from partway.worker import seed
from partway.worker.seed.bulk_insert import BulkTable
from partway.worker.supervisor import SupervisorConfig

pytestmark = pytest.mark.django_db


@pytest.fixture
def seeded_organization() -> Organization:
    """An organization with 300 invoices."""
    return seed.build(invoices=300, now=now(), rng=Random(1))  # noqa: S311 - the same each time


def test_seed_passes_verify(seeded_organization: Organization) -> None:
    assert list(verify()) == []
    assert Invoice.objects.for_organization(seeded_organization).count() == 300


@pytest.mark.django_db
def test_seed_is_approved_where_the_operator_must_approve(settings: Settings) -> None:
    settings.PARTWAY_PAYMENTS_NEED_APPROVAL = True
    seeded = seed.build(invoices=1, now=now(), rng=Random(1))  # noqa: S311 - the same each time
    assert seeded.payments_enabled


def test_demo_is_approved_where_the_operator_must_approve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARTWAY_PAYMENTS_NEED_APPROVAL", "yes")
    assert SupervisorConfig(tmp_path, 1, 2).environment()["PARTWAY_PAYMENTS_NEED_APPROVAL"] == "no"


def test_seed_has_invoices_in_every_status(seeded_organization: Organization) -> None:
    mine = Invoice.objects.filter(organization=seeded_organization)
    assert set(mine.values_list("status", flat=True)) >= {"draft", "sent", "paid", "void"}
    assert mine.overdue(now().date()).exists()
    assert mine.partially_paid().exists()
    assert mine.values("currency").distinct().count() > 1
    assert PaymentRequest.objects.open().exists()
    assert set(Payment.objects.values_list("method", flat=True)) == {"card", "bank_debit"}


def test_seed_invoices_have_lines_and_events(seeded_organization: Organization) -> None:
    assert not Invoice.objects.exclude(pk__in=InvoiceLine.objects.values("invoice")).exists()
    assert Event.objects.filter(type="invoice.created").count() == 300
    assert Allocation.objects.count() == Payment.objects.count()


def test_seed_has_no_events_in_the_future(seeded_organization: Organization) -> None:
    assert not Event.objects.filter(created_at__gt=now()).exists()
    assert not Payment.objects.unsettled().exists()


def test_seed_pages_can_be_opened(seeded_organization: Organization) -> None:
    client = Client()
    client.force_login(User.objects.get(email=seed.OWNER))
    invoice = Invoice.objects.filter(status="paid")[0]
    for path in ("", "invoices/", f"invoices/{invoice.pk}/", f"customers/{invoice.customer_id}/"):
        assert client.get(f"/o/{seeded_organization.slug}/{path}").status_code == 200


def test_seed_is_deterministic_for_same_random_state(seeded_organization: Organization) -> None:
    rebuilt = seed.build(invoices=300, now=now(), rng=Random(1))  # noqa: S311
    one, other = (
        list(
            Invoice.objects.for_organization(owner)
            .order_by("created_at", "id")
            .values_list("total_minor", "status")
        )
        for owner in (seeded_organization, rebuilt)
    )
    assert one == other
    assert list(verify()) == []


def test_seed_command_prints_summary_and_url() -> None:
    out = StringIO()
    call_command("seed", "--invoices", "5", stdout=out)
    assert "5 invoices of Seedling Roofing" in out.getvalue()
    assert "/o/seedling-roofing/invoices/" in out.getvalue()


def test_seed_command_is_refused_on_live_installation(settings: Settings) -> None:
    settings.PARTWAY_LIVE = True
    with pytest.raises(CommandError, match="marked live"):
        call_command("seed", "--invoices", "5")


def test_seed_command_refuses_zero_invoices() -> None:
    with pytest.raises(CommandError, match="at least one"):
        call_command("seed", "--invoices", "0")


def test_bulk_insert_table_refuses_unknown_column() -> None:
    with pytest.raises(ValueError, match="colour"):
        BulkTable(Invoice, "inv").add(colour="green")
