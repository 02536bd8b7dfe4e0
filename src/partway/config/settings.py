"""The settings of Django and Partway, from the environment or with a default that is safe on one machine."""

from __future__ import annotations

import hashlib
import os
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ

from partway.config.logs import configure_logs
from partway.config.secret_key import secret_key
from partway.gateways.platform import read_platform
from partway.gateways.registry import GATEWAYS

# Before any file is created: only this user may read the database, the stored mails and the logs. Every process reads
# its settings first, also one that was not started by `partway`.
os.umask(0o077)

env = environ.Env()
PACKAGE = Path(__file__).resolve().parent.parent

# Set by the operator; docs/reference/settings.md explains each.
PARTWAY_HOME = Path(env.str("PARTWAY_HOME", default=str(Path.home() / ".partway"))).expanduser()
PARTWAY_URL = env.str("PARTWAY_URL", default="http://127.0.0.1:8000").rstrip("/")
PARTWAY_LIVE = env.bool("PARTWAY_LIVE", default=False)
PARTWAY_SECRET_KEY = env.str("PARTWAY_SECRET_KEY", default="") or secret_key(PARTWAY_HOME)
PARTWAY_SECRET_KEYS = [PARTWAY_SECRET_KEY, *env.list("PARTWAY_SECRET_KEY_FALLBACKS", default=[])]
PARTWAY_TRUSTED_PROXIES = env.int("PARTWAY_TRUSTED_PROXIES", default=0)
PARTWAY_PROXY_NETWORKS = env.list("PARTWAY_PROXY_NETWORKS", default=[])
PARTWAY_MAIL_FROM = env.str("PARTWAY_MAIL_FROM", default="")
# The address of each gateway's API, from PARTWAY_<CODE>_URL.
PARTWAY_GATEWAY_URLS = {
    code: env.str(f"PARTWAY_{code.upper()}_URL", default=gateway.default_url).rstrip("/")
    for code, gateway in GATEWAYS.items()
}
# Keys of test accounts for `partway gateways check` and `partway demo --gateway`; no organization uses them else.
PARTWAY_GATEWAY_TEST_KEYS = {
    code: env.str(f"PARTWAY_{code.upper()}_TEST_KEY", default="")
    for code, one in GATEWAYS.items()
    if one.trial
}
# The operator's own account at a gateway, by whose key organizations connect without one: PARTWAY_<CODE>_PLATFORM_….
PARTWAY_GATEWAY_PLATFORMS = {
    code: read_platform(
        env.str(f"PARTWAY_{code.upper()}_PLATFORM_KEY"),
        env.list(f"PARTWAY_{code.upper()}_PLATFORM_SECRETS", default=[]),
        env.str(f"PARTWAY_{code.upper()}_PLATFORM_FEE_PERCENT", default=""),
        env.dict(f"PARTWAY_{code.upper()}_PLATFORM_FEE_AMOUNTS", default={}),
    )
    for code, one in GATEWAYS.items()
    if one.platform and env.str(f"PARTWAY_{code.upper()}_PLATFORM_KEY", default="")
}
# Whether an organization takes online payments only once the operator has switched them on for it.
PARTWAY_PAYMENTS_NEED_APPROVAL = env.bool("PARTWAY_PAYMENTS_NEED_APPROVAL", default=False)
PARTWAY_RETURN_TO_LOOPBACK = env.bool(
    "PARTWAY_RETURN_TO_LOOPBACK", default=urlsplit(PARTWAY_URL).hostname in ("127.0.0.1", "localhost", "::1")
)
PARTWAY_GATEWAY_CALL_LEASE_SECONDS = env.float("PARTWAY_GATEWAY_CALL_LEASE_SECONDS", default=20)
# A gateway may send a callback before it responds to the request that caused it: with one thread, that would deadlock.
PARTWAY_THREADS = env.int("PARTWAY_THREADS", default=18)
# How many threads may do each of these at once, by the name of its bulkhead; together at most half (partway.E030).
PARTWAY_BULKHEADS = {
    "gateway_calls": env.int("PARTWAY_MAX_GATEWAY_CALLS", default=4),
    "password_hashes": env.int("PARTWAY_MAX_PASSWORD_HASHES", default=2),
    "pdf_documents": env.int("PARTWAY_MAX_PDF_DOCUMENTS", default=2),
    "spreadsheets": env.int("PARTWAY_MAX_SPREADSHEETS", default=1),
}
PARTWAY_BODY_SECONDS = env.float("PARTWAY_BODY_SECONDS", default=30)
PARTWAY_SIGNIN_FAILURES = env.int("PARTWAY_SIGNIN_FAILURES", default=5)
PARTWAY_SIGNIN_LOCKOUT_MINUTES = env.int("PARTWAY_SIGNIN_LOCKOUT_MINUTES", default=15)
PARTWAY_CHECKOUTS_PER_LINK = env.int("PARTWAY_CHECKOUTS_PER_LINK", default=10)
PARTWAY_CHECKOUTS_PER_IP = env.int("PARTWAY_CHECKOUTS_PER_IP", default=30)
PARTWAY_API_CALLS_PER_MINUTE = env.int("PARTWAY_API_CALLS_PER_MINUTE", default=600)
PARTWAY_METRICS_TOKEN = env.str("PARTWAY_METRICS_TOKEN", default="")
PARTWAY_METRICS_NETWORKS = env.list("PARTWAY_METRICS_NETWORKS", default=[])
PARTWAY_MAILS_PER_LINK = env.int("PARTWAY_MAILS_PER_LINK", default=10)
PARTWAY_MAILS_PER_MEMBER = env.int("PARTWAY_MAILS_PER_MEMBER", default=200)
PARTWAY_MAILS_PER_ORGANIZATION = env.int("PARTWAY_MAILS_PER_ORGANIZATION", default=1000)

