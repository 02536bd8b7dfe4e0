"""The logo: of any picture that is sent, only a small PNG drawn by Partway is stored and served."""

from __future__ import annotations

import io
import struct
import zlib
from base64 import b64decode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from partway.accounts.models import Logo
from partway.billing.models import Event

URL = "/o/alder/settings/logo/"
PICTURE = "/o/alder/logo.png"


def picture(
    kind: str = "PNG", size: tuple[int, int] = (1200, 300), mode: str = "RGB", **saved: object
) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, 1 if mode == "P" else None).save(out, kind, **saved)
    return out.getvalue()


def claims(width: int, height: int) -> bytes:
    """Returns a PNG of a few bytes whose header claims an enormous size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"0"))
        + chunk(b"IEND", b"")
    )


def send(client: Client, content: bytes, name: str = "logo.png", media_type: str = "image/png") -> int:
    file = SimpleUploadedFile(name, content, content_type=media_type)
    return client.post(URL, {"logo": file}).status_code


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_logo_is_reencoded_as_small_png(alice: Client, charlie: Client, kind: str) -> None:
    assert send(alice, picture(kind)) == 302
    response = charlie.get(PICTURE)
    assert response.headers["Content-Type"] == "image/png"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    drawn = Image.open(io.BytesIO(response.content))
    assert (drawn.format, drawn.size) == ("PNG", (800, 200))
    assert Event.objects.filter(type="organization.logo_changed").count() == 1


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "1", "LA", "I;16"])
def test_logo_accepts_every_pixel_mode(alice: Client, mode: str) -> None:
    assert send(alice, picture(mode=mode, size=(40, 40))) == 302


def test_logo_keeps_no_metadata_or_trailing_bytes(alice: Client) -> None:
    message = PngInfo()
    message.add_text("Comment", "<script>alert(1)</script>")
    send(alice, picture(pnginfo=message) + b"<?php trailing ?>")
    kept = bytes(Logo.objects.get().content)
    assert b"script" not in kept
    assert b"php" not in kept


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "not a PNG"),
        (picture("GIF"), "not a PNG"),
        (picture("BMP"), "not a PNG"),
        (picture()[:60], "not a PNG"),
        (b"\x89PNG\r\n\x1a\n", "not a PNG"),
        (claims(60_000, 60_000), "too many pixels"),
        (claims(9_000, 9_000), "too many pixels"),
        (picture() + b"0" * 2 * 1024 * 1024, "larger than 2 MB"),
        (b"", "Choose a picture"),
    ],
)
def test_invalid_logo_file_is_refused_with_message(alice: Client, content: bytes, message: str) -> None:
    response = alice.post(URL, {"logo": SimpleUploadedFile("logo.png", content, content_type="image/png")})
    assert response.status_code == 422
    assert message in response.content.decode()
    assert not Logo.objects.exists()


def test_logo_with_too_many_pixels_is_refused(alice: Client) -> None:
    assert send(alice, picture(size=(5_000, 4_000), mode="1")) == 422  # which are a few kilobytes


def test_logo_ignores_declared_file_name_and_content_type(alice: Client) -> None:
    send(alice, picture("JPEG"), "evil.html", "text/html")
    assert alice.get(PICTURE).headers["Content-Type"] == "image/png"


def test_logo_can_be_replaced_and_removed(alice: Client) -> None:
    send(alice, picture())
    send(alice, picture(size=(10, 10)))
    assert Image.open(io.BytesIO(alice.get(PICTURE).content)).size == (10, 10)
    alice.post(URL, {"operation": "remove"})
    alice.post(URL, {"operation": "remove"})
    assert alice.get(PICTURE).status_code == 404
    assert Event.objects.filter(type="organization.logo_removed").count() == 1


def test_logo_upload_without_file_is_refused(alice: Client) -> None:
    assert alice.post(URL).status_code == 422


def test_logo_is_hidden_from_another_organization(alice: Client, mallory: Client) -> None:
    send(alice, picture())
    assert mallory.get(PICTURE).status_code == 404
    assert mallory.get("/o/birch/logo.png").status_code == 404


# A PNG whose EXIF block ends too early; Pillow raises struct.error for it.
BROKEN_EXIF = (
    "UklGRoYAAABXRUJQVlA4WAoAAAAIAAAAHQAAEwAAVlA4ICYAAADQAgCdASoeABQAPm00lkekIyIhKAgAgA2JaQAAPaOgAP77"
    "nMAAAEVYSUY6AAAATU0AKgAAAAgAAwEOAAIAAAADaGkAAAESAAMAAAABAAYAAAEAAAUAAAABAAAAMgAAAAAAAABIAAAAAQ=="
)


def test_logo_with_broken_exif_is_refused(alice: Client) -> None:
    assert send(alice, b64decode(BROKEN_EXIF)) == 422
    assert not Logo.objects.exists()
