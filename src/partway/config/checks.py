"""System checks that refuse unsafe settings; each has an id, as partway.E001.

Some hold for every installation, most only for one that others can reach: it is marked live, or its address is not a
loopback address.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from email.utils import parseaddr
from ipaddress import ip_network
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from partway.gateways.registry import GATEWAYS
from partway.lib.email_addresses import InvalidAddress, ascii_address

_ORIGIN = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?", re.ASCII)
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}

_MIN_KEY_LENGTH = 32
# Of 32 random characters at least so many differ, in practice always: of hexadecimal digits fourteen on average.
_MIN_KEY_CHARACTERS = 10
_EXAMPLE_KEYS = ("django-insecure", "changeme", "change-me", "secret", "password", "example", "partway")

_MIN_TOKEN_LENGTH = 16
_MAX_PROXIES = 10
# A limit above this is no limit, and one below 1 lets no request through.
_LIMITS = {
    "PARTWAY_SIGNIN_FAILURES": 20,
    "PARTWAY_SIGNIN_LOCKOUT_MINUTES": 24 * 60,
    "PARTWAY_CHECKOUTS_PER_LINK": 100,
    "PARTWAY_CHECKOUTS_PER_IP": 1_000,
    "PARTWAY_MAILS_PER_LINK": 100,
    "PARTWAY_MAILS_PER_MEMBER": 5_000,
    "PARTWAY_MAILS_PER_ORGANIZATION": 50_000,
    "PARTWAY_API_CALLS_PER_MINUTE": 6_000,
}
# Mails are dropped, or printed with the links in them.
_UNSENT = ("anymail.backends.test.", "anymail.backends.console.", "django.core.mail.backends.")
_NETWORK_FILE_SYSTEMS = ("nfs", "cifs", "smb", "9p", "fuse.sshfs", "glusterfs", "ceph", "lustre", "afs")


# Of libpq: the server may choose to speak without TLS.
_PLAIN_SSL_MODES = {"disable", "allow", "prefer"}


def _is_exposed() -> bool:
    return settings.PARTWAY_LIVE or urlsplit(settings.PARTWAY_URL).hostname not in _LOOPBACK


@register("partway")
def check_secret_key(**_: Any) -> list[CheckMessage]:
    """E001: payment links and gateway credentials are only as safe as the secret keys."""
    found: list[CheckMessage] = []
    for name, keys in (
        ("PARTWAY_SECRET_KEY", [settings.PARTWAY_SECRET_KEY]),
        # A token under a fallback key is valid too.
        ("A key of PARTWAY_SECRET_KEY_FALLBACKS", settings.SECRET_KEY_FALLBACKS),
    ):
        for key in keys:
            if len(key) < _MIN_KEY_LENGTH:
                hint = f"Use at least {_MIN_KEY_LENGTH} random characters."
                found.append(Error(f"{name} is too short.", hint=hint, id="partway.E001"))
            elif _is_exposed() and _is_guessable(key):
                hint = "Let Partway make one (unset it), or run `openssl rand -base64 48`."
                found.append(Error(f"{name} can be guessed.", hint=hint, id="partway.E001"))
    return found


def _is_guessable(key: str) -> bool:
    """Whether the key has few different characters, repeats itself, counts up, or is an example."""
    lowered = key.lower()
    steps = [ord(later) - ord(earlier) for earlier, later in pairwise(key)]
    return (
        len(set(key)) < _MIN_KEY_CHARACTERS
        or key in (key + key)[1:-1]
        or max(steps.count(1), steps.count(-1)) > len(steps) / 2
        or any(lowered.startswith(example) for example in _EXAMPLE_KEYS)
    )


@register("partway")
def check_live_url(**_: Any) -> list[CheckMessage]:
    """E002: a live installation must be reached by HTTPS."""
    if not settings.PARTWAY_LIVE or settings.PARTWAY_URL.startswith("https://"):
        return []
    hint = "Set PARTWAY_URL to the https address customers use."
    return [Error("PARTWAY_LIVE is on, but PARTWAY_URL is not https.", hint=hint, id="partway.E002")]


@register("partway")
def check_open_url(**_: Any) -> list[CheckMessage]:
    """E003: the address is an origin and nothing more; plain HTTP is allowed on loopback addresses only."""
    url = urlsplit(settings.PARTWAY_URL)
    if not _ORIGIN.fullmatch(settings.PARTWAY_URL):
        hint = "Write scheme, host and port only, like https://pay.example.com."
        return [Error("PARTWAY_URL is not the address of a web server.", hint=hint, id="partway.E003")]
    if url.scheme == "https" or url.hostname in _LOOPBACK:
        return []
    hint = "Put a TLS proxy in front and set PARTWAY_URL to its https address."
    return [Error("PARTWAY_URL is plain http on an address others can reach.", hint=hint, id="partway.E003")]


@register("partway")
def check_proxy(**_: Any) -> list[CheckMessage]:
    """E004: Partway itself serves plain HTTP, so an https address needs a trusted proxy in front, and not many."""
    proxies = settings.PARTWAY_TRUSTED_PROXIES
    if not 0 <= proxies <= _MAX_PROXIES:
        message = f"PARTWAY_TRUSTED_PROXIES is {proxies}: browsers would name their own address."
        return [
            Error(message, hint="Set it to how many proxies of yours pass a request on.", id="partway.E004")
        ]
    if not settings.PARTWAY_URL.startswith("https://") or proxies > 0:
        return []
    hint = "Set PARTWAY_TRUSTED_PROXIES to how many proxies of yours pass a request on, usually 1."
    return [Error("PARTWAY_URL is https, but no proxy is trusted.", hint=hint, id="partway.E004")]


@register("partway")
def check_test_mode(**_: Any) -> list[CheckMessage]:
    """E005: what makes tests fast or errors long is not for an installation that others can reach."""
    found: list[CheckMessage] = []
    if _is_exposed() and settings.PARTWAY_FAST_PASSWORD_HASH:
        message = "PARTWAY_FAST_PASSWORD_HASH is on: passwords are stored with a weak hash."
        found.append(Error(message, hint="Unset PARTWAY_FAST_PASSWORD_HASH.", id="partway.E005"))
    if _is_exposed() and settings.DEBUG:
        found.append(Error("DEBUG is on: error pages show settings and data.", id="partway.E005"))
    return found


@register("partway")
def check_hosts(**_: Any) -> list[CheckMessage]:
    """E006: links and redirects are made for known host names only."""
    # ".example.com" stands for every host of a domain; "." or ".com" for those of other people.
    wide = [
        name for name in settings.ALLOWED_HOSTS if name == "*" or (name[:1] == "." and name.count(".") < 2)
    ]
    if not wide or not _is_exposed():
        return []
    message = f"PARTWAY_ALLOWED_HOSTS has {wide[0]!r}: every host name would be accepted."
    return [Error(message, hint="List the host names, with commas.", id="partway.E006")]


@register("partway")
def check_mail(**_: Any) -> list[CheckMessage]:
    """E007: mails carry payment links; their password does not travel in the clear, and they leave the machine."""
    found: list[CheckMessage] = []
    if not _is_exposed():
        return found
    backend = settings.EMAIL_BACKEND
    is_plain = backend.endswith("SmtpBackend") and not (settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL)
    if is_plain and settings.EMAIL_HOST_PASSWORD and settings.EMAIL_HOST not in _LOOPBACK:
        message = "EMAIL_URL sends its password in the clear."
        hint = "Use smtp+tls:// (STARTTLS) or smtp+ssl://."
        found.append(Error(message, hint=hint, id="partway.E007"))
    if settings.PARTWAY_LIVE and settings.PARTWAY_MAIL_TO_FILES:
        message = "PARTWAY_LIVE is on, but no mail leaves: they are kept as files, with their links."
        hint = "Set EMAIL_URL or PARTWAY_MAIL_BACKEND."
        found.append(Error(message, hint=hint, id="partway.E007"))
    if backend.startswith(_UNSENT):
        message = f"PARTWAY_MAIL_BACKEND is {backend}, which sends nothing."
        found.append(Error(message, hint="Name the backend of a mail service.", id="partway.E007"))
    return found


@register("partway")
def check_mail_sender(**_: Any) -> list[CheckMessage]:
    """E014: the settings of mail hold what can be sent, or every mail would fail long after the start."""
    found: list[CheckMessage] = []
    if settings.PARTWAY_MAIL_FROM:
        try:
            ascii_address(parseaddr(settings.PARTWAY_MAIL_FROM)[1])
        except InvalidAddress:
            message = f"PARTWAY_MAIL_FROM is {settings.PARTWAY_MAIL_FROM!r}, which is no mail address."
            hint = "Write it like billing@example.com, with plain letters before the @."
            found.append(Error(message, hint=hint, id="partway.E014"))
    # Python's SMTP client encodes both in ASCII.
    if not f"{settings.EMAIL_HOST_USER}{settings.EMAIL_HOST_PASSWORD}".isascii():
        message = "EMAIL_URL has a user name or password with other characters than ASCII."
        hint = "Give the mail account a password of plain letters, digits and marks."
        found.append(Error(message, hint=hint, id="partway.E014"))
    return found


@register("partway")
def check_gateway_urls(**_: Any) -> list[CheckMessage]:
    """E008: a live installation reaches its gateways by HTTPS, and no test gateway at all."""
    if not settings.PARTWAY_LIVE:
        return []
    found: list[CheckMessage] = []
    for code, gateway in GATEWAYS.items():
        name, url = f"PARTWAY_{code.upper()}_URL", settings.PARTWAY_GATEWAY_URLS[code]
        if not gateway.moves_money and url != gateway.default_url:
            message = f"PARTWAY_LIVE is on, but {name} names a gateway that moves no money."
            found.append(Error(message, hint=f"Unset {name}.", id="partway.E008"))
        if gateway.moves_money and not url.startswith("https://"):
            found.append(Error(f"PARTWAY_LIVE is on, but {name} is not https.", id="partway.E008"))
    return found


@register("partway")
def check_proxy_networks(**_: Any) -> list[CheckMessage]:
    """E013: the proxies whose headers are believed are in networks of one's own."""
    return [
        Error(message, hint="Write it like 10.0.0.0/8.", id="partway.E013")
        for message in _network_errors("PARTWAY_PROXY_NETWORKS", "every caller could name an address")
    ]


