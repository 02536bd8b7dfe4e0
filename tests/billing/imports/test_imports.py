"""Files are checked row by row, imported whole or not at all, and once however often they come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from partway.accounts.models import ApiKey, Member, Organization
from partway.billing.errors import Conflict, Invalid, field_error
from partway.billing.events import key_actor, member_actor
from partway.billing.imports import runs, uploads
from partway.billing.imports.problems import Problem
from partway.billing.imports.uploads import Formats, UploadedFile
from partway.billing.journal import closing
from partway.billing.models import Customer, Event, Import, Invoice, Mail, Payment, Quote
from partway.lib.clock import now, today
from partway.lib.table_files import WINDOWS, Table, read_table
from tests.api.program import program
from tests.support import personas
from tests.support.concurrency import meanwhile, run_behind_open_transaction

INVOICES = "Invoice No;Customer No;Amount;Due date;Paid;Paid on\n"
PAID = Formats(
    {
        "external_reference": "Invoice No",
        "customer_reference": "Customer No",
        "amount": "Amount",
        "due_on": "Due date",
        "amount_paid": "Paid",
        "paid_on": "Paid on",
    },
    decimal_mark=",",
    date_format="DD.MM.YYYY",
    payment_method="Check",
)
PEOPLE = "id,name,email\n7,Ann Reed,ann@reed.example\n8,Bo Pike,bo@pike.example\n"


def upload(organization: Organization, text: str, kind: str = "invoices") -> Import:
    file = UploadedFile(kind, f"{kind}.csv", text.encode())
    return uploads.upload(organization, file=file, by=personas.owner_actor(organization), now=now())


def check(run: Import, formats: Formats | None = None) -> Import:
    by = personas.owner_actor(run.organization)
    uploads.check(run, formats=formats or Formats(run.columns), by=by, now=now())
    return work(run)


def work(run: Import) -> Import:
    assert runs.run_due(now=now()) == 1
    run.refresh_from_db()
    return run


def imported(run: Import) -> Import:
    assert run.status == "ready", problems(run)
    uploads.confirm(run, by=personas.owner_actor(run.organization), now=now())
    return work(run)


def problems(run: Import) -> list[tuple[int, str, str]]:
    found = [Problem.read(stored) for stored in run.problems]
    return [(problem.row, problem.field, problem.error.code) for problem in found]


@pytest.fixture
def ann(organization: Organization) -> Customer:
    """A customer of alder that was imported with the reference 7."""
    imported(check(upload(organization, PEOPLE, "customers")))
    return Customer.objects.get(external_reference="7")


def test_customers_are_imported_once(organization: Organization, ann: Customer) -> None:
    assert (ann.name, ann.email) == ("Ann Reed", "ann@reed.example")
    first = Import.objects.get()
    assert (first.status, first.made_count, bytes(first.content)) == ("done", 2, b"")
    changed = PEOPLE.replace("Bo Pike", "Bo Park")
    again = imported(check(upload(organization, changed, "customers")))
    assert (again.made_count, again.present_count, Customer.objects.count()) == (0, 2, 2)
    bo = Customer.objects.get(external_reference="8")
    assert again.differing == [{"row": 3, "id": bo.pk, "fields": ["name"]}]
    finished = Event.objects.filter(type="organization.import_finished")
    assert [event.data["made"] for event in finished.order_by("created_at")] == [2, 0]


def test_check_of_a_file_makes_nothing(organization: Organization) -> None:
    run = check(upload(organization, PEOPLE, "customers"))
    assert (run.status, run.made_count, run.checked_count) == ("ready", 2, 2)
    assert not Customer.objects.exists()
    assert not Event.objects.filter(type="customer.created").exists()


@pytest.mark.django_db(transaction=True)
def test_file_is_read_while_no_transaction_is_open(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_at_reading = []

    def read(*args: Any, **named: Any) -> Table:
        open_at_reading.append(connection.in_atomic_block)
        return read_table(*args, **named)

    monkeypatch.setattr(uploads, "read_table", read)
    check(upload(organization, PEOPLE, "customers"))
    assert open_at_reading == [False] * 3


def test_invoice_is_issued_without_a_mail_with_what_was_paid(
    organization: Organization, ann: Customer
) -> None:
    run = upload(
        organization, INVOICES + "R-1;7;1.234,50;31.01.2026;234,50;15.01.2026\nR-2;7;10;1.2.2026;;\n"
    )
    assert imported(check(run, PAID)).made_count == 2
    one, two = Invoice.objects.order_by("number")
    assert (one.number, one.external_reference, one.status, one.customer) == ("INV-0001", "R-1", "sent", ann)
    assert (one.total_minor, one.amount_paid_minor, one.amount_due_minor) == (123_450, 23_450, 100_000)
    payment = Payment.objects.get()
    assert (payment.method, str(payment.paid_on), payment.invoice) == ("Check", "2026-01-15", one)
    assert (two.total_minor, two.amount_paid_minor) == (1_000, 0)
    assert not Mail.objects.exists()


def test_quote_is_a_draft_with_its_deposit(organization: Organization, ann: Customer) -> None:
    text = "number,email,amount,tax,valid until,deposit %,currency\nQ-1,ANN@reed.example,1000,10%,2035-01-31,30,eur\n"
    run = upload(organization, text, "quotes")
    imported(check(run, Formats(run.columns, decimal_mark=".", date_format="YYYY-MM-DD")))
    quote = Quote.objects.get()
    assert (quote.status, quote.total_minor, quote.deposit_minor) == ("draft", 110_000, 33_000)
    assert (quote.currency, quote.customer) == ("EUR", ann)


WRONG: dict[str, tuple[str, tuple[int, str, str]]] = {
    "amount": ("R-1;7;12x;1.2.2026;;", (2, "amount", "cell_number")),
    "other decimals": ("R-1;7;12.50;1.2.2026;;", (2, "amount", "cell_number")),
    "too many decimals": ("R-1;7;12,505;1.2.2026;;", (2, "amount", "cell_decimals")),
    "negative": ("R-1;7;-12;1.2.2026;;", (2, "amount", "line_unit_amount")),
    "zero": ("R-1;7;0;1.2.2026;;", (2, "amount", "nothing_due.draft")),
    "huge": ("R-1;7;" + "9" * 30 + ";1.2.2026;;", (2, "amount", "cell_amount_too_large")),
    "no such day": ("R-1;7;12;31.2.2026;;", (2, "due_on", "cell_day")),
    "other format of days": ("R-1;7;12;2026-02-01;;", (2, "due_on", "cell_day")),
    "another century": ("R-1;7;12;1.2.1826;;", (2, "due_on", "date_out_of_range")),
    "no day": ("R-1;7;12;;;", (2, "due_on", "cell_empty")),
    "no reference": (";7;12;1.2.2026;;", (2, "external_reference", "cell_empty")),
    "twice": (
        "R-1;7;12;1.2.2026;;\nR-1;7;12;1.2.2026;;",
        (3, "external_reference", "import_reference_twice"),
    ),
    "unknown customer": ("R-1;9;12;1.2.2026;;", (2, "customer_reference", "import_customer_unknown")),
    "no customer": ("R-1;;12;1.2.2026;;", (2, "customer_reference", "cell_empty")),
    "paid more": ("R-1;7;12;1.2.2026;13;1.2.2026", (2, "amount_paid", "amount_exceeds_due.keep_as_credit")),
    "paid less than nothing": ("R-1;7;12;1.2.2026;-1;1.2.2026", (2, "amount_paid", "amount_too_small")),
    "paid tomorrow": ("R-1;7;12;1.2.2026;1;1.2.2090", (2, "paid_on", "paid_on_in_future")),
    "paid on no day": ("R-1;7;12;1.2.2026;1;", (2, "paid_on", "import_paid_on_missing")),
    "too many cells": ("R-1;7;12;1.2.2026;;;x", (2, "", "import_row_too_long")),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_row_is_named_and_nothing_imported(
    organization: Organization, ann: Customer, name: str
) -> None:
    lines, problem = WRONG[name]
    run = check(upload(organization, INVOICES + lines + "\nR-9;7;1;1.2.2026;;\n"), PAID)
    assert (run.status, problems(run)) == ("refused", [problem])
    with pytest.raises(Conflict, match="import_not_ready"):
        uploads.confirm(run, by=personas.owner_actor(organization), now=now())
    assert not Invoice.objects.exists()


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ("R-1;9;12;1.2.2026;13;1.2.2026", {"customer_reference", "amount_paid"}),
        ("R-1;9;12;1.2.20;13;1.2.2090", {"customer_reference", "due_on", "amount_paid", "paid_on"}),
        (";7;x;1.2.2026;13;", {"external_reference", "amount", "paid_on"}),
        ("R-1;7;;;;", {"amount", "due_on"}),
    ],
)
def test_every_fault_of_a_row_is_named_in_one_check(
    organization: Organization, ann: Customer, line: str, fields: set[str]
) -> None:
    run = check(upload(organization, INVOICES + line + "\nR-9;7;1;1.2.2026;;\n"), PAID)
    assert {field for _row, field, _code in problems(run)} == fields
    assert (run.made_count, Customer.objects.count()) == (1, 2)


def test_wrong_currency_is_named_with_the_other_faults_of_its_row(
    organization: Organization, ann: Customer
) -> None:
    formats = replace(PAID, columns={**PAID.columns, "currency": "Currency"})
    text = INVOICES.replace("\n", ";Currency\n") + "R-1;9;12;1.2.2026;13;1.2.2026;XYZ\n"
    run = check(upload(organization, text), formats)
    assert {field for _row, field, _code in problems(run)} == {
        "currency",
        "customer_reference",
        "amount_paid",
    }


def test_wrong_address_beside_an_empty_name_is_named_too(organization: Organization) -> None:
    run = check(upload(organization, "id,name,email\n7,,nomail\n", "customers"))
    assert {field for _row, field, _code in problems(run)} == {"name", "email"}


@pytest.mark.parametrize("by", ["member", "key"])
def test_import_of_a_member_or_key_that_was_removed_is_not_made(organization: Organization, by: str) -> None:
    run = check(upload(organization, PEOPLE, "customers"))
    key = program(organization, "admin").key
    leaving = personas.member(organization, "Olga", "owner")
    uploads.confirm(run, by=member_actor(leaving) if by == "member" else key_actor(key), now=now())
    Member.objects.filter(pk=leaving.pk).update(role="collector")
    ApiKey.objects.update(revoked_at=now())
    assert (work(run).status, Customer.objects.count()) == ("ready", 0)
    uploads.confirm(run, by=personas.owner_actor(organization), now=now())
    assert work(run).status == "done"


@pytest.mark.django_db(transaction=True)
@pytest.mark.locks
def test_imports_of_the_same_references_in_another_order_find_each_other() -> None:
    """Where one is confirmed in the moment in which another worker claims the other, both are begun."""
    organization = personas.alder().organization
    people = [f"{number},Ann,ann@reed.example\n" for number in range(20)]
    older, newer = (
        check(upload(organization, "id,name,email\n" + "".join(lines), "customers"))
        for lines in (people, people[::-1])
    )

    def claimed(run: Import) -> Import:
        uploads.confirm(run, by=personas.owner_actor(organization), now=now())
        Import.objects.filter(pk=run.pk).update(attempt_count=1)
        return Import.objects.get(pk=run.pk)

    begun = claimed(newer)
    run_behind_open_transaction(
        lambda: runs._import(begun, now()), lambda: runs._import(claimed(older), now())
    )
    counts = Import.objects.order_by("pk").values_list("status", "made_count", "present_count")
    assert list(counts) == [("done", 0, 20), ("done", 20, 0)]


def test_row_that_became_wrong_after_the_check_leaves_nothing(
    organization: Organization, ann: Customer
) -> None:
    run = check(upload(organization, INVOICES + "R-1;7;5;1.2.2026;;\nR-2;8;5;1.2.2026;1;1.2.2026\n"), PAID)
    organization.payment_modes = ["Cash"]
    organization.save()
    uploads.confirm(run, by=personas.owner_actor(organization), now=now())
    assert (work(run).status, problems(run)) == ("refused", [(3, "paid_by", "payment_mode_unknown")])
    assert not Invoice.objects.exists()


def test_import_does_not_try_a_row_again_that_became_wrong(organization: Organization, ann: Customer) -> None:
    """Others wait for the import: only the check looks for all that is wrong with a row."""
    run = check(upload(organization, INVOICES + "R-1;7;5;1.2.2026;1;1.2.2026\n"), PAID)
    Customer.objects.update(external_reference=None)
    Organization.objects.update(payment_modes=["Cash"])
    uploads.confirm(run, by=personas.owner_actor(organization), now=now())
    assert problems(work(run)) == [(2, "customer_reference", "import_customer_unknown")]


def test_payment_in_a_closed_period_is_booked_after_it(organization: Organization, ann: Customer) -> None:
    yesterday = today(now(), organization.time_zone) - timedelta(days=1)
    closing.close(organization, through=yesterday, by=personas.owner_actor(organization), now=now())
    run = upload(organization, INVOICES + "R-1;7;5;1.2.2026;5;1.2.2026\n")
    assert imported(check(run, PAID)).made_count == 1
    assert Invoice.objects.get().status == "paid"


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"columns": {}}, {"external_reference", "amount", "due_on", "customer_reference", "payment_method"}),
        ({"columns": {**PAID.columns, "notes": "Nope", "color": "Paid"}}, {"notes", "color"}),
        ({"columns": {**PAID.columns, "paid_on": ""}}, {"paid_on"}),
        ({"decimal_mark": ""}, {"decimal_mark"}),
        ({"date_format": "D/M/Y"}, {"date_format"}),
        ({"payment_method": "Barter"}, {"payment_method"}),
        ({"columns": {**PAID.columns, "amount_paid": ""}}, {"payment_method"}),
    ],
)
def test_formats_are_asked_and_never_guessed(
    organization: Organization, changes: Mapping[str, Any], fields: set[str]
) -> None:
    run = upload(organization, INVOICES + "R-1;7;5;1.2.2026;;\n")
    of = {name: getattr(PAID, name) for name in Formats.__slots__} | dict(changes)
    with pytest.raises(Invalid) as refused:
        uploads.check(run, formats=Formats(**of), by=personas.owner_actor(organization), now=now())
    assert {name.removeprefix("columns.") for name in refused.value.fields} == fields


@pytest.mark.parametrize("name", ["decimal_mark", "date_format", "payment_method"])
def test_format_that_no_column_is_read_by_is_refused(organization: Organization, name: str) -> None:
    run = upload(organization, PEOPLE, "customers")
    unused = Formats(run.columns, **{name: getattr(PAID, name)})
    with pytest.raises(Invalid) as refused:
        uploads.check(run, formats=unused, by=personas.owner_actor(organization), now=now())
    assert refused.value.fields == {name: field_error("import_format_unused")}


@pytest.mark.parametrize(
    "start", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"]
)
def test_encoding_of_a_file_that_says_its_own_is_refused(organization: Organization, start: bytes) -> None:
    file = UploadedFile("customers", "file", start + PEOPLE.encode(), WINDOWS)
    with pytest.raises(Invalid) as refused:
        uploads.upload(organization, file=file, by=personas.owner_actor(organization), now=now())
    assert refused.value.fields == {"encoding": field_error("import_encoding_unused")}


def test_import_whose_worker_dies_is_tried_again_and_fails_in_the_end(organization: Organization) -> None:
    run = upload(organization, PEOPLE, "customers")
    uploads.check(run, formats=Formats(run.columns), by=personas.owner_actor(organization), now=now())
    Import.objects.update(attempt_count=runs.MAX_ATTEMPTS)
    assert work(run).status == "failed"
    uploads.delete_abandoned(now=now() + uploads.RETENTION)
    assert not Import.objects.exists()


def test_import_that_another_worker_has_is_left(organization: Organization) -> None:
    run = check(upload(organization, PEOPLE, "customers"))
    uploads.confirm(run, by=personas.owner_actor(organization), now=now())
    run.refresh_from_db()
    Import.objects.update(attempt_count=1)
    runs._import(run, now())
    assert not Customer.objects.exists()


def confirmed(*organizations: Organization) -> list[Import]:
    """Returns a file of customers of each organization that the worker is to import."""
    found = [check(upload(organization, PEOPLE, "customers")) for organization in organizations]
    return [uploads.confirm(run, by=personas.owner_actor(run.organization), now=now()) for run in found]


def attempts() -> list[tuple[str, int]]:
    return list(Import.objects.order_by("pk").values_list("status", "attempt_count"))


def test_file_waits_unclaimed_while_another_of_its_organization_is_begun(organization: Organization) -> None:
    confirmed(organization, organization, personas.mallory().organization)
    list(runs.RUNNING.take(now(), limit=1, wait=lambda _: runs.LEASE))  # by a worker that was killed
    assert runs.run_due(now=now()) == 1
    assert attempts() == [("importing", 1), ("importing", 0), ("done", 1)]
    assert [runs.run_due(now=now() + runs.LEASE) for _ in range(3)] == [1, 1, 0]
    assert attempts() == [("done", 2), ("done", 1), ("done", 1)]


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite lets one write at a time")
@pytest.mark.django_db(transaction=True)
@pytest.mark.locks
def test_file_that_takes_longer_than_its_lease_delays_no_other_organization() -> None:
    confirmed(personas.alder().organization, personas.mallory().organization)
    processed = []
    after_lease = now() + runs.LEASE + timedelta(seconds=1)
    with meanwhile("billing_customer", lambda: processed.append(runs.run_due(now=after_lease))):
        runs.run_due(now=now())
    assert (processed, attempts()) == ([1], [("done", 1), ("done", 1)])
