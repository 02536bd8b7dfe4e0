"""Passwords and the links with which they are set; each link dies with the password it replaces."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import PasswordResetTokenGenerator, default_token_generator
from django.core.exceptions import ValidationError
from django.utils.encoding import force_bytes
from django.utils.http import base36_to_int, urlsafe_base64_decode, urlsafe_base64_encode

from .models import User

RESET_LINK_LIFETIME = timedelta(hours=2)


class ResetTokenGenerator(PasswordResetTokenGenerator):
    """Tokens of forgotten passwords: short-lived, and under a salt of their own, so that none opens a welcome link."""

    key_salt = "partway.accounts.passwords.reset"

    def check_token(self, user: User | None, token: str | None) -> bool:
        """Whether the token was made for this user as they are now, lately."""
        return bool(user and token) and super().check_token(user, token) and self._is_young(str(token))

    def _is_young(self, token: str) -> bool:
        made = base36_to_int(token.partition("-")[0])
        return self._num_seconds(self._now()) - made <= RESET_LINK_LIFETIME.total_seconds()


reset_tokens = ResetTokenGenerator()


def welcome_link_parts(user: User) -> tuple[str, str]:
    """(who, token) of the link with which a new user sets their first password."""
    return urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)


def user_from_welcome_link(uid: str, token: str) -> User | None:
    """Whom a welcome link is for; None when it is dead, or when they have a password by now."""
    try:
        user = User.objects.filter(pk=urlsafe_base64_decode(uid).decode(), is_active=True).first()
    except ValueError:
        return None
    fits = user is not None and default_token_generator.check_token(user, token)
    return user if user and fits and not user.has_usable_password() else None


def password_error(password: str, user: User) -> str:
    """What is wrong with a password, in words; empty when it will do."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        return str(error.messages[0])
    return ""


def set_password(user: User, password: str) -> None:
    """Set a password; every link and every session of the old one ends."""
    user.set_password(password)
    user.save(update_fields=["password"])
