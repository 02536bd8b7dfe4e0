"""The base of the state machine: two organizations and a gateway, one act at a time, checked after each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

from hypothesis import currently_in_test_context, note
from hypothesis.stateful import RuleBasedStateMachine

from partway.accounts.models import GatewayAccount, Organization
from partway.billing import events
from partway.billing import models as rows
from partway.billing.errors import BillingError, NotPayable
from partway.billing.models import Allocation, Event, PaymentRequest
from partway.gateways.protocol import BadCallback, OutcomeUnknown
from partway.lib.clock import now as present
from tests.model import organization_model
from tests.model.comparison import Database, TableSnapshot, differences, facts_of_model
from tests.model.gateway_model import GatewayModel, NoAnswer
from tests.model.journal_model import JournalModel
from tests.model.organization_model import ActRefused
from tests.model.reference_model import ReferenceModel
from tests.model.stripe_model import StripeModel
from tests.support import incremental_verify, personas
from tests.support.databases import empty_database
from tests.support.gateway_driver import GatewayDriver

CHECKOUTS_PER_LINK = 4
CUSTOMERS = ("Dana Whitfield", "Erin Novak")

# The count of each outcome of each act, over all examples of this process.
OUTCOME_COUNTS: Counter[tuple[str, str]] = Counter()

Connect = Callable[[Organization], GatewayDriver]

_GATEWAY_MODELS = {"sandbox": GatewayModel, "stripe": StripeModel}
_ROW_OF = {
    organization_model.Invoice: rows.Invoice,
    organization_model.Request: PaymentRequest,
    organization_model.Payment: rows.Payment,
    organization_model.Quote: rows.Quote,
}


class ModelMismatch(AssertionError):
    """The model and the product differ."""


def outcome(act: Callable[[], Any]) -> tuple[str, Any]:
    """Returns how an act ended and its result: ok or a returned word, the code of an error, or unknown."""
    try:
        answer = act()
    except ActRefused as refusal:
        return refusal.code, None
    except BillingError as refusal:
        reason = refusal.reason if isinstance(refusal, NotPayable) else ""
        return f"{refusal.code}:{reason}" if reason else refusal.code, None
    except (NoAnswer, OutcomeUnknown):
        return "unknown", None
    except BadCallback:
        return "bad_callback", None
    return (answer if isinstance(answer, str) else "ok"), answer


def refused(code: str) -> Any:
    """Returns the error of the product in the terms of the model."""
    raise ActRefused(code)


class PartwayMachine(RuleBasedStateMachine):
    """Alder with its customers at the sandbox, birch beside it, and the model of alder."""

    def __init__(self, connect: Connect) -> None:
        super().__init__()
        empty_database()
        team = personas.alder(time_zone="UTC")
        self.organization = team.organization
        self.members = [events.member_actor(team.alice), events.member_actor(team.bob)]
        self.customers = [personas.customer(self.organization, name) for name in CUSTOMERS]
        self.neighbor = personas.mallory().organization
        self.stranger = _other_organization(personas.customer(self.neighbor, "Quinn Pike"))
        self.gateway_driver = connect(self.organization)
        self.gateway_driver.settle_only_when_told()
        GatewayAccount.objects.exclude(pk=self.gateway_driver.account.pk).update(
            reconcile_at=datetime(9999, 1, 1, tzinfo=UTC), payouts_due_at=datetime(9999, 1, 1, tzinfo=UTC)
        )
        self.open_checkouts: list[organization_model.Payment] = []  # whose checkout page a customer has open
        self.payout_refs: list[str] = []  # the gateway's ids of the model's payouts, in their order
        self.ids: dict[Any, str] = {}
        # The sandbox uses the real time, so our clock runs ahead of it; always at one hour, so that runs are alike.
        # The stand-in for Stripe follows our clock.
        self.now = datetime.combine(present().date() + timedelta(days=1), time(9), UTC)
        self.books = ReferenceModel(
            _GATEWAY_MODELS[self.gateway_driver.account.gateway](), self.now, CHECKOUTS_PER_LINK
        )
        self.journal = JournalModel()
        self.stored = TableSnapshot()
        self.other_organization_rows = self.stored.of(self.neighbor)
        self.acts = 0
        self.is_consistent = True

    # One act

    def act(
        self, name: str, model: Callable[[], Any], really: Callable[[], Any], *, refusal_changes: bool = False
    ) -> Any:
        """Runs an act in the model and in the product, and compares the outcomes and all stored rows.

        A refused act must leave every row as it was, unless `refusal_changes`.
        """
        self.is_consistent = False
        self.acts += 1
        self.now += timedelta(seconds=1)
        self.books.now = self.now
        self.books.gateway.pass_time(self.now)
        self.gateway_driver.set_clock(self.now)
        expected, _ = outcome(model)
        found, answer = outcome(really)
        OUTCOME_COUNTS[name, found] += 1
        line = f"    {self.now:%d %H:%M:%S} {name}: {found}"
        (note if currently_in_test_context() else print)(line)
        if expected != found:
            raise ModelMismatch(f"{name}: the model says {expected}, the product {found}")
        self.check(must_stand=answer is None and found != "ok" and not refusal_changes)
        self.journal.note(self.books, self.now.date())
        self.is_consistent = True
        return answer

    def row(self, noun: Any) -> Any:
        """Returns the current row of a model object."""
        return _ROW_OF[type(noun)].objects.get(pk=self.ids[noun])

    def noun(self, key: str) -> Any:
        """Returns the model object with the id of this row."""
        return next(noun for noun, known in self.ids.items() if known == key)

    def act_on(self, name: str, noun: Any, model: Any, really: Any, by: int) -> Any:
        """Runs an act of a member that needs only its subject."""
        row = self.row(noun)
        return self.act(name, lambda: model(noun), lambda: really(row, by=self.members[by], now=self.now))

    # After each act

    def check(self, *, must_stand: bool) -> None:
        """Raises ModelMismatch unless the books, the ledger and the model agree."""
        before, self.stored = self.stored, TableSnapshot()
        if must_stand and self.stored != before:
            raise ModelMismatch(f"a refused act has changed {_changed(before, self.stored)}")
        database = Database(self.stored, self.organization)
        if self.stored != before:
            self._check_books(before, database)
        self._check_ledger(database)

    def _check_books(self, before: TableSnapshot, database: Database) -> None:
        wrong = incremental_verify.differences()
        wrong += differences(facts_of_model(self.books, len(self.customers)), database.facts())
        wrong += _changed_facts(before, self.stored)
        if self.stored.of(self.neighbor) != self.other_organization_rows:
            wrong.append("a row of another organization has changed")
        if wrong:
            raise ModelMismatch("\n".join(wrong))
        for ours, theirs in (
            (self.books.invoices, database.invoices),
            (self.books.requests, database.requests),
            (self.books.payments, database.payments),
            (self.books.quotes, database.quotes),
        ):
            self.ids.update(zip(ours, theirs, strict=True))

    def _check_ledger(self, database: Database) -> None:
        """Checks that each charge in the ledger is predicted by the model, and booked once it is settled."""
        lines = self.gateway_driver.ledger()
        expected = {
            self.ids[checkout.reference]: (checkout.status, checkout.captured, checkout.currency)
            for checkout in self.books.gateway.checkouts
        }
        found = {key: (line["status"], line["captured"], line["currency"]) for key, line in lines.items()}
        wrong = differences(expected, found) + _wrong_bookings(lines, database)
        if wrong:
            raise ModelMismatch("\n".join(wrong))


def _other_organization(quinn: rows.Customer) -> rows.Customer:
    """Creates rows of each kind in another organization, which must never change."""
    personas.request_payment(personas.sent_invoice(quinn))
    personas.record_deposit_check(personas.accept_quote(personas.sent_quote(quinn)))
    personas.draft_invoice(quinn)
    rows.Mail.objects.update(
        status="sent", sent_at=present()
    )  # so that the worker has nothing to do for them
    return quinn


def _changed(before: TableSnapshot, after: TableSnapshot) -> list[str]:
    return [model.__name__ for model in after.tables if after.tables[model] != before.tables[model]]


def _changed_facts(before: TableSnapshot, after: TableSnapshot) -> list[str]:
    """Returns changed facts (M6) and revived requests (R4), which must not exist."""
    fixed = {
        (model, pk): row for model in (Event, Allocation) for pk, row in before.tables[model].rows.items()
    }
    ended = {row["id"] for row in before.rows(PaymentRequest) if row["status"] != "open"}
    requests = before.tables[PaymentRequest].rows
    fixed.update({(PaymentRequest, pk): requests[pk] for pk in ended})
    gone = [key for key, row in fixed.items() if after.tables[key[0]].rows.get(key[1]) != row]
    return [f"{model.__name__} {pk} was rewritten" for model, pk in gone]


def _wrong_bookings(lines: dict[str, dict[str, Any]], database: Database) -> list[str]:
    """Returns payments booked with another amount than captured, or unwanted without an alert."""
    payments = {row["id"]: row for row in database.owned[rows.Payment]}
    requests = {row["id"]: row for row in database.owned[PaymentRequest]}
    flagged = {row["payment_id"] for row in database.owned[rows.Alert]}
    wrong = []
    for key, line in lines.items():
        payment = payments[key]
        request = requests.get(payment["payment_request_id"])
        settled = payment["status"] not in organization_model.UNSETTLED
        if line["captures"] > 1 or (settled and line["captured"] != (payment["captured_minor"] or 0)):
            wrong.append(f"the gateway took {line}, booked is {payment['captured_minor']}")
        if settled and line["captured"] and key not in flagged and request and request["status"] != "paid":
            wrong.append(f"{key} was charged for a request that ended {request['status']}")
    return wrong
