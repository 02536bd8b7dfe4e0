"""A worker killed at any failpoint of an import: the file is imported once, and never in part."""

from __future__ import annotations

import pytest

from partway.billing.imports import uploads
from partway.billing.imports.uploads import Formats, UploadedFile
from partway.billing.models import Import, Payment
from partway.lib.clock import now
from tests.support import personas
from tests.support.sandbox_server import wait_until

from .installation import COMMIT, KillPoint, kill_at_each_failpoint
from .scenario import CrashScenario

pytestmark = [
    pytest.mark.long(3),
    pytest.mark.sampled_on("sqlite", every=5),
    pytest.mark.sampled_on("postgresql", every=15),
]

IMPORT = (
    *("event invoice.created", "event invoice.sent", "event payment.recorded"),
    *("event organization.import_finished", *COMMIT),
)
COLUMNS = ("external_reference", "customer_email", "amount", "due_on", "amount_paid", "paid_on")


@kill_at_each_failpoint(*IMPORT)
def test_crash_while_worker_imports_an_invoice(scenario: CrashScenario, kill_point: KillPoint) -> None:
    by = personas.owner_actor(scenario.organization)
    line = f"R-1,{scenario.address},12.50,2026-01-31,2.50,2026-01-15"
    file = UploadedFile("invoices", "file.csv", f"{','.join(COLUMNS)}\n{line}\n".encode())
    formats = Formats(dict(zip(COLUMNS, COLUMNS, strict=True)), ".", "YYYY-MM-DD", "Check")
    run = uploads.upload(scenario.organization, file=file, formats=formats, by=by, now=now())
    wait_until(lambda: Import.objects.get(pk=run.pk).status == "ready")
    with scenario.installation.killed_at(kill_point, "job imports"):
        uploads.confirm(run, by=by, now=now())
    wait_until(lambda: Import.objects.get(pk=run.pk).status == "done")
    [paid] = Payment.objects.filter(organization=scenario.organization, invoice__external_reference="R-1")
    assert (paid.invoice.amount_due_minor, paid.captured_minor) == (1_000, 250)
