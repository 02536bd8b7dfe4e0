"""Builds a large organization fast: three years of invoices as plain rows, with the facts billing would have left.

Each invoice's story is told forward in time and stops at the present, so the states come out as they do in life:
old invoices are mostly paid, young ones wait, a few customers never pay. Nothing is mailed and no gateway is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

from django.db import transaction

from partway.accounts.models import GatewayAccount, Organization, Role
from partway.billing import events
from partway.billing.events import OPERATOR
from partway.billing.people import organizations
from partway.billing.people.members import NewUser
from partway.billing.people.organizations import Profile

from .story import InvoiceHistory
from .tables import Seed

__all__ = ["OWNER", "build"]

OWNER = "olivia@seed.example"

_PERIOD = timedelta(days=3 * 365)
_INVOICES_PER_CUSTOMER = 12
_BATCH = 2_000  # invoices a transaction

_FIRST = "Ada Ben Carla Dmitri Elif Farid Grace Hugo Ines Jonas Kenji Layla Marta Nils Olga Pablo Quinn Rosa"
_LAST = (
    "Abbott Berg Castillo Dubois Eriksen Feld Garcia Hoffman Ito Jensen Kowalski Lindqvist Moreau Novak Okafor "
    "Petrov Quintero Reyes Sato Tanaka Ueda Vargas Whitfield Young Zamora"
)
_TRADES = (
    "Bakery Catering Clinic Dental Estates Foods Gallery Holdings Hotel Logistics Motors Partners School"
)


def build(*, invoices: int, now: datetime, rng: Random) -> Organization:
    """A new organization with that many invoices; `partway verify` finds nothing wrong with it."""
    seed = _start(now, rng)
    for number in range(max(1, invoices // _INVOICES_PER_CUSTOMER)):
        _add_customer(seed, number)
    for number, at in enumerate(_moments(invoices, now), start=1):
        InvoiceHistory(seed, at).generate()
        if number % _BATCH == 0:
            _write(seed)
    _write(seed)
    return seed.organization


@transaction.atomic
def _write(seed: Seed) -> None:
    """What was told since the last time, with the numbers that it took."""
    seed.tables.write()
    seed.organization.next_invoice_number = seed.numbered + 1
    seed.organization.save(update_fields=["next_invoice_number"])


def _moments(count: int, now: datetime) -> Iterator[datetime]:
    """When each invoice is written: evenly over the period, the last one an hour ago."""
    first, span = now - _PERIOD, _PERIOD - timedelta(hours=1)
    return (first + span * position / max(1, count - 1) for position in range(count))


def _start(now: datetime, rng: Random) -> Seed:
    profile = Profile(
        name="Seedling Roofing",
        email="billing@seed.example",
        address="1 Long Acre\nBurlington, VT 05401",
        time_zone="America/New_York",
    )
    began = now - _PERIOD - timedelta(days=1)
    owner = NewUser(OWNER, "Olivia Stone")
    organization = organizations.create(profile=profile, owner=owner, by=OPERATOR, now=began)
    organizations.set_payments_enabled(organization, on=True, by=OPERATOR, now=began)
    member = organization.members.select_related("user").get(role=Role.OWNER)
    return Seed(organization, _account(organization), events.member_actor(member), now, rng)


def _account(organization: Organization) -> GatewayAccount:
    """An account of which the pretend payment company knows nothing: these books are to be read."""
    never = datetime(9999, 1, 1, tzinfo=UTC)
    account = GatewayAccount(organization=organization, gateway="sandbox", reconcile_at=never)
    account.credentials = {"api_key": "sk_sandbox_seed", "signing_secret": f"whsec_{'c2VlZHNl' * 4}"}
    account.save(force_insert=True)
    return account


def _add_customer(seed: Seed, number: int) -> None:
    at = seed.now - _PERIOD
    name = _person(seed.rng) if number % 3 == 0 else _business(seed.rng)
    customer = seed.tables.customers.add(
        organization_id=seed.organization.pk,
        name=name,
        email=f"{name.split()[-1]}{number}@customer.example".lower(),
        created_at=at,
    )
    seed.record("customer.created", at, seed.member, {}, customer_id=customer["id"])
    seed.customers.append(customer)


def _person(rng: Random) -> str:
    initial = rng.choice("ABCDEFGHJKLMNPRSTVW")
    return f"{rng.choice(_FIRST.split())} {initial}. {rng.choice(_LAST.split())}"


def _business(rng: Random) -> str:
    first, second = rng.sample(_LAST.split(), 2)
    return f"{first} & {second} {rng.choice(_TRADES.split())}"
