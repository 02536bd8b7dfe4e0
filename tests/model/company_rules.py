"""The company and the banks behind it: money moves, things go wrong, and callbacks arrive in whatever order."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from partway.accounts.models import GatewayAccount
from partway.billing.payments.callbacks import receive_callback
from tests.gateways.company import Heard, eventually
from tests.model.company import Checkout, Fault, NoAnswer, Told
from tests.model.machine import Machine
from tests.model.picks import callback, checkout, now_and_then

silences = st.builds(
    Fault,
    st.sampled_from(["error_before", "timeout_after_success"]),
    st.sampled_from(["start", "fetch", "fetch", "capture", "capture", "close", "close", "listed"]),
)
wrong_amounts = st.builds(Fault, st.just("wrong_amount"), st.just(""), st.sampled_from([-1, 1, -40, 700]))
faults = st.one_of(silences, st.just(Fault("close_too_late")), wrong_amounts)


class CompanyRules(Machine):
    """Acts of the company."""

    @precondition(lambda self: self.books.company.standing("processing"))
    @rule(checkout=checkout("processing"), good=st.booleans())
    def settle(self, checkout: Checkout, good: bool) -> None:
        """A bank debit ends, perhaps long after everybody has forgotten it."""
        row = self.row(checkout.reference)
        self.act(
            f"settle {'well' if good else 'badly'}",
            lambda: self.books.company.settle(checkout, good=good),
            lambda: self.world.settle(row, "captured" if good else "failed"),
        )

    @precondition(lambda self: self.books.company.standing("authorized") and not self.books.company.faults)
    @rule(checkout=checkout("authorized"))
    def press_capture(self, checkout: Checkout) -> None:
        """Somebody takes the money in the company's own dashboard, whatever was decided here."""
        if not checkout.lapses:
            row = self.row(checkout.reference)
            row.checkout_ref = self.ref_of(checkout)  # which we may never have learned
            self.act(
                "press capture",
                lambda: self.books.company.capture(checkout),
                lambda: self.world.capture(row),
            )

    @precondition(lambda self: now_and_then(self) and self.books.company.standing("open"))
    @rule(checkout=checkout("open"))
    def run_out(self, checkout: Checkout) -> None:
        """The company lets nobody pay any more, as when a checkout's time is over."""
        ref = self.ref_of(checkout)
        self.act("run out", lambda: self._closed(checkout), lambda: self.world.close(ref))

    def _closed(self, checkout: Checkout) -> None:
        with suppress(NoAnswer):
            self.books.company.close(checkout)

    def ref_of(self, checkout: Checkout) -> str:
        """The company's own name for it, which we may never have learned."""
        return str(self.world.ledger()[self.ids[checkout.reference]]["id"])

    @precondition(lambda self: len(self.books.company.faults) < 2)
    @rule(fault=faults)
    def go_wrong(self, fault: Fault) -> None:
        """Something will, the next time."""
        details: dict[str, object] = {"act": fault.act} if fault.act else {"delta": fault.delta}
        self.act(
            "go wrong",
            lambda: self.books.company.faults.append(fault),
            lambda: self.world.go_wrong(fault.kind, **details),
        )

    @precondition(lambda self: now_and_then(self) and len(self.books.company.faults) == 2)
    @rule()
    def become_well(self) -> None:
        self.recover()

    def recover(self) -> None:
        """All is well there again."""
        self.act("recover", self.books.company.faults.clear, self.world.recover)

    # Callbacks: what is never handed over is lost, what is handed over again came twice

    @precondition(lambda self: self.books.company.told)
    @rule(told=callback(lambda books, told: told not in books.done))
    def hand_over(self, told: Told) -> None:
        """In any order, and any number of times."""
        heard, account = self.heard(told), self.world.account
        self.act(
            "hand over",
            lambda: "done" if self.books.hand_over(told) else "waiting",
            lambda: self._received(account, heard),
        )

    @precondition(lambda self: self.books.company.told and not self.books.company.faults)
    @rule(told=callback(lambda books, told: told not in books.done))
    def hand_over_and_fall_silent(self, told: Told) -> None:
        """The company tells us something, and then does not answer what we ask about it."""
        self.go_wrong(Fault("error_before", "fetch"))
        self.hand_over(told)

    def _received(self, account: GatewayAccount, heard: Heard) -> str:
        stored = receive_callback(account, body=heard.body, headers=heard.headers, now=self.now)
        stored.refresh_from_db()
        return stored.status

    def heard(self, told: Told) -> Heard:
        """The callback as it came over the wire; the company may still be sending it."""
        ref = self.ref_of(told.checkout)
        heard: Heard = eventually(lambda: dict(enumerate(self._heard_of(ref, told.kind))).get(told.nth))
        return heard

    def _heard_of(self, ref: str, kind: str) -> list[Heard]:
        about = [heard for heard in list(self.world.ear.heard) if heard.event["data"]["checkout"] == ref]
        return [heard for heard in about if heard.kind == kind]
