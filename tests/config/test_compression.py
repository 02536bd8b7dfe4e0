"""Responses are compressed for clients that take it, but not for a request that another site may have caused."""

from __future__ import annotations

import csv
import gzip
import io
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from partway.billing import links
from partway.billing.models import Customer
from tests.support import personas

pytestmark = pytest.mark.django_db
_GZIP = {"Accept-Encoding": "gzip, br"}
_CSS = f"{settings.STATIC_URL}staff/staff.css"


@pytest.fixture
def dana() -> Customer:
    return personas.customer(personas.alder().organization)


@pytest.fixture
def alice(client: Client, dana: Customer) -> Client:
    client.force_login(dana.organization.members.get(role="owner").user)
    return client


def get(client: Client, address: str, *, secure: bool = False, **headers: str) -> Any:
    sent = {**_GZIP, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return client.get(address, headers=sent, secure=secure)


def test_page_is_compressed_to_random_length(alice: Client) -> None:
    plain = alice.get("/o/alder/invoices/")
    pages = [get(alice, "/o/alder/invoices/") for _ in range(8)]
    assert {page.headers["Content-Encoding"] for page in pages} == {"gzip"}
    assert len({len(page.content) for page in pages}) > 1
    assert b"<h1" in gzip.decompress(pages[0].content)
    assert "Content-Encoding" not in plain.headers
    assert "Accept-Encoding" in plain.headers["Vary"]


@pytest.mark.parametrize(
    ("site", "is_compressed"),
    [("same-origin", True), ("none", True), ("cross-site", False), ("same-site", False)],
)
def test_page_that_another_site_opens_for_a_member_is_not_compressed(
    alice: Client, site: str, is_compressed: bool
) -> None:
    page = get(alice, "/o/alder/invoices/?q=guess", secure=True, Sec_Fetch_Site=site)
    assert page.has_header("Content-Encoding") == is_compressed
    assert not get(alice, "/o/alder/invoices/", secure=True).has_header("Content-Encoding")


def test_page_of_a_customer_is_compressed_wherever_its_link_is(client: Client, dana: Customer) -> None:
    address = links.invoice_url(personas.sent_invoice(dana))
    assert (
        get(client, address, secure=True, Sec_Fetch_Site="cross-site").headers["Content-Encoding"] == "gzip"
    )


def test_file_of_rows_streams_compressed_and_a_document_stays_as_it_is(alice: Client, dana: Customer) -> None:
    invoice = personas.sent_invoice(dana)
    response = get(alice, "/o/alder/invoices/csv/")
    assert (response.streaming, response.headers["Content-Encoding"]) == (True, "gzip")
    rows = csv.reader(io.StringIO(gzip.decompress(response.getvalue()).decode("utf-8-sig")))
    assert any(invoice.number in row for row in rows)
    assert not get(alice, f"/o/alder/invoices/{invoice.pk}/pdf/").has_header("Content-Encoding")


def test_static_file_is_compressed_and_kept_and_a_range_is_of_the_file_itself(client: Client) -> None:
    plain = client.get(_CSS).getvalue()
    first, second = get(client, _CSS), get(client, _CSS)
    content = first.getvalue()
    assert gzip.decompress(content) == plain
    assert content == second.getvalue()
    assert first.headers["Content-Length"] == str(len(content))
    assert "max-age=31536000" in first.headers["Cache-Control"]
    modified = {"If_Modified_Since": first.headers["Last-Modified"]}
    assert get(client, _CSS, **modified).status_code == 304
    part = get(client, _CSS, Range="bytes=10-19")
    assert (part.status_code, part.getvalue(), part.has_header("Content-Encoding")) == (
        206,
        plain[10:20],
        False,
    )
    head = client.head(_CSS, headers=_GZIP)
    assert head.headers["Content-Length"] == str(len(plain))
