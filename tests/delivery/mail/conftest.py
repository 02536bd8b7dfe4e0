"""A mail server that runs for the test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.support.smtp_server import SmtpServer, running_smtp_server


@pytest.fixture
def smtp_server(settings: Settings) -> Iterator[SmtpServer]:
    """The server that mails go to."""
    with running_smtp_server(settings) as smtp_server:
        yield smtp_server
