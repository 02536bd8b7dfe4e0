"""The double entry of the model: kept act by act from its own state, and compared with the journal at the end.

The rules are taken from decision 0054, not from the code.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta

from partway.accounts.models import Organization
from partway.billing.journal import entries
from tests.model.gateway_model import DISPUTE_FEE, GatewayPayout
from tests.model.organization_model import Invoice, OrganizationModel, Payment

DAY = timedelta(days=1)
Sums = Counter[tuple[str, str]]  # minor units by currency and kind of account, debit positive


def standing(books: OrganizationModel) -> Sums:
    """Returns what stands on each kind of account now; what settles a rest counts as one, whatever its reason."""
    sums: Sums = Counter()
    for invoice in books.invoices:
        if invoice.state in ("draft", "void"):
            continue
        owed = "write_offs" if invoice.state == "written_off" else "receivables"
        sums[invoice.currency, owed] += books.due(invoice)
        sums[invoice.currency, "adjustment"] += sum(invoice.settled)
        sums[invoice.currency, "revenue"] -= invoice.total
    for payment in books.payments:
        if payment.state == "succeeded":
            held = "deposits" if books.waits(payment) else "credit"
            sums[payment.currency, held] -= payment.unallocated
            sums[payment.currency, "mode" if payment.offline else "transit"] += payment.captured or 0
            # By hand, as long as no refund at the gateway says otherwise.
            sums[payment.currency, "mode"] -= payment.refunded
        if payment.fee:
            sums[payment.currency, "fees"] += payment.fee
            sums[payment.currency, "transit"] -= payment.fee
        for dispute in payment.disputes:
            if dispute.state == "lost":
                sums[payment.currency, "losses"] += dispute.lost
                sums[payment.currency, "transit"] -= dispute.amount
            # What was settled for it is a loss too; its fee comes back when it is won.
            settled = sum(invoice.settled[n] for invoice, n in dispute.settled if invoice.state != "void")
            fee = 0 if dispute.state == "won" else DISPUTE_FEE
            sums[payment.currency, "adjustment"] -= settled
            sums[payment.currency, "losses"] += settled
            sums[payment.currency, "fees"] += fee
            sums[payment.currency, "transit"] -= fee
    for refund in books.refunds:
        if refund.is_counted:
            currency = refund.payment.currency
            sums[currency, "mode"] += refund.amount - refund.lost
            sums[currency, "losses"] += refund.lost
            sums[currency, "transit" if refund.state == "succeeded" else "refunds_under_way"] -= refund.amount
    return sums


def arrived(currency: str, amount: int) -> Sums:
    """Returns what a payout moves that is at the bank."""
    return Counter({(currency, "bank"): amount, (currency, "transit"): -amount})


def due(books: OrganizationModel, invoice: Invoice) -> int:
    """Returns what the list of open invoices says of this one."""
    return books.due(invoice) if invoice.state in ("sent", "paid") else 0


@dataclass
class JournalModel:
    """The bookings of each day; `due` is the same of each invoice alone. `closed` is the last closed day."""

    before: Sums = field(default_factory=Counter)
    booked: dict[date, Sums] = field(default_factory=lambda: defaultdict(Counter))
    due: dict[Invoice, Counter[date]] = field(default_factory=lambda: defaultdict(Counter))
    known: set[Payment] = field(default_factory=set)
    paid_out: set[GatewayPayout] = field(default_factory=set)
    closed: date | None = None

    def note(self, books: OrganizationModel, today: date) -> None:
        """Books what an act has changed: today, but a payment on the day it was paid, where that fits and is open."""
        now = standing(books)
        for currency, amount in books.paid_out().values():
            now.update(arrived(currency, amount))
        changed = Counter(now)
        changed.subtract(self.before)
        self.before = now
        recorded = [one for one in books.payments if one.offline and one not in self.known]
        self.known.update(books.payments)
        day = today
        for payment in recorded:
            day, paid_on = self._days(books, payment, today)
            money: Sums = Counter()
            money[payment.currency, "mode"] = payment.captured or 0
            money[payment.currency, "deposits" if books.waits(payment) else "credit"] = -(
                payment.captured or 0
            )
            self.booked[paid_on].update(money)
            changed.subtract(money)
        for payout, (currency, amount) in books.paid_out().items():
            if payout not in self.paid_out:
                self.paid_out.add(payout)
                # On the day on which the gateway says that it arrived, or the first open one after it.
                arrived_on = max(min(payout.arrives_on, today), (self.closed or date.min) + DAY)
                self.booked[arrived_on].update(arrived(currency, amount))
                changed.subtract(arrived(currency, amount))
        self.booked[day].update(changed)
        for invoice in books.invoices:
            self.due[invoice][day] += due(books, invoice) - self.due[invoice].total()

    def _days(self, books: OrganizationModel, payment: Payment, today: date) -> tuple[date, date]:
        """Returns on which day a payment is put on its invoice, and on which it came in."""
        paid_on = payment.paid_on or today
        if self.closed:
            paid_on = max(paid_on, self.closed + DAY)
        day = paid_on
        for invoice, amount in payment.allocations.items():
            by_day = self.due[invoice]
            is_given_up = by_day.total() < amount
            while day < today and (is_given_up or self._least_due(by_day, day, today) < amount):
                day += DAY
        return day, paid_on

    def _least_due(self, by_day: Counter[date], since: date, today: date) -> int:
        days = [since + n * DAY for n in range((today - since).days + 1)]
        return min(sum(each for on, each in by_day.items() if on <= day) for day in days)

    def differences(self, organization: Organization) -> list[str]:
        """Returns each account that the trial balance of a day has otherwise."""
        wrong = []
        for currency in entries.currencies(organization):
            ours: Counter[str] = Counter()
            for day in sorted(self.booked):
                for (code, kind), minor in self.booked[day].items():
                    if code == currency:
                        ours[kind] += minor
                theirs: Counter[str] = Counter()
                for row in entries.trial_balance(organization, currency=currency, since=day, until=day):
                    theirs[row.account.partition(":")[0]] += row.closing.amount_minor
                if (
                    ours.total()
                    or theirs.total()
                    or any(ours[kind] != theirs[kind] for kind in {*ours, *theirs})
                ):
                    wrong.append(
                        f"{currency} on {day}: the model says {dict(ours)}, the journal {dict(theirs)}"
                    )
        return wrong
