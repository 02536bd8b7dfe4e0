"""The acts that meet in a race, by the names that the tables call them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from partway.billing.checkouts.payability import GRACE
from partway.billing.documents import invoices, quotes
from partway.billing.models import Callback, Invoice, Payment, PaymentRequest, Quote
from partway.billing.payments.callbacks import receive_callback
from partway.billing.payments.refresh import refresh_payment
from partway.billing.payments.start import check_payable
from partway.billing.people import organizations
from partway.billing.receivables import credit, offline_payments
from partway.billing.requests import payment_requests
from partway.delivery.mail import sending
from partway.lib.clock import now as present
from partway.lib.clock import today
from partway.lib.money import Money
from tests import personas
from tests.billing.races.scenes import Scene
from tests.billing.test_changing_invoices import draft as rewritten
from tests.billing.test_offline_payments import record
from tests.gateways.company import Heard

MOMENT = timedelta(seconds=1)


# The customer


def pay(scene: Scene) -> Payment:
    """The request, from the button to the end of it."""
    return scene.world.collect(scene.asked)


def pay_all(scene: Scene) -> Payment:
    """The whole amount due by Pay Now, as the page showed it before the race."""
    return scene.world.collect(scene.invoice)


def pay_deposit(scene: Scene) -> Payment:
    return scene.world.collect(scene.quote)


def come_back(scene: Scene) -> Payment:
    """The browser returns from the checkout, so we ask the company."""
    return refresh_payment(scene.payment, now=present())


def fill_in(scene: Scene) -> Payment:
    """The form of the checkout with a good card, and come back."""
    scene.world.pay(scene.payment)
    return come_back(scene)


def begin_late(scene: Scene) -> Payment:
    """Press Pay at the moment at which the request expires."""
    return scene.world.start(scene.asked, now=scene.asked.expires_at)


def open_full_page(scene: Scene) -> str:
    check_payable(scene.invoice, now=present())
    invoices.mark_opened(scene.invoice, now=present())
    return "opened"


def accept(scene: Scene) -> Quote:
    return quotes.accept(
        scene.quote, evidence=quotes.Evidence("Dana", None), by=scene.customer, now=present()
    )


def decline(scene: Scene) -> Quote:
    return quotes.decline(scene.quote, reason="", by=scene.customer, now=present())


# The company


def callback(scene: Scene) -> Callback:
    """The first that it called about the payment."""
    return _hear(scene, scene.world.callback(scene.payment, scene.called))


def early_callback(scene: Scene) -> Callback | str:
    """The customer pays in another tab, and the company calls before we may know its name for the checkout."""
    started = scene.invoice.payments.first()
    line = scene.world.ledger().get(started.pk) if started else None
    if line is None:
        return "nothing to pay yet"
    started.checkout_ref = line["id"]
    started.checkout_url = scene.world.page(line["id"])
    scene.world.pay(started)
    return _hear(scene, scene.world.callback(started, "authorized"))


def _hear(scene: Scene, heard: Heard) -> Callback:
    stored = receive_callback(scene.world.account, body=heard.body, headers=heard.headers, now=present())
    stored.refresh_from_db()
    return stored


# The members


def request(scene: Scene) -> PaymentRequest:
    return personas.ask(scene.invoice, 30_000)


def request_other(scene: Scene) -> PaymentRequest:
    return personas.ask(scene.invoice, 40_000)


def same_form(scene: Scene) -> PaymentRequest:
    """The form of one dialog; each time it is the same one."""
    ask = payment_requests.Ask(
        Money(30_000, "USD"), to=(scene.dana.email,), form_key=f"form-{scene.invoice.pk}"
    )
    return payment_requests.create(scene.invoice, ask=ask, by=scene.alice, now=present())


def resend(scene: Scene) -> str:
    payment_requests.resend(scene.asked, by=scene.alice, now=present())
    return "resent"


def cancel(scene: Scene) -> PaymentRequest:
    return payment_requests.cancel(scene.asked, by=scene.alice, now=present())


def void(scene: Scene) -> Any:
    return invoices.void(scene.invoice, by=scene.alice, now=present())


def send(scene: Scene) -> Any:
    return invoices.send(scene.invoice, by=scene.alice, now=present())


def send_quote(scene: Scene) -> Quote:
    return quotes.send(scene.quote, by=scene.alice, now=present())


def write_off(scene: Scene) -> Any:
    return invoices.write_off(scene.invoice, by=scene.alice, now=present())


def edit_down(scene: Scene) -> Any:
    """To $250.00, which is less than the request asks for."""
    return _edited(scene, 25_000)


def edit_up(scene: Scene) -> Any:
    return _edited(scene, 120_000)


def _edited(scene: Scene, total_minor: int) -> Invoice:
    held = scene.invoice
    draft = rewritten(held, total_minor)
    return invoices.edit(held, draft=draft, version=held.version, by=scene.alice, now=present())


def record_800(scene: Scene) -> Payment:
    """With it the request of $300.00 no longer fits."""
    return record(scene.invoice, 80_000, scene.alice)


def record_500(scene: Scene) -> Payment:
    """With it the request of $300.00 still fits."""
    return record(scene.invoice, 50_000, scene.alice)


def record_once(scene: Scene) -> Payment:
    """The form of one dialog; each time it is the same one."""
    return record(scene.invoice, 40_000, scene.alice, form_key=f"record-{scene.invoice.pk}")


def reverse(scene: Scene) -> Payment:
    return offline_payments.reverse(scene.payment, reason="It bounced.", by=scene.alice, now=present())


def apply_credit(scene: Scene) -> str:
    return _applied(scene, scene.invoice, f"apply-{scene.invoice.pk}")


def apply_to_other(scene: Scene) -> str:
    return _applied(scene, scene.other)


def _applied(scene: Scene, invoice: Invoice, form_key: str | None = None) -> str:
    """All of it; on the invoice the request of $300.00 no longer fits then."""
    amount = Money(80_000, "USD")
    credit.apply(invoice, amount=amount, by=scene.alice, now=present(), form_key=form_key)
    return "applied"


def release(scene: Scene) -> str:
    credit.release(scene.invoice, scene.payment, by=scene.alice, now=present())
    return "released"


def switch_off(scene: Scene) -> str:
    organizations.switch_payments(scene.organization, on=False, by=scene.alice, now=present())
    return "off"


def make_invoice(scene: Scene) -> Any:
    return quotes.make_invoice(scene.quote, by=scene.alice, now=present())


def record_deposit(scene: Scene) -> Payment:
    return personas.pay_deposit(scene.quote)


# The worker


def expire(scene: Scene) -> str:
    """The time of the request is over, and so is the grace of a checkout that was begun in time."""
    return _expired(scene, GRACE)


def expire_in_grace(scene: Scene) -> str:
    return _expired(scene, GRACE - MOMENT)


def _expired(scene: Scene, wait: timedelta) -> str:
    ended = payment_requests.expire(scene.asked, now=scene.asked.expires_at + wait)
    return "expired" if ended else "not expired"


def expire_quote(scene: Scene) -> str:
    """The day after its last one."""
    days = scene.quote.valid_until - today(present(), scene.quote.organization.time_zone)
    ended = quotes.expire(scene.quote, now=present() + days + timedelta(days=1))
    return "expired" if ended else "not expired"


def mail(scene: Scene) -> str:
    sending.send_due(now=present())
    return "mailed"


ACTS: dict[str, Callable[[Scene], Any]] = {
    "pay": pay,
    "pay all": pay_all,
    "pay deposit": pay_deposit,
    "come back": come_back,
    "fill in": fill_in,
    "begin late": begin_late,
    "open full page": open_full_page,
    "accept": accept,
    "decline": decline,
    "callback": callback,
    "early callback": early_callback,
    "request": request,
    "request other": request_other,
    "same form": same_form,
    "resend": resend,
    "cancel": cancel,
    "void": void,
    "send": send,
    "send quote": send_quote,
    "write off": write_off,
    "edit down": edit_down,
    "edit up": edit_up,
    "record 800": record_800,
    "record 500": record_500,
    "record once": record_once,
    "reverse": reverse,
    "apply credit": apply_credit,
    "apply to other": apply_to_other,
    "release": release,
    "switch off": switch_off,
    "make invoice": make_invoice,
    "record deposit": record_deposit,
    "expire": expire,
    "expire in grace": expire_in_grace,
    "expire quote": expire_quote,
    "mail": mail,
}