# Networks that webhooks may reach although they are private: "10.0.0.0/8,127.0.0.1". Plain http is allowed there too.
PARTWAY_WEBHOOK_ALLOW_NETWORKS = env.list("PARTWAY_WEBHOOK_ALLOW_NETWORKS", default=[])
PARTWAY_WEBHOOK_RETENTION_DAYS = env.int("PARTWAY_WEBHOOK_RETENTION_DAYS", default=60)
# Writes the bodies of webhooks, which have the objects of the API: billing imports no door.
PARTWAY_WEBHOOK_PAYLOADS = "partway.api.webhook_payloads.payloads"

_url = urlsplit(PARTWAY_URL)
_https = _url.scheme == "https"

DEBUG = False
SECRET_KEY = PARTWAY_SECRET_KEY
SECRET_KEY_FALLBACKS = PARTWAY_SECRET_KEYS[1:]
ALLOWED_HOSTS = [
    _url.hostname or "127.0.0.1",
    *env.list("PARTWAY_ALLOWED_HOSTS", default=["localhost", "127.0.0.1"]),
]
CSRF_TRUSTED_ORIGINS = [PARTWAY_URL]
ROOT_URLCONF = "partway.config.urls"
WSGI_APPLICATION = "partway.config.wsgi.application"
AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "staff:home"
LOGOUT_REDIRECT_URL = "account_login"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
    "partway.accounts",
    "partway.api",
    "partway.billing",
    "partway.delivery",
    "partway.staff",
    "partway.pay",
    "partway.worker",
    "partway.config",
]
MIDDLEWARE = [
    "partway.config.proxies.ProxyHeadersMiddleware",
    "partway.config.logs.RequestLogMiddleware",
    "partway.config.headers.SecurityHeadersMiddleware",
    "partway.config.compression.CompressionMiddleware",
    "partway.api.middleware.ProblemMiddleware",
    "partway.config.limits.BodyLimitMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "partway.config.headers.NoStoreMiddleware",
    "partway.config.bulkheads.BulkheadMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]


def _database() -> dict[str, Any]:
    """Returns the database of DATABASE_URL, else an SQLite file under PARTWAY_HOME."""
    url = env.str("DATABASE_URL", default="") or f"sqlite:///{PARTWAY_HOME / 'partway.sqlite3'}"
    database: dict[str, Any] = env.db_url_config(url)
    database["CONN_MAX_AGE"] = None
    options = database.setdefault("OPTIONS", {})
    is_sqlite = "sqlite" in database["ENGINE"]
    # Django's own backends, which also write the webhooks of a transaction before its commit.
    database["ENGINE"] = f"partway.config.databases.{'sqlite3' if is_sqlite else 'postgresql'}"
    if is_sqlite:
        # IMMEDIATE: a transaction waits for the write lock at its start, and never fails half-way with "locked".
        options.update(
            transaction_mode="IMMEDIATE",
            timeout=20,
            init_command="PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        )
        database["TEST"] = {"NAME": str(PARTWAY_HOME / "test.sqlite3")}
    else:
        database["CONN_HEALTH_CHECKS"] = True
        # A client machine that dies in a transaction must not hold its locks until TCP notices.
        if timeout := env.int("PARTWAY_LOCK_TIMEOUT_SECONDS", default=20):
            limits = f"-c lock_timeout={timeout}s -c idle_in_transaction_session_timeout={3 * timeout}s"
            options.setdefault("options", limits)
        if env.bool("PARTWAY_PREPARED_STATEMENTS", default=True):
            options.update(server_side_binding=True, prepare_threshold=3)
    return database


DATABASES = {"default": _database()}
# Nothing may rely on a cache: it evicts, and Django's shared ones unpickle what they read.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}

# Mail: EMAIL_URL (SMTP), or an anymail backend by name, or files under PARTWAY_HOME that the inbox page shows.
PARTWAY_MAIL_TO_FILES = not (env.str("EMAIL_URL", default="") or env.str("PARTWAY_MAIL_BACKEND", default=""))
EMAIL_TIMEOUT = 20
if env.str("EMAIL_URL", default=""):
    vars().update(env.email_url("EMAIL_URL"))
    # Django's own backend drops refused recipients silently as long as one is accepted.
    EMAIL_BACKEND = "partway.delivery.mail.backends.SmtpBackend"
elif env.str("PARTWAY_MAIL_BACKEND", default=""):
    INSTALLED_APPS.append("anymail")  # only here: it loads a client of HTTP
    EMAIL_BACKEND = f"anymail.backends.{env.str('PARTWAY_MAIL_BACKEND')}"
    ANYMAIL = env.json("PARTWAY_ANYMAIL", default={})
else:
    EMAIL_BACKEND = "partway.delivery.mail.backends.FileBackend"

PASSWORD_HASHERS = ["partway.accounts.hashers.BoundedArgon2PasswordHasher"]
PARTWAY_FAST_PASSWORD_HASH = env.bool("PARTWAY_FAST_PASSWORD_HASH", default=False)
if PARTWAY_FAST_PASSWORD_HASH:
    # Argon2 is slow on purpose, and tests sign in hundreds of times.
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name")},
    },
]

