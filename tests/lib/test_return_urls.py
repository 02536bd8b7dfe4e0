"""Addresses that customers are led back to: one spelling, and no way around the list of those that are allowed."""

from __future__ import annotations

import pytest

from partway.lib.return_urls import (
    MAX_LENGTH,
    InvalidReturnUrl,
    allowed,
    canonical,
    canonical_prefix,
    shown_host,
)

SITE, FOLDER = "https://jobs.alder.example/", "https://alder.example:8443/portal"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://jobs.alder.example", SITE),
        ("HTTPS://Jobs.Alder.EXAMPLE:443/", SITE),
        ("https://jobs.alder.example/Job/7?paid=1#Top", "https://jobs.alder.example/Job/7?paid=1#Top"),
        ("https://jobs.alder.example?next=//x", "https://jobs.alder.example/?next=//x"),
        ("https://müller.example/ü".replace("/ü", "/%C3%BC"), "https://xn--mller-kva.example/%C3%BC"),
        ("https://jobs。alder．example/", SITE),  # dots of other scripts, which browsers read as dots
        ("https://10.0.0.7:8443/", "https://10.0.0.7:8443/"),
        ("http://localhost:3000/done", "http://localhost:3000/done"),
        ("http://127.0.0.1:80/", "http://127.0.0.1/"),
        ("http://[::1]:3000/", "http://[::1]:3000/"),
    ],
)
def test_return_url_has_one_spelling(text: str, expected: str) -> None:
    assert canonical(text, allows_loopback=True) == expected
    assert canonical(expected, allows_loopback=True) == expected


ATTACKS = {
    "userinfo": [
        "https://jobs.alder.example@evil.example/",
        "https://a:b@jobs.alder.example/",
        "https://@x/",
    ],
    "backslash": [
        "https://jobs.alder.example\\@evil.example/",
        "https:\\\\jobs.alder.example/",
        "https://jobs.alder.example/\\evil.example",
        "https://evil.example\\.jobs.alder.example/",
        "https://jobs.alder.example/a%5c..%5cb",
    ],
    "scheme": [
        *("//jobs.alder.example/", "jobs.alder.example", "javascript:alert(1)//jobs.alder.example/"),
        *("data:text/html,x", "ftp://jobs.alder.example/", "https:jobs.alder.example", "https:///x", ""),
        *("https:/jobs.alder.example/", "http://jobs.alder.example/", "http://127.1/", "http://localhost.x/"),
    ],
    "host": [
        *("https://jobs.alder.example./", "https://jobs..alder.example/", "https://./", "https://%6aobs.x/"),
        *("https://jobs_alder.example/", "https://-x.example/", "https://[::2]/", "https://jobs。/"),
        "https://" + "a" * 64 + ".example/",
        "https://jobs.alder.example\u2100evil.example/",  # ℀ is mapped to a/c
    ],
    "port": [
        f"https://jobs.alder.example:{port}/" for port in ("", "0", "0443", "65536", "+443", "٤٤٣", "4 3")
    ],
    "path": [
        f"https://jobs.alder.example{path}"
        for path in (
            *(
                "/../x",
                "/a/..",
                "/a/./b",
                "/a/%2e%2e/b",
                "/a/.%2E/b",
                "/a/..;x/b",
                "/a/.;/b",
                "//evil.example",
            ),
            *("/a//b", "/a%2f..%2fb", "/%00", "/%0d%0aLocation:x", "/%7f", "/ü", "/a b", "/%zz", "/%", '/"'),
            *("/a#b#c", "/<script>", "/a?b=`", "/{x}", "/|"),
        )
    ],
    "control": [
        *("https://jobs.alder.example/\n", "https://jobs.alder.example/\r\nSet-Cookie: a=b", "\thttps://x/"),
        *("https://jobs.alder.example/\0", "https://jo\tbs.alder.example/", " https://jobs.alder.example/"),
        *("https://jobs.alder.example/\u2028", "https://jobs.alder.example/\u202e", "ht\ntps://x/"),
        "https://jobs.alder.example\u00ad.evil.example\n/",
    ],
    "length": ["https://jobs.alder.example/" + "a" * MAX_LENGTH],
}


@pytest.mark.parametrize(
    "text", [text for texts in ATTACKS.values() for text in texts], ids=lambda text: ascii(text)[:60]
)
def test_address_that_two_readers_could_read_differently_is_refused(text: str) -> None:
    with pytest.raises(InvalidReturnUrl):
        canonical(text, allows_loopback=True)
    assert not allowed(text, [SITE, FOLDER], allows_loopback=True)


@pytest.mark.parametrize(
    ("text", "is_allowed"),
    [
        ("https://jobs.alder.example/any/page?x=1#y", True),
        ("https://JOBS.alder.example:443", True),
        ("https://alder.example:8443/portal", True),
        ("https://alder.example:8443/portal/7", True),
        ("https://alder.example:8443/portal?x", True),
        ("https://alder.example:8443/portal.evil", False),
        ("https://alder.example:8443/Portal", False),
        ("https://alder.example:8443/", False),
        ("https://alder.example/portal", False),
        ("https://jobs.alder.example:8443/", False),
        ("https://jobs.alder.example.evil.example/", False),
        ("https://evil.example/https://jobs.alder.example/", False),
        ("https://evil.example/?https://jobs.alder.example/", False),
        ("https://evil.example/#https://jobs.alder.example/", False),
        ("https://x.jobs.alder.example/", False),
        ("https://alder.example/", False),
        ("https://jоbs.alder.example/", False),  # a Cyrillic о
    ],
)
def test_return_url_is_allowed_at_and_below_an_entry_only(text: str, is_allowed: bool) -> None:
    expected = canonical(text, allows_loopback=False) if is_allowed else ""
    assert allowed(text, [SITE, FOLDER], allows_loopback=False) == expected
    assert not allowed(text, [], allows_loopback=False)


@pytest.mark.parametrize("text", ["https://jobs.alder.example/?a", "https://jobs.alder.example/#a"])
def test_entry_is_a_site_or_a_folder(text: str) -> None:
    with pytest.raises(InvalidReturnUrl):
        canonical_prefix(text, allows_loopback=False)


def test_plain_http_is_taken_of_this_machine_where_it_is_allowed() -> None:
    entry = "http://localhost:3000/"
    assert allowed(entry, [entry], allows_loopback=True)
    assert not allowed(entry, [entry], allows_loopback=False)


def test_host_is_shown_as_people_read_it() -> None:
    assert shown_host("https://xn--mller-kva.example:8443/x") == "müller.example:8443"
    assert shown_host("http://[::1]:3000/") == "[::1]:3000"
