"""Settings of the sandbox's own process; `python -m partway.sandbox` fills the environment."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

os.umask(0o077)  # its database has API keys and signing secrets

HOME = Path(os.environ.get("PARTWAY_SANDBOX_HOME", "."))

# How long a bank debit takes to settle. Real ones take days.
SETTLE_AFTER_SECONDS = float(os.environ.get("PARTWAY_SANDBOX_SETTLE_AFTER", "5"))

# How long money waits in the balance before it is paid out; 0 for never, unless a call of the API asks for it.
PAYOUT_EVERY_SECONDS = float(os.environ.get("PARTWAY_SANDBOX_PAYOUT_EVERY", "0"))

# Nothing is signed with it: there are no sessions and no cookies here.
SECRET_KEY = secrets.token_hex()
DEBUG = False
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["partway.sandbox"]
MIDDLEWARE = ["partway.sandbox.same_origin.same_origin_posts"]
ROOT_URLCONF = "partway.sandbox.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
USE_I18N = False
TIME_ZONE = "UTC"
STATIC_URL = "/static/"

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": HOME / "sandbox.sqlite3",
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }
}

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": []},
    }
]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {"django.request": {"level": "ERROR"}, "partway": {"level": "INFO"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