@register("partway")
def check_webhook_networks(**_: Any) -> list[CheckMessage]:
    """E015: the networks that webhooks may reach are networks, and not all of them."""
    return [
        Error(message, hint="Write it like 10.0.0.0/8.", id="partway.E015")
        for message in _network_errors("PARTWAY_WEBHOOK_ALLOW_NETWORKS", "webhooks could reach every address")
    ]


def _network_errors(name: str, danger: str) -> Iterator[str]:
    """Yields what is wrong with a setting that lists networks."""
    for text in getattr(settings, name):
        try:
            network = ip_network(text.strip(), strict=False)
        except ValueError:
            yield f"{name} has {text!r}, which is no network."
            continue
        if network.prefixlen == 0 and _is_exposed():
            yield f"{name} has {text!r}: {danger}."


@register("partway")
def check_metrics(**_: Any) -> list[CheckMessage]:
    """E009: metrics are for a token that cannot be guessed, and for networks of one's own."""
    found: list[CheckMessage] = []
    if 0 < len(settings.PARTWAY_METRICS_TOKEN) < _MIN_TOKEN_LENGTH:
        hint = f"Use at least {_MIN_TOKEN_LENGTH} random characters."
        found.append(Error("PARTWAY_METRICS_TOKEN is too short.", hint=hint, id="partway.E009"))
    found += [
        Error(message, hint="Write it like 10.0.0.0/8, or set PARTWAY_METRICS_TOKEN.", id="partway.E009")
        for message in _network_errors("PARTWAY_METRICS_NETWORKS", "every network could read the metrics")
    ]
    return found


