"""One example that is written down: it tries every act of the model, so that no run depends on chance for that."""

from __future__ import annotations

from datetime import timedelta

from tests.model.full_machine import FullMachine
from tests.model.gateway_model import Fault, GatewayCallback
from tests.model.organization_model import Payment, PaymentTarget, Quote


def try_every_act(machine: FullMachine, *, at_gateway_only: bool = False) -> None:
    """Runs each act at least once with its usual outcome; the machine compares all rows after each.

    With `at_gateway_only` a part of those whose outcome depends on the gateway.
    """
    machine.open([("USD", 60_000), ("KWD", 5000)], with_request=False, percent=None)
    every = (
        *(_invoices, _requests, _quotes, _online_payments, _refunds),
        *(_disputes, _changed_disputes, _payouts, _faults, _forbidden),
    )
    for part in (_online_payments, _disputes) if at_gateway_only else every:
        part(machine)
    machine.settle_everything()


def _invoices(machine: FullMachine) -> None:
    large, other = machine.books.invoices
    machine.create_invoice(0, "USD", 1000, kept=True, by=0)
    machine.send(machine.books.invoices[-1], by=1)
    machine.edit(large, "up", stale=False, by=0)
    machine.record(other, "half", keep_rest=False, days_ago=3, by=1)
    machine.reverse(machine.books.payments[-1], by=0)
    machine.record(large, "third", keep_rest=False, days_ago=0, by=1)
    paid = machine.books.payments[-1]
    machine.release((paid, large), by=0)
    machine.apply_credit(large, "half", by=1)
    machine.refund_credit(0, "USD", "half", by=0)
    machine.refund_payment(paid, "half", by=0)
    machine.settle_rest(other, by=0)
    machine.take_back_rest(other, by=0)
    machine.close_journal()
    machine.reopen_journal()
    machine.write_off(other, by=0)
    machine.reopen(other, by=0)
    machine.void(machine.books.invoices[-1], by=0)


def _requests(machine: FullMachine) -> None:
    invoice = machine.books.invoices[0]
    machine.ask(invoice, "half", None, by=1)
    machine.resend(machine.books.requests[-1], by=1)
    machine.cancel(machine.books.requests[-1], by=1)
    machine.ask(invoice, "half", timedelta(minutes=20), by=1)
    machine.send_mails()
    machine.wait(timedelta(minutes=61))
    machine.open_expired_link(machine.books.requests[-1])
    machine.expire_payment_requests()
    machine.set_payments_enabled(False, by=0)
    machine.set_payments_enabled(True, by=0)


def _quotes(machine: FullMachine) -> None:
    def sent() -> Quote:
        machine.create_quote(0, "USD", 5000, 30, 3, kept=False, by=0)
        return machine.books.quotes[-1]

    machine.create_quote(0, "USD", 5000, 30, 3, kept=True, by=0)
    machine.send_quote(machine.books.quotes[-1], by=0)
    machine.withdraw_quote(machine.books.quotes[-1], by=0)
    machine.decline(sent())
    machine.record_decision(sent(), accepts=False, by=0)
    spoken = sent()
    machine.record_decision(spoken, accepts=True, by=0)
    machine.record_deposit(spoken, by=0)
    machine.make_invoice(spoken, kept=False, by=0)
    accepted = sent()
    machine.accept(accepted)
    machine.pay_a_deposit(accepted, "good")
    machine.expire_quotes()


def _online_payments(machine: FullMachine) -> None:
    invoice = machine.books.invoices[0]
    machine.ask(invoice, "third", None, by=1)
    machine.start(machine.books.requests[-1], stale=False)
    machine.expire_checkout(machine.books.payments[-1].checkout)
    machine.come_back(machine.books.payments[-1])
    machine.pay_a_request(machine.books.requests[-1], "confirming")
    for good in (False, True):
        machine.ask(invoice, "third", None, by=1)
        debit = _begun(machine, machine.books.requests[-1], "debit")
        machine.settle(debit.checkout, good=good)
        machine.deliver_callback(machine.books.gateway.callbacks[-1])
    machine.ask(invoice, "half", None, by=1)
    held = _begun(machine, machine.books.requests[-1], "good")
    machine.capture_at_gateway(held.checkout)
    machine.refresh_unsettled_payments()
    machine.read_list()


def _begun(machine: FullMachine, source: PaymentTarget, how: str) -> Payment:
    payment = machine.begin(source, stale=False)
    assert payment is not None
    machine.fill_in(payment, how)
    return payment


def _refunds(machine: FullMachine) -> None:
    paid = machine.books.payments[-1]
    for answer in (None, Fault("refund_pending"), Fault("refund_pending"), Fault("refund_refused")):
        machine.send_back(paid, "least", answer, reduces=False, by=0)
    _, waits, fails = paid.checkout.refunds
    machine.settle_refund(waits, fails=False)
    machine.settle_refund(fails, fails=True)
    machine.refund_in_dashboard(paid.checkout, half=True)
    machine.refresh_pending_refunds()
    machine.void_paid(machine.books.invoices[0], "half", False, None, stale=False, by=0)


def _disputes(machine: FullMachine) -> None:
    machine.create_invoice(0, "USD", 9000, kept=False, by=0)
    paid = _begun(machine, machine.books.invoices[-1], "good")
    machine.refresh_unsettled_payments()
    for half in (True, False):
        machine.dispute(paid.checkout, half=half)
    first, second = paid.checkout.disputes
    machine.read_list()
    machine.decide_dispute(first, wins=False)
    machine.decide_dispute(second, wins=True)
    machine.read_list()
    machine.take_loss(0, by=0)


def _changed_disputes(machine: FullMachine) -> None:
    first, second = machine.books.payments[-1].checkout.disputes
    machine.change_dispute(first, half=False)
    machine.read_list()
    machine.change_dispute(first, half=True)
    machine.read_list()
    machine.decide_dispute(second, wins=False)
    machine.read_list()
    machine.change_dispute(second, half=True)
    machine.decide_dispute(first, wins=True)
    machine.read_list()


def _payouts(machine: FullMachine) -> None:
    machine.pay_out()
    machine.read_payouts()
    machine.settle_payout(0, fails=False)
    machine.read_payouts()
    machine.settle_payout(0, fails=True)
    machine.read_payouts()


def _faults(machine: FullMachine) -> None:
    machine.inject_fault(Fault("error_before", "fetch"))
    machine.deliver_callback(_undelivered(machine))
    machine.process_callbacks()
    machine.inject_fault(Fault("close_too_late"))
    machine.clear_faults()


def _undelivered(machine: FullMachine) -> GatewayCallback:
    return next(one for one in machine.books.gateway.callbacks if one not in machine.books.done)


def _forbidden(machine: FullMachine) -> None:
    for what in ("create invoice", "edit", "divide"):
        machine.attempt_forbidden_act(what, machine.books.invoices[0], by=0)
    machine.deliver_callback_to_wrong_account(machine.books.gateway.callbacks[0])
