"""Rules of the gateway and the banks: money moves, faults happen, and callbacks arrive in any order."""

from __future__ import annotations

from functools import partial

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from partway.accounts.models import GatewayAccount
from partway.billing.payments.callbacks import receive_callback
from tests.model.gateway_model import Checkout, Fault, GatewayCallback
from tests.model.state_machine import PartwayMachine
from tests.model.strategies import callback, checkout, rarely
from tests.support.sandbox_server import ReceivedCallback, wait_until

silences = st.builds(
    Fault,
    st.sampled_from(["error_before", "timeout_after_success"]),
    st.sampled_from(["start", "fetch", "fetch", "capture", "capture", "close", "close", "list_checkouts"]),
)
late_fees = st.builds(Fault, st.just("no_fee"), st.sampled_from(["capture", "fetch"]))
wrong_amounts = st.builds(Fault, st.just("wrong_amount"), st.just(""), st.sampled_from([-1, 1, -40, 700]))
faults = st.one_of(silences, st.just(Fault("close_too_late")), wrong_amounts, late_fees)


class GatewayRules(PartwayMachine):
    """Acts of the gateway."""

    @precondition(lambda self: self.books.gateway.in_status("processing"))
    @rule(checkout=checkout("processing"), good=st.booleans())
    def settle(self, checkout: Checkout, good: bool) -> None:
        """Settles a bank debit, possibly long after it began."""
        row = self.row(checkout.reference)
        self.act(
            "settle debit" if good else "fail debit",
            lambda: self.books.gateway.settle(checkout, good=good),
            lambda: self.gateway_driver.settle_bank_debit(row, "captured" if good else "failed"),
        )

    @precondition(lambda self: self.books.gateway.in_status("authorized") and not self.books.gateway.faults)
    @rule(checkout=checkout("authorized"))
    def capture_at_gateway(self, checkout: Checkout) -> None:
        """Captures an authorization in the dashboard of the gateway, whatever was decided here."""
        if not checkout.lapses:
            row = self.row(checkout.reference)
            row.checkout_ref = self.ref_of(checkout)  # which may not be stored
            self.act(
                "capture at gateway",
                lambda: self.books.gateway.capture(checkout),
                lambda: self.gateway_driver.capture(row),
            )

    @precondition(lambda self: rarely(self) and self.books.gateway.in_status("open"))
    @rule(checkout=checkout("open"))
    def expire_checkout(self, checkout: Checkout) -> None:
        """Closes a checkout at the gateway, as when its time is over."""
        ref = self.ref_of(checkout)
        self.act(
            "expire checkout",
            lambda: self.books.gateway.expire(checkout),
            lambda: self.gateway_driver.close(ref),
        )

    def ref_of(self, checkout: Checkout) -> str:
        """Returns the gateway's ref of the checkout, which may not be stored."""
        return str(self.gateway_driver.ledger()[self.ids[checkout.reference]]["id"])

    @precondition(lambda self: len(self.books.gateway.faults) < 2)
    @rule(fault=faults)
    def inject_fault(self, fault: Fault) -> None:
        """Injects a fault into a later call."""
        details: dict[str, object] = {"act": fault.act} if fault.act else {"delta": fault.delta}
        self.act(
            "inject fault",
            lambda: self.books.gateway.faults.append(fault),
            lambda: self.gateway_driver.inject_fault(fault.kind, **details),
        )

    @precondition(lambda self: rarely(self) and len(self.books.gateway.faults) == 2)
    @rule()
    def clear_all_faults(self) -> None:
        self.clear_faults()

    def clear_faults(self) -> None:
        """Removes all faults."""
        self.act("clear faults", self.books.gateway.faults.clear, self.gateway_driver.clear_faults)

    # Callbacks: one that is never delivered is lost, and one that is delivered again is repeated

    @precondition(lambda self: self.books.gateway.callbacks)
    @rule(gateway_callback=callback(lambda books, gateway_callback: gateway_callback not in books.done))
    def deliver_callback(self, gateway_callback: GatewayCallback) -> None:
        """Delivers a callback, in any order and any number of times."""
        received, account = self.received(gateway_callback), self.gateway_driver.account
        self.act(
            "deliver callback",
            lambda: "processed" if self.books.deliver_callback(gateway_callback) else "pending",
            lambda: self._received(account, received),
        )

    @precondition(lambda self: self.books.gateway.callbacks and not self.books.gateway.faults)
    @rule(gateway_callback=callback(lambda books, gateway_callback: gateway_callback not in books.done))
    def deliver_callback_then_fail(self, gateway_callback: GatewayCallback) -> None:
        """Delivers a callback, after which the gateway does not respond to the fetch."""
        self.inject_fault(Fault("error_before", "fetch"))
        self.deliver_callback(gateway_callback)

    def _received(self, account: GatewayAccount, received: ReceivedCallback) -> str:
        stored = receive_callback(account, body=received.body, headers=received.headers, now=self.now)
        stored.refresh_from_db()
        return stored.status

    def received(self, gateway_callback: GatewayCallback) -> ReceivedCallback:
        """Returns the callback as it was received; waits while the gateway is sending it."""
        payment = self.row(gateway_callback.checkout.reference)
        payment.checkout_ref = self.ref_of(gateway_callback.checkout)  # which may not be stored
        of_kind = partial(self.gateway_driver.received_about, payment, gateway_callback.kind)
        received: ReceivedCallback = wait_until(lambda: dict(enumerate(of_kind())).get(gateway_callback.nth))
        return received
