"""A request body above the limit is refused before it is read."""

from __future__ import annotations

import pytest
from django.test import Client

from partway.config.limits import MAX_BYTES


@pytest.mark.django_db
@pytest.mark.parametrize(("announced", "status"), [(str(MAX_BYTES + 1), 413), ("x", 413), ("0", 200)])
def test_request_body_limit_uses_content_length(announced: str, status: int) -> None:
    assert Client().generic("GET", "/signin/", CONTENT_LENGTH=announced).status_code == status
