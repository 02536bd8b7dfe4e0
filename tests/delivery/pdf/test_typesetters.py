"""The processes that typeset are used again, replaced and limited; a document that is too large stops no mail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client

from partway.billing import links
from partway.billing.models import Invoice, Mail
from partway.delivery.mail.sending import send_due
from partway.delivery.pdf import TypesettingFailed, typesetter, typesetters
from partway.delivery.pdf.typesetting import pdf
from partway.lib import bulkheads
from partway.lib.clock import now as present
from tests.delivery.pdf import sample_documents
from tests.support import personas


@pytest.fixture(autouse=True)
def no_typesetters() -> Iterator[None]:
    """Each test starts its own processes, with the limits that it sets."""
    typesetters._end_idle_children()
    yield
    typesetters._end_idle_children()


@pytest.fixture
def too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes every document too large."""
    monkeypatch.setattr(typesetters, "_MEMORY_BYTES", 64 * 1024 * 1024)


@pytest.fixture
def invoice() -> Invoice:
    return personas.sent_invoice(personas.customer(personas.alder().organization))


def test_typesetter_is_used_again() -> None:
    pdf(sample_documents.invoice())
    [first] = typesetters._idle
    pdf(sample_documents.invoice())
    assert typesetters._idle == [first]


def test_typesetter_of_large_process_is_used_again() -> None:
    large = bytearray(b"x" * typesetter.RECYCLE_BYTES * 2)
    pdf(sample_documents.invoice())
    [first] = typesetters._idle
    pdf(sample_documents.invoice())
    assert typesetters._idle == [first]
    del large


def test_typesetter_that_ended_meanwhile_is_replaced() -> None:
    pdf(sample_documents.invoice())
    [first] = typesetters._idle
    first.stdin.close()  # type: ignore[union-attr]
    first.wait()
    assert pdf(sample_documents.invoice()).startswith(b"%PDF")
    assert first not in typesetters._idle


def test_typesetter_that_ends_while_it_is_asked_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    pdf(sample_documents.invoice())
    [first] = typesetters._idle
    first.terminate()
    first.wait()
    first.returncode = 0  # as of one that was idle too long
    monkeypatch.setattr(first, "poll", lambda: None)
    assert pdf(sample_documents.invoice()).startswith(b"%PDF")
    assert first not in typesetters._idle


def test_document_beyond_memory_limit_is_refused(too_large: None) -> None:
    with pytest.raises(TypesettingFailed):
        pdf(sample_documents.invoice())
    assert not typesetters._idle


def test_document_beyond_cpu_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typesetters, "_CPU_SECONDS", 1)
    lines = tuple(sample_documents.line(f"{number:0300}") for number in range(400))
    with pytest.raises(TypesettingFailed):
        pdf(sample_documents.invoice(lines=lines))


def test_document_beyond_deadline_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typesetters, "_DEADLINE_SECONDS", 0.01)
    with pytest.raises(TypesettingFailed):
        pdf(sample_documents.invoice())


def test_typesetter_knows_no_settings_of_partway(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARTWAY_SECRET_KEY", "a secret that a child needs not")
    pdf(sample_documents.invoice())
    with open(f"/proc/{typesetters._idle[0].pid}/environ") as environment:  # noqa: PTH123 - no file of a disk
        assert "PARTWAY" not in environment.read()


@pytest.mark.django_db
def test_mail_with_document_too_large_goes_out_without_it(invoice: Invoice, too_large: None) -> None:
    assert send_due(now=present()) == 1
    mail = Mail.objects.get()
    assert (mail.status, mail.attempt_count) == ("sent", 1)


@pytest.mark.django_db
def test_page_of_document_too_large_says_so(client: Client, invoice: Invoice, too_large: None) -> None:
    response = client.get(f"{links.invoice_url(invoice)}pdf/")
    assert response.status_code == 422
    assert "too large to print" in response.content.decode()


@pytest.mark.django_db
def test_full_bulkhead_is_a_page_that_tries_again(
    client: Client, invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulkheads.PDF_DOCUMENTS, "limit", 0)
    response = client.get(f"{links.invoice_url(invoice)}pdf/")
    assert (response.status_code, response["Retry-After"], response["Refresh"]) == (503, "5", "5")
    assert "tries again by itself" in response.content.decode()
