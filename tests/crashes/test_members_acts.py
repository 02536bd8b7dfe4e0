"""The web server or the worker is killed at any stop point of a member's act: it is done, or can be done again."""

from __future__ import annotations

from partway.billing.models import Event
from partway.worker.tour.visitor import Page

from .scene import CANCELED, PAID, Outcome, Scene
from .town import COMMIT, Stop, at_each_of

SESSION = COMMIT  # it keeps the words for the next page

CANCEL = (
    *("event payment_request.canceled", "event payment.closing", *COMMIT),
    *("call close", *COMMIT, "before close", "after close", "noted close"),
    *("event payment.canceled", *COMMIT),
    *SESSION,
)
RECORD = (
    *("event payment.recorded", "event payment_request.canceled", "event payment.closing", *COMMIT),
    *("call close", *COMMIT, "before close", "after close", "noted close"),
    *("event payment.canceled", *COMMIT),
    *SESSION,
)
REVERSE = ("event payment.reversed", "event invoice.reopened", *COMMIT, *SESSION)
RESEND = ("event payment_request.resent", *COMMIT, *SESSION)
SEND = ("mail payment_request", "sent payment_request", *COMMIT)


class Dialog:
    """What the owner confirms, once or again; `typed` goes over what its fields hold."""

    def __init__(self, scene: Scene, path: str, **typed: str) -> None:
        self.path = scene.path(path)
        self.act = f"POST {self.path}"
        self._alice = scene.alice
        self._typed = typed
        scene.alice_signs_in()
        self._form = scene.alice_opens(self.path).form(to=self.path)

    def confirm(self) -> Page:
        """The button in the dialog that stands open."""
        return self._alice.submit(self._form, **self._typed)


def dialog_of(scene: Scene, act: str) -> Dialog:
    """The dialog of an act on the open request."""
    return Dialog(scene, f"requests/{scene.request.pk}/{act}/")


@at_each_of(*CANCEL)
def test_while_a_request_is_canceled(scene: Scene, stop: Stop) -> None:
    scene.nothing_is_reported()
    payment, dialog = scene.start(), dialog_of(scene, "cancel")
    with scene.town.killing(stop, dialog.act):
        dialog.confirm()
    dialog.confirm().must_answer(200).must_say("is canceled")
    scene.dana.open(scene.link).must_answer(410).must_say("canceled")
    scene.comes_to_rest()
    assert scene.world.pay(payment).status_code == 410
    assert scene.outcome() == CANCELED


@at_each_of(*CANCEL)
def test_the_customer_pays_while_nobody_can_cancel(scene: Scene, stop: Stop) -> None:
    scene.nothing_is_reported()
    payment, dialog = scene.start(), dialog_of(scene, "cancel")
    with scene.town.killing(stop, dialog.act, meanwhile=lambda: scene.world.pay(payment)):
        dialog.confirm()
    scene.comes_to_rest()
    canceled = "after commit" in stop.passed
    assert scene.outcome() == (CANCELED if canceled else PAID)
    dialog.confirm().must_say("is canceled" if canceled else "Too late")


@at_each_of(*RESEND)
def test_while_a_link_is_mailed_again(scene: Scene, stop: Stop) -> None:
    dialog = dialog_of(scene, "resend")
    with scene.town.killing(stop, dialog.act):
        dialog.confirm()
    dialog.confirm().must_answer(200).must_say("is on its way again")
    arrived = [one["Message-ID"] for one in scene.mails()]
    resent = Event.objects.filter(payment_request=scene.request, type="payment_request.resent").count()
    assert resent == 1 + ("after commit" in stop.passed)
    assert len(set(arrived)) == len(arrived) == 1 + resent


@at_each_of(*SEND)
def test_while_the_worker_hands_over_a_mail(scene: Scene, stop: Stop) -> None:
    dialog = dialog_of(scene, "resend")
    [first] = scene.mails()
    with scene.town.killing(stop, "job mails"):
        dialog.confirm().must_answer(200).must_say("is on its way again")
    again = [one["Message-ID"] for one in scene.mails()[1:]]
    noted = "after commit" in stop.passed or "sent payment_request" not in stop.passed
    assert len(again) == (1 if noted else 2)
    assert len({first["Message-ID"], *again}) == 2


@at_each_of(*RECORD)
def test_while_an_offline_payment_is_recorded(scene: Scene, stop: Stop) -> None:
    scene.nothing_is_reported()
    online = scene.start()
    check = {"amount": "800.00", "method": "Check"}
    dialog = Dialog(scene, f"invoices/{scene.invoice.pk}/payment/", **check)
    with scene.town.killing(stop, dialog.act):
        dialog.confirm()
    dialog.confirm().must_answer(200).must_say("$800.00", "$200.00")
    scene.comes_to_rest()
    assert scene.world.pay(online).status_code == 410
    assert scene.outcome(online) == Outcome("canceled", "canceled", [], 80_000, 1)
    recorded = scene.organization.payments.exclude(pk=online.pk)
    assert [(payment.status, payment.captured_minor) for payment in recorded] == [("succeeded", 80_000)]


@at_each_of(*REVERSE)
def test_while_a_check_that_bounced_is_reversed(scene: Scene, stop: Stop) -> None:
    check = scene.check_for_all()
    dialog = Dialog(scene, f"payments/{check.pk}/reverse/", reason="It bounced.")
    with scene.town.killing(stop, dialog.act):
        dialog.confirm()
    dialog.confirm().must_answer(200)
    check.refresh_from_db()
    scene.invoice.refresh_from_db()
    assert (check.status, scene.invoice.status, scene.invoice.amount_paid_minor) == ("reversed", "sent", 0)
    assert Event.objects.filter(payment=check, type="payment.reversed").count() == 1
