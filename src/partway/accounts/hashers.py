"""The password hash: Argon2, within the bulkhead that keeps a crowd of sign-ins from taking every thread."""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher

from partway.lib.bulkheads import PASSWORD_HASHES


class BoundedArgon2PasswordHasher(Argon2PasswordHasher):
    """Argon2 as Django stores it; both methods raise BulkheadFull when too many hash at once."""

    def encode(self, password: str, salt: str) -> str:
        """Returns the hash of a new password, and of any password for an account that does not exist."""
        with PASSWORD_HASHES.enter():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        """Returns whether this is the password."""
        with PASSWORD_HASHES.enter():
            return super().verify(password, encoded)
