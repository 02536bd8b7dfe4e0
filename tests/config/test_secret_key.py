"""The secret key file is created once, and readable by its user only."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from partway.config.secret_key import secret_key


def test_secret_key_is_created_once(tmp_path: Path) -> None:
    made = secret_key(tmp_path / "home")
    assert len(made) >= 32
    assert secret_key(tmp_path / "home") == made


def test_secret_key_file_is_readable_by_owner_only(tmp_path: Path) -> None:
    secret_key(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]
    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600


def test_existing_secret_key_file_is_used(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text("a key of the operator\n")
    assert secret_key(tmp_path) == "a key of the operator"


def test_concurrent_starts_share_one_secret_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(secret_key, [tmp_path] * 8))
    assert len(keys) == 1
