"""`partway keys` creates, lists and revokes keys."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from partway.accounts.models import ApiKey
from partway.billing.people import api_keys
from partway.lib.clock import now
from tests.support import personas

pytestmark = pytest.mark.django_db


def keys(*arguments: str) -> str:
    output = StringIO()
    call_command("keys", *arguments, stdout=output)
    return output.getvalue()


def test_keys_create_prints_the_secret_alone() -> None:
    personas.alder()
    printed = keys("create", "--organization", "alder", "--scope", "admin", "--until", "2035-01-31")
    assert printed.count("\n") == 1
    key = api_keys.authenticate(printed.strip(), ip_address=None, now=now())
    assert key is not None
    assert (key.scope, str(key.expires_at)) == ("admin", "2035-02-01 05:00:00+00:00")


def test_keys_list_and_revoke() -> None:
    personas.alder()
    keys("create", "--organization", "alder", "--scope", "read", "--name", "Job management")
    key = ApiKey.objects.get()
    assert f"{key.pk}  read     usable" in keys("list", "--organization", "alder")
    keys("revoke", key.pk)
    assert "revoked  last used never" in keys("list", "--organization", "alder")
    with pytest.raises(CommandError, match="revoked already"):
        keys("revoke", key.pk)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("create", "--organization", "elm", "--scope", "read"), "no organization elm"),
        (("create", "--organization", "alder", "--scope", "read", "--from", "here"), "networks: “here”"),
        (("create", "--organization", "alder", "--scope", "read", "--from", " "), "names no network"),
        (("create", "--organization", "alder", "--scope", "read", "--until", "9999-12-31"), "a day until"),
        (("revoke", "key_0"), "no key key_0"),
    ],
)
def test_keys_names_what_is_wrong(arguments: tuple[str, ...], message: str) -> None:
    personas.alder()
    with pytest.raises(CommandError, match=message):
        keys(*arguments)
