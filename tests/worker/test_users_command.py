"""`partway users`: the operator helps a user who lost phone and recovery codes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command

from partway.accounts import rate_limits
from partway.accounts.rate_limits import Limit, Window
from partway.billing.models import Event, Mail
from partway.lib.clock import now
from tests.support import personas, totp_codes

pytestmark = pytest.mark.django_db


def test_disable_two_factor_command_removes_second_factor_and_records_event(
    capsys: pytest.CaptureFixture[str],
) -> None:
    team = personas.alder()
    totp_codes.enable_two_factor(team.alice.user)
    call_command("users", "disable_two_factor", "--email", "Alice@alder.example")
    assert not Authenticator.objects.exists()
    assert Event.objects.get(type="member.two_factor_reset").actor_kind == "operator"
    assert Mail.objects.get().to == ["alice@alder.example"]
    assert "password alone" in capsys.readouterr().out


def test_disable_two_factor_command_without_second_factor_changes_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    personas.alder()
    call_command("users", "disable_two_factor", "--email", "alice@alder.example")
    assert "has no second factor" in capsys.readouterr().out
    assert not Event.objects.exists()


def test_disable_two_factor_command_refuses_unknown_email() -> None:
    with pytest.raises(CommandError, match="No user signs in as"):
        call_command("users", "disable_two_factor", "--email", "nobody@alder.example")


def test_unlock_forgets_failures_of_account_from_anywhere() -> None:
    alice = personas.alder().alice.user
    limit = Limit("password.account", Window(1, timedelta(hours=1)))
    rate_limits.consume({limit: alice.email}, now=now())
    call_command("users", "unlock", email=alice.email)
    rate_limits.check({limit: alice.email}, now=now())
