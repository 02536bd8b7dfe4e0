"""Builds a large organization fast: three years of invoices as plain rows, with the facts billing would have recorded.

The history of each invoice is generated forward in time and stops at the present, so the states are distributed as in
real use: old invoices are mostly paid, new ones are open, a few customers never pay. Sends no mail, calls no gateway.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from django.db import transaction

from partway.accounts.models import GatewayAccount, Organization, Role
from partway.billing import events
from partway.billing.events import OPERATOR
from partway.billing.people import organizations
from partway.billing.people.members import NewUser
from partway.billing.people.organizations import Profile
from partway.gateways.registry import DEMO_GATEWAY, GATEWAYS

from .invoice_history import InvoiceHistory
from .tables import Seed

__all__ = ["OWNER", "build"]

OWNER = "olivia@seed.example"

_PERIOD = timedelta(days=3 * 365)
_INVOICES_PER_CUSTOMER = 12
_BATCH = 2_000  # invoices in a transaction

_FIRST = "Ada Ben Carla Dmitri Elif Farid Grace Hugo Ines Jonas Kenji Layla Marta Nils Olga Pablo Quinn Rosa"
_LAST = (
    "Abbott Berg Castillo Dubois Eriksen Feld Garcia Hoffman Ito Jensen Kowalski Lindqvist Moreau Novak Okafor "
    "Petrov Quintero Reyes Sato Tanaka Ueda Vargas Whitfield Young Zamora"
)
_TRADES = (
    "Bakery Catering Clinic Dental Estates Foods Gallery Holdings Hotel Logistics Motors Partners School"
)


def build(*, invoices: int, now: datetime, rng: Random) -> Organization:
    """Builds an organization with that many invoices, in which `partway verify` finds no difference."""
    seed = _start(now, rng)
    for number in range(max(1, invoices // _INVOICES_PER_CUSTOMER)):
        _add_customer(seed, number)
    # Evenly over the period, the last one an hour ago.
    first, span = now - _PERIOD, _PERIOD - timedelta(hours=1)
    for number in range(invoices):
        InvoiceHistory(seed, first + span * number / max(1, invoices - 1)).generate()
        if (number + 1) % _BATCH == 0:
            _write(seed)
    _write(seed)
    return seed.organization


@transaction.atomic
def _write(seed: Seed) -> None:
    seed.tables.write()
    seed.organization.next_invoice_number = seed.numbered + 1
    seed.organization.save(update_fields=["next_invoice_number"])


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
    member = organization.members.select_related("user").get(role=Role.OWNER)
    # The gateway does not know this account, so it is never reconciled.
    never = datetime(9999, 1, 1, tzinfo=UTC)
    account = GatewayAccount(
        organization=organization,
        gateway=DEMO_GATEWAY,
        checked_at=began,
        reconcile_at=never,
        payouts_due_at=never,
    )
    account.credentials = dict(GATEWAYS[DEMO_GATEWAY].sample_credentials)
    account.save(force_insert=True)
    # The operator, who runs the seed, approves it where that is needed; that switches payments on.
    organizations.set_payments_allowed(organization, allowed=True, by=OPERATOR, now=began)
    return Seed(organization, account, events.member_actor(member), now, rng)


def _add_customer(seed: Seed, number: int) -> None:
    at = seed.now - _PERIOD
    if number % 3 == 0:
        initial = seed.rng.choice("ABCDEFGHJKLMNPRSTVW")
        name = f"{seed.rng.choice(_FIRST.split())} {initial}. {seed.rng.choice(_LAST.split())}"
    else:
        first, second = seed.rng.sample(_LAST.split(), 2)
        name = f"{first} & {second} {seed.rng.choice(_TRADES.split())}"
    seed.add_customer(name, f"{name.split()[-1]}{number}@customer.example".lower(), at)
