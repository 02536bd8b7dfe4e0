"""The web server or the worker is killed at any stop point of taking money: the customer is charged exactly once."""

from __future__ import annotations

from partway.accounts.models import GatewayAccount
from partway.billing import links
from partway.billing.models import Payment
from partway.lib.clock import now as present

from .scene import PAID, Scene, path_of
from .town import COMMIT, Stop, at_each_of

PAY = (
    *("event payment.started", *COMMIT),
    *("call start", *COMMIT, "before start", "after start", "noted start"),
)

CAPTURE = (
    *("before fetch", "after fetch"),
    *("event payment.authorized", "event payment.capturing", *COMMIT),
    *("call capture", *COMMIT, "before capture", "after capture", "noted capture"),
    *("event payment.succeeded", "event payment_request.paid", *COMMIT),
)


@at_each_of(*PAY)
def test_while_pay_is_pressed(scene: Scene, stop: Stop) -> None:
    page = scene.dana_opens(scene.link)
    with scene.town.killing(stop, f"POST {path_of(scene.link)}pay/"):
        scene.dana.submit(page.form(to="/pay/"))
    scene.dana_collects()
    scene.comes_to_rest()
    assert scene.outcome() == PAID


@at_each_of(*COMMIT, *CAPTURE)
def test_while_a_callback_is_booked(scene: Scene, stop: Stop) -> None:
    scene.one_thing_is_reported()
    with scene.town.killing(stop, f"POST /callbacks/{scene.account.pk}/"):
        scene.authorize()
    scene.comes_to_rest()
    assert scene.outcome() == PAID


@at_each_of(*CAPTURE)
def test_while_the_customer_comes_back(scene: Scene, stop: Stop) -> None:
    scene.nothing_is_reported()
    receipt = links.receipt_url(scene.authorize())
    page = scene.dana_opens(receipt)
    with scene.town.killing(stop, f"POST {path_of(receipt)}state/"):
        scene.dana.submit(page.form(to="/state/"))
    scene.dana.submit(page.form(to="/state/")).must_answer(200)
    scene.comes_to_rest()
    scene.dana_opens(receipt).must_say("$300.00", "$700.00")
    assert scene.outcome() == PAID


@at_each_of(*CAPTURE)
def test_while_the_worker_reads_the_list_of_the_company(scene: Scene, stop: Stop) -> None:
    scene.nothing_is_reported()
    scene.authorize()
    with scene.town.killing(stop, "job gateways' lists"):
        GatewayAccount.objects.filter(pk=scene.account.pk).update(list_at=present())
    scene.comes_to_rest()
    assert scene.outcome() == PAID


@at_each_of(*CAPTURE)
def test_while_the_worker_looks(scene: Scene, stop: Stop) -> None:
    scene.nothing_is_reported()
    payment = scene.authorize()
    with scene.town.killing(stop, "job unsettled payments"):
        Payment.objects.filter(pk=payment.pk).update(check_at=present())
    scene.comes_to_rest()
    assert scene.outcome() == PAID
