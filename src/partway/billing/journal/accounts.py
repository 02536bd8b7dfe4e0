"""The accounts of the journal, by key, with the codes that they have where an owner chose no other.

A key is a kind, or a kind and what it is of: `transit:sandbox`, `mode:Cash`, `revenue:20`, `tax:20`, `adjustment:fee`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import F

from partway.accounts.models import GatewayAccount, Organization, default_payment_modes
from partway.accounts.permissions import Permission, needs
from partway.gateways.registry import GATEWAYS

from .. import events
from ..errors import FieldError, Invalid, Stale, field_error
from ..events import Actor
from ..models import Event, InvoiceLine, LedgerAccount, Payment, Refund
from ..models.adjustments import CHOSEN_REASONS
from ..models.payments import RECEIVED_STATUSES

RECEIVABLES = "receivables"
BANK = "bank"
DEPOSITS = "deposits"
CREDIT = "credit"
REFUNDS_UNDER_WAY = "refunds_under_way"
DISCOUNTS = "discounts"
FEES = "fees"
WRITE_OFFS = "write_offs"
LOSSES = "losses"

# The code of each kind, in the order of a balance sheet and a profit and loss account: what is owned, what is owed,
# what was earned, what was spent. A kind that is of something has it behind its code, as 4000-20, unless the code of
# that is below.
_CODES = {
    "mode": "1000",
    BANK: "1090",
    "transit": "1100",
    RECEIVABLES: "1200",
    DEPOSITS: "2000",
    CREDIT: "2010",
    REFUNDS_UNDER_WAY: "2020",
    "tax": "2200",
    "revenue": "4000",
    DISCOUNTS: "4100",
    "adjustment": "6000",
    FEES: "6050",
    WRITE_OFFS: "6100",
    LOSSES: "6200",
}
_CODES_OF = {
    **{f"mode:{mode}": f"{1000 + 10 * n}" for n, mode in enumerate(default_payment_modes(), 1)},
    **{f"transit:{gateway}": f"{1100 + n}" for n, gateway in enumerate(GATEWAYS, 1)},
    **{f"adjustment:{reason}": f"{6000 + 10 * n}" for n, reason in enumerate(CHOSEN_REASONS)},
}
_ORDER = {kind: position for position, kind in enumerate(_CODES)}
MAX_CODE_LENGTH, MAX_NAME_LENGTH = 20, 80
_DIGEST_LENGTH = 6


@dataclass(frozen=True, slots=True)
class Account:
    """An account as entries name it; `name` is empty where an owner gave it none, and the default counts."""

    key: str
    code: str
    name: str = ""

    @property
    def kind(self) -> str:
        """The part of the key that says which default name it has."""
        return self.key.partition(":")[0]

    @property
    def of(self) -> str:
        """The thing that it is of: a gateway, a payment mode, a tax rate, a reason; else empty."""
        return self.key.partition(":")[2]


def by_rate(kind: str, tax_percent: Decimal) -> str:
    """Returns the key of revenue or tax at this rate: `tax:7.7`."""
    return f"{kind}:{tax_percent.normalize():f}"


def adjustment(reason: str) -> str:
    """Returns the key of what was settled for this reason; what a lost dispute took is a loss."""
    return LOSSES if reason == "dispute" else f"adjustment:{reason}"


def in_order(keys: Iterable[str]) -> list[str]:
    """Returns the keys as a list of accounts has them; rates by size."""

    def position(key: str) -> tuple[int, Decimal, str]:
        kind, _, of = key.partition(":")
        rate = Decimal(of) if kind in ("revenue", "tax") else Decimal(0)
        return _ORDER.get(kind, len(_ORDER)), rate, of

    return sorted(keys, key=position)


class Chart(dict[str, Account]):
    """The accounts of an organization by key; one that no owner changed is made of its key."""

    def __missing__(self, key: str) -> Account:
        kind, _, of = key.partition(":")
        code = _CODES_OF.get(key, f"{_CODES[kind]}-{of}" if of else _CODES[kind])
        if len(code) > MAX_CODE_LENGTH:
            # Two long names may begin alike, so what is cut off is there as a digest.
            digest = hashlib.sha256(of.encode()).hexdigest()[:_DIGEST_LENGTH]
            code = f"{code[: MAX_CODE_LENGTH - _DIGEST_LENGTH - 1]}~{digest}"
        self[key] = Account(key, code)
        return self[key]


def chart(organization: Organization) -> Chart:
    """Returns the codes and names of all accounts."""
    stored = LedgerAccount.objects.for_organization(organization)
    return Chart({row.key: Account(row.key, row.code, row.name) for row in stored})


def known_keys(organization: Organization) -> list[str]:
    """Returns the keys of the accounts that an owner can name: of today's settings, of the books, and named before.

    A payment mode or a tax rate that is in no setting any more is on the entries of the years before.
    """
    plain = [kind for kind in _CODES if kind not in ("mode", "transit", "tax", "revenue", "adjustment")]
    lines = InvoiceLine.objects.filter(invoice__organization=organization)
    rates = {*lines.values_list("tax_percent", flat=True).distinct(), organization.default_tax_percent}
    edits = Event.objects.for_organization(organization).filter(
        type="invoice.edited", created_at__gte=F("invoice__sent_at")
    )
    for earlier in edits.values_list("data__before__lines", flat=True).distinct().iterator():
        rates |= {Decimal(line["tax_percent"]) for line in earlier or ()}
    received = Payment.objects.for_organization(organization).filter(gateway_account__isnull=True)
    given_back = Refund.objects.for_organization(organization).filter(mode="offline")
    modes = {
        *organization.payment_modes,
        *received.filter(status__in=RECEIVED_STATUSES).values_list("method", flat=True).distinct(),
        *given_back.values_list("method", flat=True).distinct(),
    }
    gateways = GatewayAccount.objects.filter(organization=organization).values_list("gateway", flat=True)
    keys = {
        *plain,
        *(f"mode:{mode}" for mode in modes),
        *(f"transit:{gateway}" for gateway in gateways),
        *(by_rate("revenue", rate) for rate in rates),
        *(by_rate("tax", rate) for rate in rates - {Decimal(0)}),
        *(adjustment(reason) for reason in CHOSEN_REASONS),
        *LedgerAccount.objects.for_organization(organization).values_list("key", flat=True),
    }
    return in_order(keys)


@needs(Permission.CONFIGURE_ACCOUNTS)
@transaction.atomic
def rename(
    organization: Organization,
    *,
    names: Mapping[str, tuple[str, str]],
    defaults: Mapping[str, str],
    by: Actor,
    now: datetime,
    initial: Mapping[str, tuple[str, str]] | None = None,
) -> None:
    """Stores code and name of each account by its key; what is empty or the default is not stored.

    defaults: the default name of each, as its page shows it. `initial` are the codes and names that the form showed:
    where another owner has changed one since, it raises Stale (DESIGN D8). Raises Invalid on `KEY.code` and `KEY.name`.
    """
    organization.lock()
    before, blank = chart(organization), Chart()
    now_stored = {key: (before[key].code, before[key].name or defaults[key]) for key in names}
    if initial is not None and any(now_stored[key] != shown for key, shown in initial.items()):
        raise Stale(reason="accounts_changed")
    typed = {
        key: (" ".join(code.split()) or blank[key].code, " ".join(name.split()) or defaults[key])
        for key, (code, name) in names.items()
    }
    if errors := _errors(typed, before):
        raise Invalid(errors)
    changed = {key: new for key, new in typed.items() if new != now_stored[key]}
    # All go before the first is written again: two accounts may have exchanged their codes.
    LedgerAccount.objects.for_organization(organization).filter(key__in=changed).delete()
    LedgerAccount.objects.bulk_create(
        LedgerAccount(organization=organization, key=key, code=code, name=name)
        for key, (code, name) in changed.items()
        if (code, name) != (blank[key].code, defaults[key])
    )
    if changed:
        accounts = {
            key: {"before": list(now_stored[key]), "after": list(new)} for key, new in changed.items()
        }
        data = {"accounts": accounts}
        events.record("organization.accounts_changed", organization, by=by, now=now, data=data)


def _errors(typed: Mapping[str, tuple[str, str]], before: Chart) -> dict[str, FieldError | str]:
    errors: dict[str, FieldError | str] = {}
    used = {account.code: key for key, account in before.items() if key not in typed}
    for key, (code, name) in typed.items():
        if len(code) > MAX_CODE_LENGTH:
            errors[f"{key}.code"] = field_error("too_many_characters", limit=MAX_CODE_LENGTH)
        elif code in used:
            errors[f"{key}.code"] = field_error("account_code_twice", taken=code)
        used.setdefault(code, key)
        if len(name) > MAX_NAME_LENGTH:
            errors[f"{key}.name"] = field_error("too_many_characters", limit=MAX_NAME_LENGTH)
    return errors
