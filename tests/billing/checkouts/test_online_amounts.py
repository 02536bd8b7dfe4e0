"""Amounts due of which only a part can be paid online: KWD, where the gateway's step is 0.010 and its minimum 0.100."""

from __future__ import annotations

import pytest

from partway.accounts.models import GatewayAccount, Organization
from partway.billing.checkouts import online_amounts
from partway.billing.checkouts.gateway_calls import current_gateway
from partway.billing.checkouts.online_amounts import OnlineAmounts, amount_to_charge
from partway.billing.errors import NotPayable
from partway.billing.models import Customer
from partway.billing.payments.start import check_payable, start_payment
from partway.lib.clock import now as present
from partway.lib.money import Money
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver

DINARS = OnlineAmounts(minimum=Money(100, "KWD"), step=Money(10, "KWD"))


@pytest.mark.parametrize(
    ("due", "payable"),
    [(1_234_567, 1_234_560), (1_234_560, 1_234_560), (109, 100), (100, 100), (99, 0), (0, 0)],
)
def test_payable_part_is_largest_multiple_of_step_from_minimum_on(due: int, payable: int) -> None:
    assert DINARS.payable_part(Money(due, "KWD")) == Money(payable, "KWD")


@pytest.mark.parametrize(("minor", "accepted"), [(90, False), (100, True), (105, False), (110, True)])
def test_online_amount_is_accepted_from_minimum_in_steps(minor: int, accepted: bool) -> None:
    assert DINARS.accepts(Money(minor, "KWD")) is accepted


def test_online_amounts_are_unknown_without_gateway_account(organization: Organization) -> None:
    assert online_amounts.of_organization(organization, "KWD") == DINARS
    GatewayAccount.objects.update(is_current=False)
    assert online_amounts.of_organization(organization, "KWD") is None


def test_pay_now_between_gateway_steps_charges_the_payable_part(dana: Customer) -> None:
    invoice = personas.sent_invoice(dana, 1_234_567, currency="KWD")
    assert check_payable(invoice, now=present()).amount == Money(1_234_560, "KWD")


def test_pay_now_of_all_that_is_due_between_steps_is_refused_as_changed(dana: Customer) -> None:
    invoice = personas.sent_invoice(dana, 1_234_567, currency="KWD")
    with pytest.raises(NotPayable, match="changed"):
        start_payment(invoice, expected_amount=invoice.amount_due, payer_ip=None, now=present())


def test_pay_now_below_gateway_minimum_is_not_payable(dana: Customer) -> None:
    invoice = personas.sent_invoice(dana, 95, currency="KWD")
    with pytest.raises(NotPayable) as refused:
        check_payable(invoice, now=present())
    assert (refused.value.reason, refused.value.params) == (
        "amount_not_payable",
        {"amount": Money(95, "KWD")},
    )


def test_deposit_between_gateway_steps_is_never_charged_in_part(dana: Customer) -> None:
    GatewayAccount.objects.update(is_current=False)  # the gateway was connected after the quote was sent
    quote = personas.accept_quote(personas.sent_quote(dana, 1_000_017, currency="KWD"))
    GatewayAccount.objects.update(is_current=True)
    assert amount_to_charge(quote, current_gateway(quote.organization)) == Money(300_005, "KWD")
    with pytest.raises(NotPayable, match="amount_not_payable"):
        check_payable(quote, now=present())


def test_pay_now_with_unpayable_rest_leaves_invoice_sent_and_cancels_request(
    dana: Customer, gateway_driver: GatewayDriver
) -> None:
    invoice = personas.sent_invoice(dana, 1_234_567, currency="KWD")
    request = personas.request_payment(invoice, 100_000)
    payment = gateway_driver.start_and_pay(invoice)
    invoice.refresh_from_db()
    request.refresh_from_db()
    assert (payment.status, payment.captured) == ("succeeded", Money(1_234_560, "KWD"))
    assert (invoice.status, invoice.amount_due) == ("sent", Money(7, "KWD"))
    assert (request.status, request.cancel_reason) == ("canceled", "invoice_changed")
