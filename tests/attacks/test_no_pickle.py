"""Nothing is unpickled: a row, a file or a cache entry of an attacker's making would run code in the web server."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.sessions.serializers import JSONSerializer
from django.core import signing
from django.db import connection
from django.test import Client

import partway
from partway.config.sessions import SessionStore
from tests.support import personas

# Modules that make objects of bytes, or pass objects to other processes as such bytes.
_UNPICKLERS = re.compile(
    r"^\s*(?:import|from) +(?:pickle|dill|joblib|marshal|multiprocessing|shelve|yaml)\b", re.MULTILINE
)
# A logo is decoded as a picture and encoded anew, a file to import read as a table; a sort key is only compared.
_BYTES = {"accounts_logo.content", "billing_import.content"}


def test_no_cache_is_unpickled() -> None:
    # Every cache of Django that keeps something pickles it.
    assert {cache["BACKEND"] for cache in settings.CACHES.values()} == {
        "django.core.cache.backends.dummy.DummyCache"
    }


def test_session_is_stored_as_signed_json(db: None) -> None:
    browser = Client()
    browser.force_login(personas.alder().alice.user)
    row = SessionStore.get_model_class().objects.get()
    stored = signing.loads(row.session_data, salt=SessionStore().key_salt, serializer=JSONSerializer)
    assert stored == dict(browser.session.items())


def test_no_module_imports_an_unpickler() -> None:
    sources = sorted(Path(partway.__file__).parent.rglob("*.py"))
    assert len(sources) > 200
    assert not [path.name for path in sources if _UNPICKLERS.search(path.read_text())]


@pytest.mark.django_db
def test_no_table_holds_bytes_that_could_be_pickles() -> None:
    columns = {
        f"{model._meta.db_table}.{field.column}"
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.get_internal_type() == "BinaryField" and not field.column.endswith("_key")
    }
    assert columns == _BYTES
    # The table of the former cache ran code when it was read.
    assert "partway_cache" not in connection.introspection.table_names()
