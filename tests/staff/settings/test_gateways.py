"""Settings → Payments offers every registered gateway with the connection form of its definition."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from partway.accounts.models import GatewayAccount, Organization
from partway.billing.models import Invoice
from partway.billing.payments.refresh import refresh_payment
from partway.billing.payments.start import start_payment
from partway.gateways.registry import GATEWAYS
from partway.lib.clock import now
from tests.gateways.toy import GOOD_KEY, TOY
from tests.support import personas

PAYMENTS = "/o/alder/settings/payments/"


@pytest.fixture(autouse=True)
def toy_gateway(monkeypatch: pytest.MonkeyPatch, organization: Organization) -> None:
    """The line that adds the toy gateway to the registry, and an organization without an account."""
    monkeypatch.setitem(GATEWAYS, "toy", TOY)
    GatewayAccount.objects.all().delete()


def connect(client: Client, api_key: str) -> str:
    form = {"operation": "connect", "gateway": "toy", "toy-api_key": api_key}
    return client.post(PAYMENTS, form, follow=True).content.decode()


def test_payment_settings_show_connection_form_of_each_gateway(alice: Client) -> None:
    page = alice.get(PAYMENTS).content.decode()
    for part in ("Connect the sandbox", "Connect Toypay", 'type="password" id="id-toy-api_key"'):
        assert part in page
    assert "Toypay shows it under Developers." in page


def test_valid_credentials_connect_gateway(alice: Client, organization: Organization) -> None:
    Organization.objects.update(payments_enabled=False)
    assert "Toypay is connected. Customers can pay online." in connect(alice, f" {GOOD_KEY} ")
    organization.refresh_from_db()
    assert organization.payments_enabled
    account = GatewayAccount.objects.current(organization).get()
    assert (account.gateway, account.credentials) == ("toy", {"api_key": GOOD_KEY})
    assert "Toypay</span>" in alice.get(PAYMENTS).content.decode()


def test_empty_credential_is_marked_on_its_field(alice: Client) -> None:
    assert 'id="id-toy-api_key-error">Fill this in.' in connect(alice, " ")
    assert not GatewayAccount.objects.exists()


def test_refused_credentials_show_the_gateways_message(alice: Client) -> None:
    assert "Toypay refused: No such key." in connect(alice, "wrong")
    assert not GatewayAccount.objects.exists()


def test_live_installation_offers_gateways_that_move_money(alice: Client, settings: Settings) -> None:
    settings.PARTWAY_LIVE = True
    page = alice.get(PAYMENTS).content.decode()
    assert "Connect Toypay" in page
    assert "Connect the sandbox" not in page
    assert "Toypay is connected" in connect(alice, GOOD_KEY)


@pytest.mark.django_db(transaction=True)
def test_payment_request_is_paid_through_the_new_gateway(alice: Client, invoice: Invoice) -> None:
    connect(alice, GOOD_KEY)
    request = personas.request_payment(invoice)
    payment = start_payment(request, expected_amount=request.amount_requested, payer_ip="", now=now())
    assert payment.checkout_url == "https://toy.example"
    assert refresh_payment(payment, now=now()).status == "succeeded"
