"""The page that a customer is led back to: named by a program, allowed by an owner, checked again when shown."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from partway.accounts.models import Organization
from partway.billing import links
from partway.billing.models import Invoice, PaymentRequest
from partway.billing.people import return_urls
from partway.lib.clock import now
from tests.api.program import Program, problem
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver

URL = "https://jobs.alder.example/jobs/7?step=2"
BUTTON = '<a class="button button-primary" href="https://jobs.alder.example/jobs/7?step=2">Back to jobs.alder.example'


def allow(organization: Organization, *sites: str) -> None:
    return_urls.change(organization, sites=list(sites), by=personas.owner_actor(organization), now=now())


def ask(program: Program, invoice: Invoice, return_url: str = URL) -> PaymentRequest:
    body = {"amount_requested": 30_000, "send": False, "return_url": return_url}
    response = program.post(f"/invoices/{invoice.pk}/payment_requests", body)
    assert response.status_code == 201, response.content
    return PaymentRequest.objects.get(pk=response.json()["id"])


def test_program_reads_sites_and_payment_modes(reader: Program, organization: Organization) -> None:
    allow(organization, "https://jobs.alder.example")
    said = reader.get("/organization").json()
    assert said["return_urls"] == ["https://jobs.alder.example/"]
    assert (said["id"], said["payment_modes"]) == (organization.pk, organization.payment_modes)


def test_return_url_of_no_allowed_site_is_refused(collector: Program, invoice: Invoice) -> None:
    allow(invoice.organization, "https://jobs.alder.example.evil.example")
    body = {"amount_requested": 30_000, "return_url": URL}
    response = collector.post(f"/invoices/{invoice.pk}/payment_requests", body)
    assert problem(response) == (422, "invalid")
    assert [(one["field"], one["code"]) for one in response.json()["fields"]] == [
        ("return_url", "return_url_not_allowed")
    ]
    assert not PaymentRequest.objects.exists()


@pytest.mark.parametrize("url", ["http://jobs.alder.example/", "javascript:alert(1)", "https://a@b.example/"])
def test_return_url_that_no_list_can_allow_says_so(collector: Program, invoice: Invoice, url: str) -> None:
    body = {"amount_requested": 30_000, "return_url": url}
    [said] = collector.post(f"/invoices/{invoice.pk}/payment_requests", body).json()["fields"]
    assert (said["code"], "owner" in said["message"]) == ("return_url_form", False)


def test_return_url_is_stored_in_its_one_spelling_for_keys_that_may_use_links(
    collector: Program, reader: Program, invoice: Invoice
) -> None:
    allow(invoice.organization, "HTTPS://Jobs.Alder.example/jobs")
    made = ask(collector, invoice, "https://JOBS.alder.example:443/jobs/7?step=2")
    shown = {each.key.scope: each.get(f"/payment_requests/{made.pk}").json() for each in (collector, reader)}
    assert (shown["collect"]["return_url"], shown["read"]["return_url"]) == (URL, None)


@pytest.mark.parametrize("sites", [["https://jobs.alder.example"], ["https://jobs.alder.example/other"]])
def test_customer_who_paid_is_led_back_while_the_site_is_allowed(
    collector: Program, invoice: Invoice, sites: list[str]
) -> None:
    allow(invoice.organization, "https://jobs.alder.example")
    made = ask(collector, invoice)
    payment = personas.captured_payment(invoice, 30_000, request=made)
    allow(invoice.organization, *sites)
    for url in (links.receipt_url(payment), links.request_url(made)):
        response = Client().get(url)
        assert (BUTTON in response.text) is (sites == ["https://jobs.alder.example"])
        assert response.headers["Referrer-Policy"] == "same-origin"


def test_dead_link_leads_back_and_one_that_can_be_paid_does_not(collector: Program, invoice: Invoice) -> None:
    allow(invoice.organization, "https://jobs.alder.example")
    made = ask(collector, invoice)
    assert "Back to" not in Client().get(links.request_url(made)).text
    collector.post(f"/payment_requests/{made.pk}/cancel")
    dead = Client().get(links.request_url(made))
    assert dead.status_code == 410
    assert "Back to jobs.alder.example" in dead.text


def test_stored_address_that_no_program_named_leads_nowhere(collector: Program, invoice: Invoice) -> None:
    allow(invoice.organization, "https://jobs.alder.example")
    made = ask(collector, invoice)
    PaymentRequest.objects.update(return_url="https://jobs.alder.example@evil.example/")
    payment = personas.captured_payment(invoice, 30_000, request=made)
    assert "evil.example" not in Client().get(links.receipt_url(payment)).text


@pytest.mark.every_gateway
@pytest.mark.django_db(transaction=True)
def test_customer_is_led_back_from_each_gateway(
    organization: Organization,
    collector: Program,
    invoice: Invoice,
    connect_gateway: Callable[[Organization], GatewayDriver],
) -> None:
    driver = connect_gateway(organization)
    allow(organization, "https://jobs.alder.example")
    payment = driver.start_and_pay(ask(collector, invoice))
    assert BUTTON in Client().get(links.receipt_url(payment)).text
