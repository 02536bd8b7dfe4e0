"""The page of one payment: where its money is, its timeline, and its receipt, which can be sent again."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from partway.billing.errors import Conflict, RateLimited
from partway.billing.events import OPERATOR
from partway.billing.models import Customer, Event, Invoice, Mail, Payment
from partway.billing.receivables import credit, receipts
from partway.delivery.mail import kinds
from partway.lib.clock import now
from partway.lib.money import Money
from tests.staff.confirmation_pages import confirm_page, hidden_fields
from tests.support import personas


def path(payment: Payment, page: str = "") -> str:
    return f"/o/alder/payments/{payment.pk}/{page}"


def text(client: Client, payment: Payment) -> str:
    html = client.get(path(payment)).content.decode().replace("</dt>", " ")
    return " ".join(re.sub(r"<[^>]+>", "", html).split())


def test_payment_page_shows_where_the_money_is(charlie: Client, invoice: Invoice, dana: Customer) -> None:
    payment = personas.record_check(invoice, 110_000, reference="No. 118")
    other = personas.sent_invoice(dana, 4_000)
    credit.apply(other, amount=Money(4_000, "USD"), by=OPERATOR, now=now())
    personas.give_back(payment, 5_000)
    page = text(charlie, payment)
    for shown in (
        "On INV-0001 $1,000.00",
        "On INV-0002 $40.00",
        "Credit $10.00",
        "Given back $50.00",
        "Partly refunded",
        "No. 118",
        "put $40.00 of credit on the invoice",
        "recorded that $50.00 was given back",
    ):
        assert shown in page


def test_payment_page_shows_every_step_of_a_checkout(charlie: Client, invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 30_000, request=personas.request_payment(invoice))
    page = text(charlie, payment)
    for shown in (
        "Sandbox",
        "Card",
        "$300.00, requested",
        "The card was authorized",
        "The charge of $300.00",
    ):
        assert shown in page


@pytest.mark.parametrize(
    ("fee", "shown"),
    [
        (None, ("Fee The payment service has not reported it yet.",)),
        (Money(445, "USD"), ("Fee $4.45 ($295.55 net)", "charged a fee of $4.45")),
        (Money(-5, "USD"), ("Fee −$0.05 ($300.05 net)", "gave back a fee of $0.05")),
        (Money(0, "USD"), ("Fee $0.00 ($300.00 net)", "charged no fee")),
        (Money(400, "EUR"), ("Fee €4.00", "charged a fee of €4.00")),
    ],
)
def test_payment_page_shows_fee_and_net(
    charlie: Client, invoice: Invoice, fee: Money | None, shown: tuple[str, ...]
) -> None:
    page = text(charlie, personas.captured_payment(invoice, 30_000, fee=fee))
    assert [part for part in shown if part not in page] == []
    assert "a fee of $0.00" not in page
    assert ("net)" in page) == (fee is not None and fee.currency == "USD")


def test_page_of_offline_payment_has_no_fee(charlie: Client, invoice: Invoice) -> None:
    assert "Fee" not in text(charlie, personas.record_check(invoice, 1_000))


@pytest.mark.parametrize("kind", ["waiting", "failed"])
def test_payment_page_of_an_attempt_has_no_receipt(charlie: Client, invoice: Invoice, kind: str) -> None:
    payment = personas.pending_payment(invoice, 30_000)
    if kind == "failed":
        Payment.objects.update(status="failed", settled_at=now(), failure_message="Insufficient funds")
    page = text(charlie, payment)
    assert "Amount asked for" in page
    assert "Receipt" not in page
    assert ("Insufficient funds" in page) == (kind == "failed")


def test_payment_page_of_deposit_says_that_it_waits(charlie: Client, dana: Customer) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    page = text(charlie, personas.record_deposit_check(quote))
    assert "Deposit of QUO-0001" in page
    assert "Waits for the invoice $300.00" in page


def test_invoice_page_and_quote_page_link_to_the_payment(charlie: Client, invoice: Invoice) -> None:
    quote = personas.accept_quote(personas.sent_quote(invoice.customer))
    paid = {f"invoices/{invoice.pk}": personas.record_check(invoice, 1_000)}
    paid[f"quotes/{quote.pk}"] = personas.record_deposit_check(quote)
    for page, payment in paid.items():
        assert f'href="{path(payment)}"' in charlie.get(f"/o/alder/{page}/").content.decode()


def test_payment_page_query_count_is_constant(
    charlie: Client, invoice: Invoice, django_assert_num_queries: object
) -> None:
    payment = personas.record_check(invoice, 40_000)
    for _ in range(4):
        personas.give_back(payment, 100)
    with django_assert_num_queries(12):  # type: ignore[operator]
        charlie.get(path(payment))


def test_receipt_is_sent_again_to_those_who_would_get_it_now(
    bob: Client, invoice: Invoice, dana: Customer
) -> None:
    payment = personas.captured_payment(invoice, 30_000)
    first = Mail.objects.get(kind="receipt")
    personas.change_customer(dana)
    assert "dana@reed.example" in bob.get(path(payment, "receipt/")).content.decode()
    response = confirm_page(bob, path(payment, "receipt/"))
    assert response.headers["Location"] == path(payment)
    again = Mail.objects.exclude(pk=first.pk).get(kind="receipt")
    assert (again.to[0], again.data) == ("dana@reed.example", first.data)
    assert kinds.receipt.content(again).subject == kinds.receipt.content(first).subject
    event = Event.objects.get(type="payment.receipt_resent")
    assert (event.payment, event.actor_label, event.data) == (payment, "Bob", {"to": again.to})


def test_double_click_sends_receipt_once(bob: Client, invoice: Invoice) -> None:
    url = path(personas.record_check(invoice, 30_000), "receipt/")
    form = hidden_fields(bob.get(url))
    assert [bob.post(url, form).status_code for _ in range(2)] == [302, 302]
    assert Mail.objects.filter(kind="receipt").count() == 1
    assert confirm_page(bob, url).status_code == 302
    assert Mail.objects.filter(kind="receipt").count() == 2


def test_receipt_of_offline_payment_has_its_figures(bob: Client, invoice: Invoice) -> None:
    payment = personas.record_check(invoice, 30_000)
    confirm_page(bob, path(payment, "receipt/"))
    data = Mail.objects.get(kind="receipt").data
    assert (data["allocated_minor"], data["amount_due_minor"]) == (30_000, 70_000)
    assert "amount_minor" not in data


def test_receipt_is_not_sent_where_there_is_none(bob: Client, invoice: Invoice) -> None:
    waiting = personas.pending_payment(invoice, 30_000)
    assert "so there is no receipt" in bob.get(path(waiting, "receipt/")).content.decode()
    with pytest.raises(Conflict):
        receipts.resend(waiting, by=OPERATOR, now=now())
    bounced = personas.reverse_check(personas.record_check(personas.sent_invoice(invoice.customer), 1_000))
    assert confirm_page(bob, path(bounced, "receipt/")).status_code == 409
    assert not Mail.objects.filter(kind="receipt").exists()


def test_receipts_that_a_member_sends_again_are_limited(invoice: Invoice, settings: object) -> None:
    settings.PARTWAY_MAILS_PER_LINK = 2  # type: ignore[attr-defined]
    payment, by = (
        personas.record_check(invoice, 1_000, send_receipt=True),
        personas.owner_actor(invoice.organization),
    )
    for _ in range(2):
        receipts.resend(payment, by=by, now=now())
    with pytest.raises(RateLimited):
        receipts.resend(payment, by=by, now=now())
    receipts.resend(payment, by=by, now=now() + timedelta(hours=1))


def test_reader_sees_payment_and_no_act(charlie: Client, invoice: Invoice) -> None:
    page = text(charlie, personas.record_check(invoice, 1_000))
    assert "Download Receipt" in page
    for act in ("Send Receipt Again", "Record Refund", "Reverse Payment"):
        assert act not in page


def test_act_that_begins_on_the_page_of_a_payment_ends_there(alice: Client, invoice: Invoice) -> None:
    paid = personas.record_check(invoice, 20_000)
    acts = re.findall(r'href="([^"]+)\?opened_on=payment"', alice.get(path(paid)).content.decode())
    assert sorted(acts) == [path(paid, "refund/"), path(paid, "reverse/")]
    for act in acts:
        page = alice.get(f"{act}?opened_on=payment")
        assert page.context["back"] == path(paid)
        assert page.content.decode().count('name="opened_on" value="payment"') == 1
    reversed_ = alice.post(path(paid, "reverse/"), {"reason": "Bounced.", "opened_on": "payment"})
    assert reversed_.headers["Location"] == path(paid)
    online = personas.captured_payment(invoice, 20_000)
    assert f"{path(online, 'gateway-refund/')}?opened_on=payment" in alice.get(path(online)).content.decode()
    for opened_on, back in (("payment", path(online)), ("", f"/o/alder/invoices/{invoice.pk}/")):
        page = alice.get(path(online, "gateway-refund/"), {"opened_on": opened_on})
        assert page.context["back"] == back