@register("partway")
def check_limits(**_: Any) -> list[CheckMessage]:
    """E010: a limit can be changed, and not switched off."""
    if not _is_exposed():
        return []
    hint = "Choose a value of an order that a person or a business needs."
    return [
        Error(
            f"{name} is {getattr(settings, name)}: at least 1, at most {most}.", hint=hint, id="partway.E010"
        )
        for name, most in _LIMITS.items()
        if not 1 <= getattr(settings, name) <= most
    ]


@register("partway")
def check_database_encryption(**_: Any) -> list[CheckMessage]:
    """E012: names, amounts and the password of a PostgreSQL do not cross a network in the clear."""
    database = settings.DATABASES["default"]
    host = str(database.get("HOST") or "")
    is_remote = host.strip("[]") not in {"", *_LOOPBACK} and not host.startswith(("/", "@", "%2F", "%2f"))
    # Unset, libpq takes what the server seems to offer, which an attacker in between can decide.
    mode = database.get("OPTIONS", {}).get("sslmode") or os.environ.get("PGSSLMODE") or "prefer"
    if "sqlite" in database["ENGINE"] or not is_remote or not _is_exposed() or mode not in _PLAIN_SSL_MODES:
        return []
    message = f"DATABASE_URL names another machine, {host}, and sslmode is {mode}: it may be read on the way."
    hint = "Add ?sslmode=verify-full to DATABASE_URL, or ?sslmode=require where the server's certificate is its own."
    return [Error(message, hint=hint, id="partway.E012")]


@register("partway")
def check_sqlite_file(**_: Any) -> list[CheckMessage]:
    """E011: SQLite's locks and its write-ahead log do not work on the file system of another machine."""
    database = settings.DATABASES["default"]
    if "sqlite" not in database["ENGINE"]:
        return []
    name = str(database["NAME"])
    if _is_exposed() and (":memory:" in name or "mode=memory" in name):
        message = "DATABASE_URL is a database in memory: it is lost with the process."
        return [Error(message, hint="Name a file, or a PostgreSQL.", id="partway.E011")]
    # The innermost mount that the file is below; nothing where the machine lists none.
    mounts = sorted(_mounts(), key=lambda mount: len(mount[0]), reverse=True)
    file = Path(name).absolute()
    kind = next((kind for point, kind in mounts if file.is_relative_to(point)), "")
    if not kind.startswith(_NETWORK_FILE_SYSTEMS):
        return []
    message = f"The SQLite file {name} is on a network file system ({kind}), where it gets damaged."
    return [Error(message, hint="Put it on a local disk, or use PostgreSQL.", id="partway.E011")]


def _mounts() -> Iterator[tuple[str, str]]:
    try:
        lines = Path("/proc/mounts").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, point, kind, *_ = line.split(" ")
        yield point.replace("\\040", " "), kind
