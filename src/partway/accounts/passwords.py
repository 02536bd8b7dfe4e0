"""Passwords and the links by which they are set; a link stops working when the password changes."""

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
    """Tokens for forgotten passwords: valid for two hours; their own salt keeps them from opening welcome links."""

    key_salt = "partway.accounts.passwords.reset"

    def check_token(self, user: User | None, token: str | None) -> bool:
        """Returns whether the token is for this user with the current password, and not older than two hours."""
        if not token or not super().check_token(user, token):
            return False
        created_at = base36_to_int(token.partition("-")[0])
        return self._num_seconds(self._now()) - created_at <= RESET_LINK_LIFETIME.total_seconds()


reset_tokens = ResetTokenGenerator()


def welcome_link_parts(user: User) -> tuple[str, str]:
    """Returns (uid, token) of the link by which a new user sets their first password."""
    return urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)


def user_from_welcome_link(uid: str, token: str) -> User | None:
    """Returns the user of a welcome link; None when it is not valid or the user has a password already."""
    try:
        user = User.objects.filter(pk=urlsafe_base64_decode(uid).decode(), is_active=True).first()
    except ValueError:
        return None
    if user is None or user.has_usable_password() or not default_token_generator.check_token(user, token):
        return None
    return user


def password_error(password: str, user: User) -> ValidationError | None:
    """Returns the first objection of Django's password validators, with its code and params, or None."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        first: ValidationError = error.error_list[0]
        return first
    return None


def set_password(user: User, password: str) -> None:
    """Sets a password, which ends every link and session of the old one."""
    user.set_password(password)
    user.save(update_fields=["password"])
