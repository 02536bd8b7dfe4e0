"""A mail is claimed, checked for validity and sent, and every attempt is recorded."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail as sent_by_django
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection
from pytest_django import Settings

from partway.billing.documents import invoices
from partway.billing.models import Event, Invoice, Mail, PaymentRequest
from partway.billing.requests import payment_requests
from partway.delivery.mail import sending
from partway.lib.clock import now
from tests.support import personas

FOLLOW_UP_DELAY = timedelta(seconds=1)


class FailingBackend(BaseEmailBackend):
    """A mail service that fails in an unforeseen way."""

    def send_messages(self, email_messages: object) -> int:
        raise RuntimeError("the moon is in the way\nand a second line")


class InspectingBackend(BaseEmailBackend):
    """Runs a callback while a message is being sent."""

    @staticmethod
    def meanwhile() -> None: ...

    def send_messages(self, email_messages: list[EmailMessage]) -> int:
        InspectingBackend.meanwhile()
        return len(email_messages)


def _use(settings: Settings, backend: type[BaseEmailBackend]) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.{backend.__name__}"


def _later(mail: Mail) -> datetime:
    mail.refresh_from_db()
    return mail.next_attempt_at + FOLLOW_UP_DELAY


def test_a_due_mail_is_sent_once(mail: Mail) -> None:
    assert [sending.send_due(now=now()) for _ in range(2)] == [1, 0]
    mail.refresh_from_db()
    assert (mail.status, mail.attempt_count) == ("sent", 1)
    assert len(sent_by_django.outbox) == 1


def test_mail_attempt_is_recorded(mail: Mail) -> None:
    sending.send_due(now=now())
    tried = mail.attempts.get()
    assert (tried.number, tried.error_code) == (1, "")


def test_send_due_sends_oldest_mails_up_to_limit(invoice: Invoice, mail: Mail) -> None:
    invoices.resend(invoice, by=personas.owner_actor(invoice.organization), now=now())
    assert sending.send_due(now=now(), limit=1) == 1
    assert "asks for" in sent_by_django.outbox[0].subject


def test_a_mail_whose_time_has_not_come_waits(mail: Mail) -> None:
    Mail.objects.update(next_attempt_at=now() + timedelta(hours=1))
    assert sending.send_due(now=now()) == 0


def test_mail_of_canceled_request_is_dropped(mail: Mail, request_: PaymentRequest) -> None:
    payment_requests.cancel(request_, by=personas.owner_actor(request_.organization), now=now())
    sending.send_due(now=now())
    mail.refresh_from_db()
    assert mail.status == "dropped"
    assert not sent_by_django.outbox


def test_mail_of_void_invoice_is_dropped(organization: object, invoice: Invoice) -> None:
    by = personas.owner_actor(invoice.organization)
    invoices.resend(invoice, by=by, now=now())
    invoices.void(invoice, by=by, now=now())
    sending.send_due(now=now())
    assert not sent_by_django.outbox


def test_receipt_mail_of_reversed_check_is_dropped(invoice: Invoice) -> None:
    personas.reverse_check(personas.record_check(invoice, 40_000, send_receipt=True))
    sending.send_due(now=now())
    assert Mail.objects.get(kind="receipt").status == "dropped"
    assert not sent_by_django.outbox


def test_failed_mail_attempt_records_error_and_is_retried(mail: Mail, settings: Settings) -> None:
    _use(settings, FailingBackend)
    at = now()
    sending.send_due(now=at)
    mail.refresh_from_db()
    tried = mail.attempts.get()
    assert (tried.error_code, tried.error_params) == ("unknown", {"error": "the moon is in the way"})
    assert mail.status == "queued"
    assert timedelta(seconds=29) < mail.next_attempt_at - at < timedelta(seconds=35)


def test_mail_retries_back_off_and_end_after_two_days(mail: Mail, settings: Settings) -> None:
    _use(settings, FailingBackend)
    began = at = now()
    waits = []
    while mail.status == "queued":
        sending.send_due(now=at)
        mail.refresh_from_db()
        waits.append(round((mail.next_attempt_at - at).total_seconds()))  # the attempt takes time
        at = _later(mail)
    assert mail.status == "failed"
    assert mail.attempts.count() == len(sending.BACK_OFF) + 1
    assert waits[:-1] == sorted(waits[:-1])
    assert timedelta(days=1.8) < at - began < timedelta(days=2.2)


def test_permanently_failed_mail_records_event(mail: Mail, settings: Settings) -> None:
    _use(settings, FailingBackend)
    Mail.objects.filter(pk=mail.pk).update(attempt_count=len(sending.BACK_OFF))
    sending.send_due(now=now())
    event = Event.objects.get(type="mail.failed")
    assert event.payment_request_id == mail.payment_request_id
    assert (event.data["code"], event.data["params"]) == ("unknown", {"error": "the moon is in the way"})


def test_failing_mail_does_not_delay_other_mails(mail: Mail, invoice: Invoice) -> None:
    Mail.objects.filter(pk=mail.pk).update(kind="no_such_kind")
    invoices.resend(invoice, by=personas.owner_actor(invoice.organization), now=now())
    assert sending.send_due(now=now()) == 2
    assert len(sent_by_django.outbox) == 1


def test_mail_of_killed_worker_is_sent_after_its_lease(mail: Mail, settings: Settings) -> None:
    Mail.objects.filter(pk=mail.pk).update(attempt_count=1, next_attempt_at=now() + sending.LEASE)
    assert sending.send_due(now=now()) == 0
    assert sending.send_due(now=_later(mail)) == 1
    assert mail.attempts.get().number == 2


def test_mail_retry_has_same_message_id(mail: Mail) -> None:
    sending.send_due(now=now())
    Mail.objects.filter(pk=mail.pk).update(status="queued")
    sending.send_due(now=_later(mail))
    first, second = (message.extra_headers["Message-ID"] for message in sent_by_django.outbox)
    assert first == second == f"<{mail.pk}@127.0.0.1>"


def test_mail_is_sent_outside_transaction(
    transactional_db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    personas.sent_invoice(personas.customer(personas.alder().organization))
    _use(settings, InspectingBackend)
    inside: list[bool] = []
    monkeypatch.setattr(
        InspectingBackend, "meanwhile", staticmethod(lambda: inside.append(connection.in_atomic_block))
    )
    sending.send_due(now=now())
    assert inside == [False]


def test_mail_being_sent_is_skipped(mail: Mail, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    _use(settings, InspectingBackend)
    dealt_with: list[int] = []

    def another() -> None:
        monkeypatch.setattr(InspectingBackend, "meanwhile", staticmethod(lambda: None))
        dealt_with.append(sending.send_due(now=now()))

    monkeypatch.setattr(InspectingBackend, "meanwhile", staticmethod(another))
    sending.send_due(now=now())
    assert dealt_with == [0]


def test_mail_outcome_counts_only_for_latest_attempt(
    mail: Mail, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _use(settings, InspectingBackend)
    another = Mail.objects.filter(pk=mail.pk)
    monkeypatch.setattr(InspectingBackend, "meanwhile", staticmethod(lambda: another.update(attempt_count=2)))
    sending.send_due(now=now())
    mail.refresh_from_db()
    assert (mail.status, mail.attempt_count) == ("queued", 2)
    assert mail.attempts.get().number == 1


def test_mail_claimed_by_another_worker_is_skipped(mail: Mail) -> None:
    another = Mail.objects.filter(pk=mail.pk, attempt_count=0)

    def claim_first(execute: Any, sql: str, *arguments: Any) -> Any:
        """Changes the row between the read and the claim."""
        if sql.startswith("UPDATE") and "faster" not in sent:
            sent.append("faster")
            another.update(attempt_count=1, next_attempt_at=now() + sending.LEASE)
        return execute(sql, *arguments)

    sent: list[str] = []
    with connection.execute_wrapper(claim_first):
        assert sending.send_due(now=now()) == 0
    assert (sent, sent_by_django.outbox) == (["faster"], [])


def test_many_workers_send_each_mail_once(transactional_db: None) -> None:
    customer = personas.customer(personas.alder().organization)
    for _ in range(6):
        personas.sent_invoice(customer)

    def work() -> None:
        sending.send_due(now=now())
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(sent_by_django.outbox) == 6
    assert len({message.extra_headers["Message-ID"] for message in sent_by_django.outbox}) == 6
