"""Sort keys and search keys: written with every text, and found and sorted alike on both databases."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.db.models import F, QuerySet

from partway.accounts.models import Organization
from partway.billing.documents import invoices
from partway.billing.events import Actor
from partway.billing.models import Customer, Invoice
from partway.billing.models import search as searching
from partway.billing.models.search import Search, ids_of_text
from partway.billing.people import customers
from partway.billing.people.customers import CustomerDetails
from partway.lib.clock import now
from partway.lib.natural_sort import sort_key
from tests.billing.verification.corruption import differences_of
from tests.lib.test_natural_sort import NAMES_IN_ORDER
from tests.support import personas
from tests.support.searches import FINDS, MISSES


def named(organization: Organization, *names: str) -> list[str]:
    """Makes customers of these names, with addresses that contain none of what tests search for."""
    actor, at = personas.owner_actor(organization), now()
    details = [CustomerDetails(name, f"mail{number}@x.example") for number, name in enumerate(names)]
    return [customers.create(organization, details=one, by=actor, now=at).pk for one in details]


def found(organization: Organization, typed: str) -> list[str]:
    rows = Search(typed, organization).among(Customer.objects.all())
    return list(rows.order_by("sort_key", "id").values_list("name", flat=True))


def indexed_texts() -> dict[str, str]:
    """Returns the texts that SQLite's index has of customers, by id, put together from their trigrams."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE VIRTUAL TABLE temp.trigram USING fts5vocab(main, customer_search, instance)")
        cursor.execute(
            'SELECT "row", "term" FROM temp.trigram JOIN "customer_search_row" ON "entry" = "doc" ORDER BY 1, "offset"'
        )
        trigrams = cursor.fetchall()
        cursor.execute("DROP TABLE temp.trigram")
    texts: dict[str, str] = {}
    for pk, term in trigrams:
        texts[pk] = texts[pk] + term[-1] if pk in texts else term
    return texts


def test_customer_search_finds_what_folds_alike(organization: Organization) -> None:
    named(organization, *{stored for stored, _typed in FINDS})
    assert [case for case in FINDS if case[0] not in found(organization, case[1])] == []


def test_customer_search_finds_nothing_else(organization: Organization) -> None:
    named(organization, *{stored for stored, _typed in MISSES})
    assert [case for case in MISSES if case[0] in found(organization, case[1])] == []


@pytest.mark.parametrize("case", NAMES_IN_ORDER)
def test_customers_sort_by_folded_name(organization: Organization, case: str) -> None:
    names = NAMES_IN_ORDER[case]
    named(organization, *random.Random(3).sample(names, k=len(names)))  # noqa: S311 - the same each time
    rows = Customer.objects.for_organization(organization).order_by("sort_key", "id")
    assert list(rows.values_list("name", flat=True)) == names


def test_customers_of_one_name_sort_by_id(organization: Organization) -> None:
    made = named(organization, *["Dana"] * 5)
    rows = Customer.objects.order_by("sort_key", "id")
    assert list(rows.values_list("pk", flat=True)) == sorted(made)


def test_search_key_matches_whole_name_or_address(organization: Organization) -> None:
    [pk, _other] = named(organization, "Müller & Co", "Müller & Company")
    for text in ("MUELLER & CO", "muller & co", "Mail0@x.example"):
        assert ids_of_text(Customer, text, organization) == [pk]


def saved(row: Customer) -> None:
    row.name = "Zoë"
    row.save()


def saved_partly(row: Customer) -> None:
    row.name = "Zoë"
    row.save(update_fields=["name"])


def updated(row: Customer) -> None:
    Customer.objects.filter(pk=row.pk).update(name="Zoë", email=row.email)


def changed(row: Customer) -> None:
    actor = personas.owner_actor(row.organization)
    customers.change(row, details=CustomerDetails("Zoë", row.email), by=actor, now=now())


@pytest.mark.parametrize("write", [saved, saved_partly, updated, changed])
def test_keys_are_written_with_their_text(dana: Customer, write: Callable[[Customer], None]) -> None:
    write(dana)
    dana.refresh_from_db()
    assert (bytes(dana.sort_key), dana.search_key) == (sort_key("Zoë"), f"\nzoe\n{dana.email}\n")
    assert differences_of("M6") == set()


@pytest.mark.parametrize("columns", [{"email": "a@b.example"}, {"name": F("email"), "email": "a@b.example"}])
def test_update_that_would_leave_an_old_key_is_refused(dana: Customer, columns: dict[str, object]) -> None:
    with pytest.raises(TypeError, match="follows from"):
        Customer.objects.filter(pk=dana.pk).update(**columns)


