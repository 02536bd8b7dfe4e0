"""The first steps of a new organization, until its first payment."""

from __future__ import annotations

import pytest
from django.conf import LazySettings
from django.test import Client

from partway.accounts.models import GatewayAccount, Organization
from partway.billing.models import Customer, Invoice
from partway.billing.requests import payment_requests
from partway.lib.clock import now as present
from partway.staff.overview.first_steps import Onboarding
from tests.support import personas

URL = "/o/alder/"


@pytest.fixture
def new_organization(organization: Organization) -> Organization:
    """Alder right after `organizations create`."""
    GatewayAccount.objects.all().delete()
    Organization.objects.update(payments_enabled=False, address="")
    organization.refresh_from_db()
    return organization


def first(client: Client) -> Onboarding:
    steps: Onboarding = client.get(URL).context["onboarding"]
    return steps


def next_url(client: Client) -> str:
    """Returns where the only primary button of the overview leads: a link, or the action of its form."""
    page = client.get(URL).content.decode()
    assert page.count("button-primary") == 1
    before, after = page.split("button-primary")
    return after.split('href="')[1].split('"')[0] if before.endswith('<a class="button ') else _action(before)


def _action(page: str) -> str:
    return page.rpartition('action="')[2].split('"')[0]


def test_first_steps_lead_owner_to_first_payment(alice: Client, new_organization: Organization) -> None:
    assert next_url(alice) == "/o/alder/settings/payments/"
    personas.gateway_account(new_organization)
    assert "Switch online payments on</button>" in alice.get(URL).content.decode()
    Organization.objects.update(payments_enabled=True)
    assert next_url(alice) == "/o/alder/invoices/new/"
    dana = personas.customer(new_organization)
    draft = personas.draft_invoice(dana)
    assert next_url(alice) == f"/o/alder/invoices/{draft.pk}/send/"
    invoice = personas.sent_invoice(dana)
    assert next_url(alice) == f"/o/alder/invoices/{invoice.pk}/request/"
    personas.request_payment(invoice)
    assert "/p/" in next_url(alice)
    assert first(alice).done_count == 3
    personas.captured_payment(invoice, 30_000)
    assert first(alice) is None


def test_first_steps_can_be_done_in_any_order(alice: Client, new_organization: Organization) -> None:
    personas.sent_invoice(personas.customer(new_organization))
    steps = first(alice)
    assert [step.done for step in steps.steps] == [False, False, True, False, False]
    assert "1 of 5 done" in alice.get(URL).content.decode()


def test_every_first_step_url_exists(alice: Client, new_organization: Organization) -> None:
    for step in first(alice).steps:
        assert not step.url or alice.get(step.url).status_code == 200


def test_first_steps_offer_no_request_before_payments_are_on(
    alice: Client, bob: Client, dana: Customer
) -> None:
    invoice = personas.sent_invoice(dana)
    Organization.objects.update(payments_enabled=False)
    for client in (alice, bob):
        assert [step.url for step in first(client).steps[-2:]] == ["", ""]
        assert f"/invoices/{invoice.pk}/request/" not in client.get(URL).content.decode()
    assert first(bob).next is None


def test_first_steps_offer_no_dead_payment_link(bob: Client, invoice: Invoice) -> None:
    personas.request_payment(invoice)
    Organization.objects.update(payments_enabled=False)
    assert next_url(bob) == f"/o/alder/invoices/{invoice.pk}/"


def test_first_steps_do_not_send_a_draft_without_amount(bob: Client, dana: Customer) -> None:
    draft = personas.draft_invoice(dana, 0)
    assert next_url(bob) == f"/o/alder/invoices/{draft.pk}/edit/"


def test_first_steps_request_no_invoice_below_the_minimum(bob: Client, dana: Customer) -> None:
    enough, _too_small = personas.sent_invoice(dana), personas.sent_invoice(dana, 10)
    assert next_url(bob) == f"/o/alder/invoices/{enough.pk}/request/"


def test_first_steps_of_live_installation_lead_to_the_services_for_real_money(
    alice: Client, new_organization: Organization, settings: LazySettings
) -> None:
    settings.PARTWAY_LIVE = True
    assert first(alice).steps[1].url == "/o/alder/settings/payments/"
    assert "Connect the sandbox" not in alice.get("/o/alder/settings/payments/").text


def test_first_steps_after_canceled_request_lead_to_next_request(alice: Client, invoice: Invoice) -> None:
    open_request = personas.request_payment(invoice)
    payment_requests.cancel(open_request, by=personas.owner_actor(invoice.organization), now=present())
    Organization.objects.update(address="1 Elm St")
    assert next_url(alice) == f"/o/alder/invoices/{invoice.pk}/request/"


def test_first_steps_after_void_invoice_lead_to_new_invoice(alice: Client, invoice: Invoice) -> None:
    Invoice.objects.update(status="void")
    Organization.objects.update(address="1 Elm St")
    assert next_url(alice) == "/o/alder/invoices/new/"


def test_first_steps_of_collector_contain_collector_steps(
    bob: Client, new_organization: Organization
) -> None:
    steps = first(bob)
    assert len(steps.steps) == 3
    assert "an owner has to set up online payments" in bob.get(URL).content.decode()
    assert "/settings/" not in bob.get(URL).content.decode()
    assert next_url(bob) == "/o/alder/invoices/new/"


def test_first_steps_of_collector_do_not_wait_once_payments_are_enabled(
    bob: Client, organization: Organization
) -> None:
    assert first(bob).blocked_notice == ""


def test_first_steps_are_hidden_from_reader(charlie: Client, new_organization: Organization) -> None:
    page = charlie.get(URL).content.decode()
    assert first(charlie) is None
    assert "Nothing was sent yet" in page
    assert "button-primary" not in page
    assert "/new/" not in page


def test_first_steps_stand_beside_overview_figures_after_first_send(alice: Client, dana: Customer) -> None:
    assert "Collected this month" not in alice.get(URL).content.decode()
    personas.sent_invoice(dana)
    page = alice.get(URL).content.decode()
    assert "Collected this month" in page
    assert "First steps" in page


def test_first_steps_ignore_payment_of_another_organization(alice: Client, mallory: Client) -> None:
    theirs = personas.sent_invoice(
        personas.customer(Organization.objects.get(slug="birch"), "Their Customer")
    )
    personas.captured_payment(theirs, 10_000)
    assert first(alice) is not None


def test_empty_lists_link_to_same_first_step(bob: Client, new_organization: Organization) -> None:
    assert "/o/alder/customers/new/" in bob.get("/o/alder/customers/").content.decode()
    assert "/o/alder/invoices/new/" in bob.get("/o/alder/invoices/").content.decode()
    dana = personas.customer(new_organization)
    shown = bob.get(f"/o/alder/customers/{dana.pk}/").content.decode()
    assert f"/o/alder/invoices/new/?customer={dana.pk}" in shown


def test_first_steps_end_even_when_first_payment_was_reversed(alice: Client, invoice: Invoice) -> None:
    assert first(alice) is not None
    personas.reverse_check(personas.record_check(invoice, 30_000))
    assert first(alice) is None
