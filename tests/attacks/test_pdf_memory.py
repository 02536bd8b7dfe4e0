"""Documents of the largest size that can be written leave no memory behind."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from random import Random

import httpx
import pytest

from partway.accounts.models import Organization
from partway.billing import links
from partway.billing.documents import invoices
from partway.billing.documents.drafts import MAX_DESCRIPTION_LENGTH, MAX_LINES, LineDraft
from partway.billing.models import Invoice
from partway.lib.clock import now as present
from partway.worker.supervisor import Supervisor
from tests.support import personas

from .clients import NO_TLS, assert_healthy, children, memory_mib


def largest_invoice(owner: Organization, number: int) -> Invoice:
    """Returns a sent invoice of as many and as long lines as there may be, without a space to break them at."""
    at, random = present(), Random(number)  # noqa: S311 - only a text
    texts = ("".join(random.choices("abcdefghij", k=MAX_DESCRIPTION_LENGTH)) for _ in range(MAX_LINES))
    draft = invoices.InvoiceDraft(
        customer=personas.customer(owner, f"Dana {number}"),
        currency=owner.currency,
        due_on=(at + timedelta(days=30)).date(),
        lines=tuple(LineDraft(text, Decimal(1), 100, Decimal(0)) for text in texts),
    )
    by = personas.owner_actor(owner)
    return invoices.send(invoices.create(owner, draft=draft, by=by, now=at), by=by, now=at)


@pytest.mark.left_to("sqlite")
@pytest.mark.long(15)
def test_largest_documents_leave_no_memory_in_web_process(
    supervisor: Supervisor, organization: Organization
) -> None:
    supervisor.start_web()
    url = supervisor.config.url
    small = links.invoice_url(personas.sent_invoice(personas.customer(organization)))
    addresses = [links.invoice_url(largest_invoice(organization, number)) for number in range(3)]

    def download(address: str) -> httpx.Response:
        return httpx.get(f"{address}pdf/", trust_env=False, verify=NO_TLS, timeout=60)

    assert download(small).status_code == 200
    server = max(children(supervisor.processes["web"].pid), key=memory_mib)
    before = memory_mib(server)
    with ThreadPoolExecutor(1) as pool:
        downloads = pool.map(download, addresses)
        assert_healthy(url)
        assert [response.content[:4] for response in downloads] == [b"%PDF"] * len(addresses)
    # Each leaves 170 MB in the process that makes it, and its file for a moment here.
    assert memory_mib(server) - before < 40
    assert sum(memory_mib(child) for child in children(server)) < 400