def test_bulk_update_without_key_is_refused(dana: Customer) -> None:
    with pytest.raises(TypeError, match="follows from"), transaction.atomic():
        Customer.objects.bulk_update([dana], ["email"])


def corrected(dana: Customer) -> Invoice:
    """INV-0001, sent to Dana Whitfield, who is Zoë Ärzte by now."""
    sent = personas.sent_invoice(dana)
    details = CustomerDetails("Zoë Ärzte", "praxis@arzt.example")
    customers.change(dana, details=details, by=personas.owner_actor(dana.organization), now=now())
    return sent


@pytest.mark.parametrize(
    "typed",
    [
        "whitfield",
        "DANA.whitfield@",
        "zoe aerzte",
        "praxis@",
        "inv-1",
        "0001",
        "Whitfield 0001",
        "arzte whitf INV",
    ],
)
def test_document_search_finds_name_of_both_days_and_number(dana: Customer, typed: str) -> None:
    sent = corrected(dana)
    personas.sent_invoice(personas.customer(dana.organization, "Kenji Tanaka"))
    assert list(Search(typed, dana.organization).among(Invoice.objects.all())) == [sent]


@pytest.mark.parametrize("typed", ["whitfield 0002", "kenji zoe", "%", "\u0301"])
def test_document_search_finds_each_word_somewhere_in_one_document(dana: Customer, typed: str) -> None:
    corrected(dana)
    personas.sent_invoice(personas.customer(dana.organization, "Kenji Tanaka"))
    assert not Search(typed, dana.organization).among(Invoice.objects.all()).exists()


def test_corrected_document_is_found_by_its_new_party(dana: Customer, alice: Actor) -> None:
    sent = corrected(dana)
    invoices.correct_parties(sent, columns={"issued_to"}, expected_version=sent.version, by=alice, now=now())
    assert not Search("whitfield", dana.organization).among(Invoice.objects.all()).exists()
    assert differences_of("M6") == set()


def plan(rows: QuerySet[Customer]) -> str:
    """Returns the plan of a query, on PostgreSQL the one of a table that is worth an index."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
        return rows.explain()


def test_list_of_customers_reads_an_index_in_its_order(dana: Customer) -> None:
    rows = Customer.objects.for_organization(dana.organization)
    assert "customer_by_name" in plan(rows.order_by("sort_key", "id")[:50])


@pytest.mark.parametrize("limit", [5_000, 0])
@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("li", ["Li Wei", "Wu-Li"]),  # where a word begins
        ("l", ["Li Wei"]),  # where a name begins
        ("商事", ["東京商事"]),  # within words, where a script has no spaces
        ("wei l", ["Li Wei"]),
        ("ali", ["Alice"]),
    ],
)
def test_search_of_short_words_finds_beginnings(
    organization: Organization, typed: str, names: list[str], limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same where the rows of a word are looked up, and where each row is asked since there are many."""
    monkeypatch.setattr(searching, "MAX_FOUND", limit)
    named(organization, "Li Wei", "Wu-Li", "Alice", "東京商事")
    assert found(organization, typed) == names


@pytest.mark.parametrize("limit", [5_000, 1, 0])
def test_search_of_common_words_asks_each_document(
    dana: Customer, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "MAX_FOUND", limit)
    sent, _draft = corrected(dana), personas.draft_invoice(dana)
    personas.sent_invoice(personas.customer(dana.organization, "Kenji Tanaka"))
    for typed in ("whitfield", "zoe 0001", "inv-1 arzte"):
        assert sent in Search(typed, dana.organization).among(Invoice.objects.all()), typed
    assert not Search("kenji zoe", dana.organization).among(Invoice.objects.all()).exists()


def test_search_finds_nothing_of_another_organization(organization: Organization) -> None:
    birch = personas.organization("birch", "Birch")
    personas.member(birch, "Erin", "owner")
    named(birch, "Kenji")
    for typed in ("kenji", "k", "ke"):
        assert found(organization, typed) == []


def test_search_index_follows_its_rows(organization: Organization) -> None:
    [kenji] = named(organization, "Kenji")
    other = Customer(
        organization=organization, name="Kenji Tanaka", email="kenji@x.example", created_at=now()
    )
    Customer.objects.bulk_create([other])
    assert len(found(organization, "kenji")) == 2
    Customer.objects.filter(pk=kenji).update(name="Zoë", email="zoe@x.example")
    other.delete()
    assert (found(organization, "kenji"), found(organization, "zoe")) == ([], ["Zoë"])
    if connection.vendor == "sqlite":
        keys = Customer.objects.in_bulk(indexed_texts())
        assert indexed_texts() == {pk: customer.search_key for pk, customer in keys.items()}
        assert len(keys) == Customer.objects.count()
