"""Rules of the clock and the worker: time passes, and unreported payments are fetched."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from partway.accounts.models import GatewayAccount
from partway.billing.reconciliation import due_work, gateway_list
from partway.delivery.mail import sending
from tests.model.gateway_rules import GatewayRules
from tests.model.strategies import rarely

# The longest interval until the worker fetches a payment or retries a callback.
LONGEST = timedelta(hours=6)

whiles = st.sampled_from([timedelta(minutes=minutes) for minutes in (1, 21, 31, 36, 61, 60 * 26)])
jobs = st.runner().flatmap(lambda machine: st.sampled_from(machine.jobs()))


class WorkerRules(GatewayRules):
    """Acts of the worker."""

    @precondition(rarely)
    @rule(long=whiles)
    def wait(self, long: timedelta) -> None:
        """Advances the clock."""
        self.now += long
        self.act("wait", lambda: None, lambda: None)

    @precondition(lambda self: self.jobs())
    @rule(job=jobs)
    def work(self, job: str) -> None:
        """Runs one job of the worker."""
        {
            "send mails": self.send_mails,
            "process callbacks": self.process_callbacks,
            "refresh payments": self.refresh_unsettled_payments,
            "read list": self.read_list,
            "expire requests": self.expire_payment_requests,
            "expire quotes": self.expire_quotes,
        }[job]()

    def jobs(self) -> list[str]:
        """Returns the jobs that may have something to do."""
        books = self.books
        to_do: dict[str, Any] = {
            "expire requests": any(one.expires_at and one.state == "open" for one in books.requests),
            "process callbacks": books.waiting,
            "refresh payments": self.unsettled(),
            "read list": books.gateway.checkouts,
            "expire quotes": any(quote.state == "sent" for quote in books.quotes),
            "send mails": sum(mail.state == "queued" for mail in books.mails) > 1,
        }
        return [job for job, there_is in to_do.items() if there_is]

    def unsettled(self) -> int:
        """Returns the number of payments that the worker must fetch."""
        return sum(payment.is_unsettled for payment in self.books.payments)

    def clear_faults_before_job(self, payments: int) -> None:
        """Removes faults, because the order in which the worker meets them is not part of the model."""
        if payments > 1 and self.books.gateway.faults:
            self.clear_faults()

    def refresh_unsettled_payments(self) -> None:
        self.now += LONGEST
        self.clear_faults_before_job(self.unsettled())
        self.act(
            "refresh payments",
            self.books.refresh_unsettled_payments,
            lambda: due_work.refresh_unsettled_payments(now=self.now),
        )

    def process_callbacks(self) -> None:
        self.now += LONGEST
        self.clear_faults_before_job(len(self.books.waiting))
        self.act(
            "process callbacks",
            self.books.process_pending_callbacks,
            lambda: due_work.process_pending_callbacks(now=self.now),
        )

    def read_list(self) -> None:
        """Reads the whole list, because the clocks of the sandbox and of the machine differ."""
        self.clear_faults_before_job(self.unsettled())
        GatewayAccount.objects.filter(pk=self.gateway_driver.account.pk).update(
            reconciled_until=None, reconcile_at=self.now
        )
        self.act(
            "read list", self.books.read_list, lambda: gateway_list.reconcile_gateway_lists(now=self.now)
        )

    def expire_payment_requests(self) -> None:
        self.act(
            "expire requests",
            self.books.expire_payment_requests,
            lambda: due_work.expire_payment_requests(now=self.now),
        )

    def expire_quotes(self) -> None:
        self.act("expire quotes", self.books.expire_quotes, lambda: due_work.expire_quotes(now=self.now))

    def send_mails(self) -> None:
        self.act("send mails", self.books.send_mails, self._send_all)

    def _send_all(self) -> None:
        while sending.send_due(now=self.now):
            pass
