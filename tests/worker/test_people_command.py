"""`partway people`: the operator helps somebody in who lost phone and recovery codes."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command

from partway.billing.models import Event, Mail
from tests.support import personas, totp_codes

pytestmark = pytest.mark.django_db


def test_the_second_factor_is_taken_away_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    team = personas.alder()
    totp_codes.enable_two_factor(team.alice.user)
    call_command("people", "disable_two_factor", "--email", "Alice@alder.example")
    assert not Authenticator.objects.exists()
    assert Event.objects.get(type="member.two_factor_reset").actor_kind == "operator"
    assert Mail.objects.get().to == ["alice@alder.example"]
    assert "password alone" in capsys.readouterr().out


def test_who_has_none_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    personas.alder()
    call_command("people", "disable_two_factor", "--email", "alice@alder.example")
    assert "has no second factor" in capsys.readouterr().out
    assert not Event.objects.exists()


def test_an_unknown_address_is_said() -> None:
    with pytest.raises(CommandError, match="Nobody signs in as"):
        call_command("people", "disable_two_factor", "--email", "nobody@alder.example")
