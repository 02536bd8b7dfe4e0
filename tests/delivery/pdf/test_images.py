"""The logo and the QR code of a document."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
import segno
from PIL import Image

from partway.delivery.pdf import images
from partway.delivery.pdf.content import Issuer, PngImage
from partway.delivery.pdf.typesetting import pdf
from tests.delivery.pdf import sample_documents
from tests.support import pdf_text


def _png(width: int, height: int) -> bytes:
    made = BytesIO()
    Image.new("RGB", (width, height), "#c04020").save(made, "PNG")
    return made.getvalue()


@pytest.mark.parametrize(
    ("pixels", "millimeters"), [((700, 80), (70, 8)), ((160, 320), (8, 16)), ((10, 10), (16, 16))]
)
def test_logo_is_scaled_to_fit_and_keeps_aspect_ratio(
    pixels: tuple[int, int], millimeters: tuple[float, float]
) -> None:
    drawn = images.logo(PngImage(_png(*pixels)))
    assert drawn is not None
    assert (drawn["width"], drawn["height"]) == pytest.approx(millimeters)


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a" + b"\0" * 40, _png(9, 9)[:16] + b"\0" * 20, b"<svg/>" * 9]
)
def test_invalid_logo_is_replaced_by_organization_name(content: bytes) -> None:
    assert images.logo(PngImage(content)) is None
    issuer = Issuer("Alder Joinery", logo=PngImage(content))
    assert pdf_text.pages(pdf(sample_documents.invoice(issuer=issuer)))[0].startswith("Alder Joinery Invoice")


def test_logo_replaces_organization_name() -> None:
    issuer = Issuer("Alder Joinery", logo=PngImage(_png(300, 100)))
    content = pdf(sample_documents.invoice(issuer=issuer))
    assert pdf_text.pages(content)[0].startswith("Invoice From Alder Joinery")
    assert pdf_text.pictures(content) == [(300, 100)]


def test_qr_code_encodes_link() -> None:
    expected = segno.make_qr(sample_documents.URL, error="m", boost_error=False)
    [shape] = re.findall(r' d="([^"]+)"', images.qr_code(sample_documents.URL))
    assert shape.count("h") == sum(
        1
        for row in expected.matrix
        for before, now in zip([0, *row], row, strict=False)
        if now and not before
    )
