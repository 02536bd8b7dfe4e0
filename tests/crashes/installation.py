"""An installation whose processes can be killed at a failpoint, with a gateway and a mail server."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest
from django.db.models import F
from django.test import override_settings

from partway.billing.models import Callback, GatewayCall, Import, Mail, Payment, Refund, WebhookDelivery
from partway.worker.supervisor import Supervisor, SupervisorConfig, free_port
from tests.gateways.stripe_server.client import StandIn
from tests.support import incremental_verify
from tests.support.crash_app.kill_at_failpoint import KillSwitch
from tests.support.databases import database_url
from tests.support.gateway_driver import GatewayDriver
from tests.support.sandbox_server import TIMEOUT_SECONDS, SandboxServer, wait_until
from tests.support.stripe_driver import StripeDriver

from .forked_supervisor import ForkedSupervisor
from .mail_server import MailServer, running_mail_server

COMMIT = ("before commit", "after commit")


@dataclass(frozen=True)
class KillPoint:
    """The failpoint at which an act is killed; without one, the act must pass exactly these failpoints."""

    passed: tuple[str, ...]
    kills: bool = True


def kill_at_each_failpoint(*names: str) -> pytest.MarkDecorator:
    """Runs a test with a kill at each failpoint of its act, and once without, to check that the list is complete."""
    failpoints = [
        KillPoint(names, kills=False),
        *(KillPoint(names[:number]) for number in range(1, len(names) + 1)),
    ]
    ids = ["nowhere", *(f"{number} {name}" for number, name in enumerate(names, start=1))]
    return pytest.mark.parametrize("kill_point", failpoints, ids=ids)


class Installation:
    """The running processes, the gateway and the mail server; `connect` opens an account at the gateway."""

    def __init__(
        self, supervisor: Supervisor, connect: Callable[..., GatewayDriver], mail_server: MailServer
    ) -> None:
        self.supervisor = supervisor
        self.connect = connect
        self.mail_server = mail_server
        self._kill_switch = KillSwitch(supervisor.config.home)

    @contextmanager
    def killed_at(
        self, kill_point: KillPoint, act: str, *, meanwhile: Callable[[], object] = lambda: None
    ) -> Iterator[None]:
        """Kills the process of `act`, which the block triggers, at the failpoint, and restarts it minutes later."""
        self._kill_switch.set(act, kill_at=len(kill_point.passed) if kill_point.kills else 0)
        with suppress(httpx.TransportError) if kill_point.kills else nullcontext():
            yield
        if kill_point.kills:
            self._restart_after_kill("worker" if act.startswith("job ") else "web", meanwhile)
        else:
            wait_until(self._kill_switch.is_finished)
            meanwhile()
        assert self._kill_switch.passed() == kill_point.passed, self._kill_switch.passed()

    def _restart_after_kill(self, process: str, meanwhile: Callable[[], object]) -> None:
        died_of = self.supervisor.processes[process].wait(TIMEOUT_SECONDS)
        differences = incremental_verify.differences()
        meanwhile()
        advance_three_minutes()
        {"web": self.supervisor.start_web, "worker": self.supervisor.start_worker}[process]()
        assert (died_of, differences) == (-signal.SIGKILL, []), (died_of, differences)


def advance_three_minutes() -> None:
    """Moves everything that is scheduled three minutes forward."""
    by = timedelta(minutes=3)
    GatewayCall.objects.update(started_at=F("started_at") - by, repeated_at=F("repeated_at") - by)
    Payment.objects.unsettled().update(next_refresh_at=F("next_refresh_at") - by)
    Refund.objects.pending().update(next_refresh_at=F("next_refresh_at") - by)
    Callback.objects.filter(status="pending").update(next_attempt_at=F("next_attempt_at") - by)
    Import.objects.exclude(next_attempt_at=None).update(next_attempt_at=F("next_attempt_at") - by)
    Mail.objects.filter(status="queued").update(next_attempt_at=F("next_attempt_at") - by)
    WebhookDelivery.objects.filter(status="pending").update(next_attempt_at=F("next_attempt_at") - by)


@contextmanager
def running_installation(home: Path, stand_in: StandIn | None) -> Iterator[Installation]:
    """Starts an installation on the database of the tests, with the same URLs in this process.

    Its gateway is the stand-in for Stripe, or without one the sandbox.
    """
    with ExitStack() as stack:
        mail_server = stack.enter_context(running_mail_server())
        config = SupervisorConfig(home, free_port(), free_port(), database_url())
        environment = {
            "DJANGO_SETTINGS_MODULE": "tests.support.crash_app.settings",
            "EMAIL_URL": mail_server.url,
            "PARTWAY_WEBHOOK_ALLOW_NETWORKS": "127.0.0.1",
            "PARTWAY_CHECKOUTS_PER_IP": "1000",  # all customers have the same address
            "PARTWAY_MAILS_PER_MEMBER": "100000",  # and one member does everything
            "PARTWAY_MAILS_PER_ORGANIZATION": "100000",
            **({"PARTWAY_STRIPE_URL": stand_in.url} if stand_in else {}),
        }
        supervisor = stack.enter_context(ForkedSupervisor(config, environment))
        gateway = ("stripe", stand_in.url) if stand_in else ("sandbox", config.sandbox_url)
        stack.enter_context(
            override_settings(
                PARTWAY_URL=config.url,
                PARTWAY_GATEWAY_URLS=dict([gateway]),
                PARTWAY_WEBHOOK_ALLOW_NETWORKS=["127.0.0.1"],
            )
        )
        connect: Callable[..., GatewayDriver]
        if stand_in:
            connect = partial(StripeDriver.connect, stand_in, None)
        else:
            supervisor.start_sandbox()
            process = supervisor.processes["sandbox"]
            sandbox_server = SandboxServer(home / "sandbox", config.sandbox_port, process)
            stack.callback(sandbox_server.client.close)
            connect = partial(GatewayDriver.connect, sandbox_server, None)
        supervisor.start_web()
        supervisor.start_worker()
        yield Installation(supervisor, connect, mail_server)
