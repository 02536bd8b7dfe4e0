"""Texts, files and bodies that broke programs before, or that a database, a parser or an allocator could choke on."""

from __future__ import annotations

import io
import json
import struct
import zlib

from PIL import Image

DEEP = 100_000

TEXTS = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "\r\nBcc: mallory@post.example",
    "\ud800",  # half a surrogate pair
    "\udfff\ud800",
    "￾\ufeff\u202e\u200d",
    "e\u0301" * 300,
    "x" * 70_000,
    "x" * 1_000_000,
    "\n" * 10_000,
    "\u00df" * 250,  # longer in upper case
    "9" * 400,
    "-9" * 30,
    "1e999999",
    "1e-999999",
    "NaN",
    "sNaN",
    "Infinity",
    "٣٤٥",
    "²",
    "½",
    "0",
    "-0",
    "-1",
    "1_000",
    "0x10",
    "2147483648",
    "9223372036854775808",
    "170141183460469231731687303715884105728",
    "999999999999999999",
    "0001-01-01",
    "9999-12-31",
    "10000-01-01",
    "2026-02-30",
    "2026-W01-1",
    "2026-11-29T99:99",
    "0001-01-01T00:00:00+14:00",
    "[" * DEEP,
    "[" * DEEP + "]" * DEEP,
    '{"a":' * DEEP,
    '{"lines": 1}',
    '{"name": "\\ud800", "email": "\\u0000"}',
    '{"name": ' + "1" * 5_000 + "}",
    json.dumps({"version": "1" * 5_000, "name": ["a", {}], "currency": None}),
    "null",
    "1" * 5_000,
    "1" * 200_000,
    "../../../etc/passwd",
    "..\\..\\win.ini",
    "%",
    "%00",
    "%s%n%(x)s{0.__class__}{{ 7 }}",
    "' OR 1=1 --",
    "_%\\",
    "\\",
    "(((((a+)+)+)+)+$",
    "<script>alert(1)</script>",
    "=1+1",
    "#ffffff;}",
    "http://[::1",
    "http://[::1]:99999/",
    "//evil.example\\@localhost",
    "javascript:alert(1)",
    "a@b@c",
    "a@" + "b" * 300,
    "a," * 5_000,
    "a@b.example," * 2_000,
    "dana@m\u00fcnchen.example",
    '"quoted name"@x.example',
    "a@[127.0.0.1]",
    "xn--",
    "a@xn--a",
    "en_US.UTF-8",
    "Europe/../Berlin",
    "Europe/",
    "\u221e",
    "inv_" + "0" * 26,
    "\x1b[2J",
    "\U0001f4a9" * 100,
)

# Texts in a path: no server passes more on.
MAX_PATH = 3_000


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png_header(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))


def _picture(size: tuple[int, int], kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "green").save(out, kind, **options)
    return out.getvalue()


def files() -> dict[str, tuple[str, bytes]]:
    """Returns the name and the content of files by what is wrong with them."""
    good = _picture((40, 20), "PNG")
    zeros = zlib.compress(b"\x00" * 50_000_000, 9)
    return {
        "empty": ("logo.png", b""),
        "text": ("logo.png", b"hello"),
        "truncated": ("logo.png", good[: len(good) // 2]),
        "header alone": ("logo.png", good[:33]),
        "huge dimensions": ("logo.png", _png_header(2**31 - 1, 2**31 - 1) + _chunk(b"IEND", b"")),
        "no width": ("logo.png", _png_header(0, 10) + _chunk(b"IEND", b"")),
        "bomb": ("logo.png", _png_header(4_000, 4_000) + _chunk(b"IDAT", zeros) + _chunk(b"IEND", b"")),
        "bomb in a text chunk": (
            "logo.png",
            _png_header(10, 10) + _chunk(b"zTXt", b"a\x00\x00" + zeros) + _chunk(b"IEND", b""),
        ),
        "bomb as profile": (
            "logo.png",
            _png_header(10, 10) + _chunk(b"iCCP", b"a\x00\x00" + zeros) + _chunk(b"IEND", b""),
        ),
        "wrong checksum": ("logo.png", good[:40] + b"\xff" + good[41:]),
        "SVG": ("logo.svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
        "SVG with entities": (
            "logo.svg",
            b'<!DOCTYPE s [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><svg>&b;</svg>',
        ),
        "GIF": ("logo.gif", _picture((10, 10), "GIF")),
        "TIFF": ("logo.tiff", _picture((10, 10), "TIFF")),
        "EPS": ("logo.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n"),
        "JPEG cut": ("logo.jpg", _picture((300, 300), "JPEG")[:400]),
        "JPEG with EXIF that is none": (
            "logo.jpg",
            _picture((10, 10), "JPEG", exif=b"Exif\x00\x00II*\x00\xff"),
        ),
        "WebP cut": ("logo.webp", _picture((30, 30), "WEBP")[:30]),
        "one column": ("logo.png", _picture((1, 60_000), "PNG")),
        "zip": ("logo.png", b"PK\x03\x04" + b"\x00" * 100),
        "above two megabytes": ("logo.png", good + b"\x00" * 2_200_000),
        "name with NUL": ("lo\x00go.png", good),
        "name that leaves the folder": ("../../logo.png", good),
        "long name": ("x" * 5_000 + ".png", good),
        "no name": ("", good),
    }


def multipart(name: str, filename: str, content: bytes) -> bytes:
    """Returns a multipart body with one file, and the name as it is, unescaped."""
    head = f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n\r\n'
    return head.encode("utf-8", "surrogatepass") + content + b"\r\n--x--\r\n"


MULTIPART = "multipart/form-data; boundary=x"

# Content types with bodies that are not what they say.
BODIES = (
    (MULTIPART, b""),
    (MULTIPART, b"--x"),
    (MULTIPART, b"--x--\r\n"),
    (MULTIPART, b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n\x00\xff\r\n--x--\r\n'),
    (MULTIPART, b'--x\r\nContent-Disposition: form-data; name=""\r\n\r\na\r\n--x--\r\n'),
    (MULTIPART, b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--\r\n"),
    (
        MULTIPART,
        b'--x\r\nContent-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64\r\n\r\n!\r\n--x--',
    ),
    (MULTIPART, b"--x\r\n" + b"A: " + b"b" * 100_000 + b"\r\n\r\na\r\n--x--\r\n"),
    (MULTIPART, multipart("name", "a.png", b"x")),
    (
        MULTIPART,
        b"".join(b'--x\r\nContent-Disposition: form-data; name="a%d"\r\n\r\n\r\n' % n for n in range(1_100)),
    ),
    (MULTIPART, b"".join(multipart(f"a{n}", "a", b"")[:-7] for n in range(110)) + b"--x--\r\n"),
    ("multipart/form-data", b"a=b"),
    ("multipart/form-data; boundary=" + "x" * 300, b"a=b"),
    ("multipart/form-data; boundary=\u00e9", b"--\xc3\xa9--"),
    ("multipart/mixed; boundary=x", b"--x--"),
    ("application/x-www-form-urlencoded", b"&".join(b"a%d=" % n for n in range(1_100))),
    ("application/x-www-form-urlencoded", b"%ff=%ff&%00=%00&=&&&=a"),
    ("application/x-www-form-urlencoded; charset=utf-16", b"a=b"),
    ("application/x-www-form-urlencoded; charset=none", b"a=b"),
    ("application/json", b"[" * DEEP),
    ("application/json", b'{"a": NaN}'),
    ("text/xml", b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'),
    ("", b"\x00" * 1_000),
    ("\u00e9" * 100, b"a"),
)
