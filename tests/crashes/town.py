"""A house whose processes can be killed at a stop point, with the payment company and a mail server beside it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from django.db.models import F
from django.test import override_settings

from partway.billing.models import Callback, GatewayCall, Mail, Payment
from partway.billing.verification import verify
from partway.worker.supervisor import Address, House, free_port
from tests.crashing.traps import Trap
from tests.databases import database_url
from tests.gateways.company import PATIENCE_SECONDS, Company, eventually

from .postbox import Postbox, open_postbox
from .quick import QuickHouse

COMMIT = ("before commit", "after commit")


@dataclass(frozen=True)
class Stop:
    """Where an act is killed: once it has passed these stop points; or nowhere, and these are all that it passes."""

    passed: tuple[str, ...]
    kills: bool = True


def at_each_of(*names: str) -> pytest.MarkDecorator:
    """The test once for each stop point of its act, killed there; and once not killed, to see that none is missing."""
    stops = [Stop(names, kills=False), *(Stop(names[:number]) for number in range(1, len(names) + 1))]
    ids = ["nowhere", *(f"{number} {name}" for number, name in enumerate(names, start=1))]
    return pytest.mark.parametrize("stop", stops, ids=ids)


class Town:
    """One house and its neighbors."""

    def __init__(self, house: House, company: Company, postbox: Postbox) -> None:
        self.house = house
        self.company = company
        self.postbox = postbox
        self._trap = Trap(house.address.home)

    @contextmanager
    def killing(
        self, stop: Stop, act: str, *, meanwhile: Callable[[], object] = lambda: None
    ) -> Iterator[None]:
        """The block sets off `act`, whose process is killed at the stop point and started again some minutes later."""
        self._trap.set(act, kill_at=len(stop.passed) if stop.kills else 0)
        with suppress(httpx.TransportError) if stop.kills else nullcontext():
            yield
        if stop.kills:
            self._live_through_a_death("worker" if act.startswith("job ") else "web", meanwhile)
        else:
            eventually(self._trap.is_over)
            meanwhile()
        assert self._trap.passed() == stop.passed, self._trap.passed()

    def _live_through_a_death(self, process: str, meanwhile: Callable[[], object]) -> None:
        died_of = self.house.processes[process].wait(PATIENCE_SECONDS)
        differences = [str(difference) for difference in verify()]
        meanwhile()
        minutes_pass()
        {"web": self.house.start_web, "worker": self.house.start_worker}[process]()
        assert (died_of, differences) == (-signal.SIGKILL, []), (died_of, differences)


def minutes_pass() -> None:
    """Whatever waits has waited three minutes more."""
    by = timedelta(minutes=3)
    GatewayCall.objects.update(started_at=F("started_at") - by)
    Payment.objects.unsettled().update(check_at=F("check_at") - by)
    Callback.objects.filter(status="waiting").update(try_at=F("try_at") - by)
    Mail.objects.filter(status="queued").update(try_at=F("try_at") - by)


@contextmanager
def settled_town(home: Path) -> Iterator[Town]:
    """Everybody at work on the database of the tests, and this process at home in the same house."""
    with ExitStack() as stack:
        postbox = stack.enter_context(open_postbox())
        address = Address(home, free_port(), free_port(), database_url())
        environment = {
            "DJANGO_SETTINGS_MODULE": "tests.crashing.settings",
            "EMAIL_URL": postbox.url,
            "PARTWAY_CHECKOUTS_PER_ADDRESS": "1000",  # all customers of this town come from the same one
        }
        house = stack.enter_context(QuickHouse(address, environment))
        here = override_settings(PARTWAY_URL=address.url, PARTWAY_SANDBOX_URL=address.sandbox_url)
        stack.enter_context(here)
        house.start_sandbox()
        house.start_web()
        house.start_worker()
        company = Company(home / "sandbox", address.sandbox_port, house.processes["sandbox"])
        stack.callback(company.client.close)
        yield Town(house, company, postbox)
