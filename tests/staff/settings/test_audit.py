"""The audit log: every event, newest first, filtered by actor and kind."""

from __future__ import annotations

import pytest
from django.test import Client

from partway.accounts.models import Organization, User
from partway.billing import events
from partway.billing.models import Event, Invoice
from partway.billing.people import organizations
from partway.lib.clock import now
from partway.staff import keyset_pages
from tests.support import personas
from tests.support.personas import Team

URL = "/o/alder/settings/audit/"


def sentences(client: Client, query: str = "") -> list[str]:
    return [row.message for row in client.get(URL + query).context["rows"]]


def test_audit_log_is_newest_first_with_links(alice: Client, invoice: Invoice) -> None:
    listed = sentences(alice)
    assert listed[0].startswith("Alice sent the invoice")
    assert listed[-1] == "Alice added a customer"
    assert f"/o/alder/invoices/{invoice.pk}/" in alice.get(URL).content.decode()


def test_audit_log_shows_setting_before_and_after(alice: Client, team: Team) -> None:
    profile = organizations.Profile(name="Alder & Daughters", email="billing@alder.example")
    organizations.change(team.organization, profile=profile, by=events.member_actor(team.alice), now=now())
    row = alice.get(URL).context["rows"][0]
    assert row.message == "Alice changed the settings"
    assert "name: “Alder Joinery” → “Alder & Daughters”" in row.detail


def test_audit_log_filters_by_person(alice: Client, bob: Client, team: Team, invoice: Invoice) -> None:
    bob.post("/o/alder/customers/new/", {"name": "Dora", "email": "dora@post.example"})
    assert sentences(alice, f"?by={team.bob.pk}") == ["Bob added a customer"]
    assert sentences(alice, "?by=clock") == []


def test_audit_log_filters_by_kind(alice: Client, team: Team, invoice: Invoice) -> None:
    alice.post(f"/o/alder/settings/members/{team.charlie.pk}/role/", {"role": "collector"})
    assert sentences(alice, "?kind=member") == ["Alice made Charlie collector"]


def test_audit_log_describes_offline_payments_and_reversals(alice: Client, invoice: Invoice) -> None:
    payment = personas.record_check(invoice, 20_000)
    quote = personas.accept_quote(personas.sent_quote(invoice.customer))
    personas.reverse_check(personas.record_deposit_check(quote))
    alice.post(f"/o/alder/invoices/{invoice.pk}/credit/{payment.pk}/")
    alice.post(f"/o/alder/invoices/{invoice.pk}/credit/", {"amount": "50", "idempotency_key": "key-1"})
    personas.reverse_check(payment)
    assert sentences(alice, "?kind=payment") == [
        "Alice reversed a payment of $200.00",
        "Alice reversed the deposit of $300.00",
        "Alice recorded the deposit of $300.00 (Check)",
        "Alice recorded a payment of $200.00 (Check)",
    ]
    assert sentences(alice, "?kind=credit") == [
        "Alice put $50.00 of credit on the invoice",
        "Alice moved $200.00 to the customer’s credit",
    ]
    assert f"/o/alder/quotes/{quote.pk}/" in alice.get(f"{URL}?kind=quote").content.decode()


def test_audit_log_filter_includes_former_members(alice: Client, bob: Client, team: Team) -> None:
    bob.post("/o/alder/customers/new/", {"name": "Dora", "email": "dora@post.example"})
    alice.post(f"/o/alder/settings/members/{team.bob.pk}/remove/")
    assert (team.bob.pk, "Bob (left)") in alice.get(URL).context["people"]
    assert sentences(alice, f"?by={team.bob.pk}") == ["Bob added a customer"]


def test_audit_log_filter_lists_people_by_folded_name(alice: Client, team: Team) -> None:
    User.objects.filter(pk=team.bob.user_id).update(name="Åsa")
    names = [name for _pk, name in alice.get(URL).context["people"][:3]]
    assert names == ["Alice", "Åsa", "Charlie"]


def test_audit_log_pages_contain_every_event(
    alice: Client, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyset_pages, "PAGE_ROWS", 3)
    for on in (False, True, False, True, False):
        organizations.set_payments_enabled(organization, on=on, by=events.OPERATOR, now=now())
    first = alice.get(URL).context
    second = alice.get(f"{URL}?after={first['page'].following}").context
    assert [len(first["rows"]), len(second["rows"]), second["page"].following] == [3, 2, ""]
    shown = [row.event.pk for row in [*first["rows"], *second["rows"]]]
    assert shown == list(Event.objects.order_by("-created_at", "-pk").values_list("pk", flat=True))


def test_audit_log_is_scoped_to_organization(mallory: Client, invoice: Invoice) -> None:
    page = mallory.get("/o/birch/settings/audit/?before=" + Event.objects.latest("id").pk)
    assert page.context["rows"] == []


@pytest.mark.parametrize("query", ["?by=%00", "?kind=nonsense", "?before=nonsense", "?by=mem_x&kind=mail"])
def test_audit_log_ignores_invalid_query(alice: Client, invoice: Invoice, query: str) -> None:
    assert alice.get(URL + query).status_code == 200