ACCOUNT_ADAPTER = "partway.staff.signin.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # a user who came by a link of a mail has proved the address
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_FORMS = {"user_token": "partway.staff.signin.forms.TokenForm"}
ACCOUNT_RATE_LIMITS = False  # accounts/rate_limits.py counts; allauth would count in the cache
MFA_ADAPTER = "partway.staff.signin.adapter.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Partway"
MFA_TOTP_TOLERANCE = 1  # steps of 30 seconds, for clocks that differ a little

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]  # those with a catalogue
LOCALE_PATHS = [PACKAGE / "delivery" / "locale"]

_static = [PACKAGE / package / "static" for package in ("delivery", "staff", "pay")]


def _static_version() -> str:
    """Returns a digest of the static files, so that browsers can cache them forever and still get every change."""
    digest = hashlib.sha256(version("django-htmx").encode())  # which contains htmx
    for path in sorted(path for root in _static for path in root.rglob("*") if path.is_file()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:10]


STATIC_URL = f"/static/{_static_version()}/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 31_536_000

SESSION_ENGINE = "partway.config.sessions"
PARTWAY_SESSION_IDLE_SECONDS = 12 * 3600
SESSION_COOKIE_AGE = 7 * 24 * 3600  # however much it is used
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
if _https:
    # A browser takes this prefix only over https, for one host and no domain: a page of a neighbouring host name
    # cannot plant a session or a CSRF token.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
CSRF_FAILURE_VIEW = "partway.staff.kept_forms.csrf_failure"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
# Without a proxy that sets the header, no request looks encrypted and would be redirected forever (partway.E004).
SECURE_SSL_REDIRECT = _https and PARTWAY_TRUSTED_PROXIES > 0
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^metrics$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PARTWAY_TRUSTED_PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"  # no-referrer would send `Origin: null`, which the CSRF check refuses
X_FRAME_OPTIONS = "DENY"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
# Stored mails are shown in a frame of the same origin, which `default-src` allows.
SECURE_CSP = {
    "default-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "style-src": ["'self'"],
    "script-src": ["'self'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
    "base-uri": ["'none'"],
    "object-src": ["'none'"],
}

LOGGING_CONFIG = None
configure_logs(env.str("PARTWAY_LOG_LEVEL", default="info"))
