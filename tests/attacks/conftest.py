"""One installation for each module, of real processes on the database of the tests, which is emptied afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from partway.accounts.models import GatewayAccount, Organization
from partway.gateways.sandbox.adapter import create_account
from partway.worker.supervisor import Supervisor, SupervisorConfig, free_port
from tests.support import personas
from tests.support.databases import database_url, empty_database

BODY_SECONDS = 2


@pytest.fixture(scope="module")
def transactional_db(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Like pytest-django's fixture, but for a module: the database must not be emptied while processes use it."""
    with django_db_blocker.unblock():
        yield
        empty_database()


@pytest.fixture(scope="module")
def supervisor(transactional_db: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervisor]:
    """A running sandbox; a module starts what else it needs."""
    config = SupervisorConfig(
        tmp_path_factory.mktemp("installation"), free_port(), free_port(), database_url()
    )
    # With the real password hash, which tests otherwise replace.
    environment = {
        "PARTWAY_FAST_PASSWORD_HASH": "0",
        # One, since on a busy machine the rest of a sign-in may take longer than its hash.
        "PARTWAY_MAX_PASSWORD_HASHES": "1",
        "PARTWAY_BODY_SECONDS": str(BODY_SECONDS),
        "PARTWAY_METRICS_NETWORKS": "127.0.0.0/8",
    }
    settings = override_settings(PARTWAY_URL=config.url, PARTWAY_GATEWAY_URLS={"sandbox": config.sandbox_url})
    with Supervisor(config, environment) as supervisor, settings:
        supervisor.start_sandbox()
        yield supervisor


@pytest.fixture(scope="module")
def organization(supervisor: Supervisor) -> Organization:
    """Alder Joinery, with an account at the running sandbox."""
    made = personas.alder().organization
    account = GatewayAccount.objects.get(organization=made)
    account.credentials = create_account(
        supervisor.config.sandbox_url, made.name, f"{supervisor.config.url}/callbacks/{account.pk}/"
    )
    account.save()
    return made


@pytest.fixture
def log_directory(supervisor: Supervisor) -> Path:
    """The folder with a log of each process."""
    return supervisor.config.home / "logs"
