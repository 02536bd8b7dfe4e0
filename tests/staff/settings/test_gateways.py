"""Settings → Payments offers every registered gateway with the connection form of its definition."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from partway.accounts.models import GatewayAccount, Organization
from partway.billing.models import Invoice
from partway.billing.payments.refresh import refresh_payment
from partway.billing.payments.start import start_payment
from partway.gateways.registry import GATEWAYS
from partway.lib.clock import now
from tests.gateways.toy import (
    BLIND_KEY,
    GOOD_KEY,
    LACKING_KEY,
    NEW_KEY,
    OTHER_KEY,
    TOY,
    TOY_WITH_CALLBACKS,
    ToyGateway,
)
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


def test_report_says_what_is_missing_and_what_to_do(
    alice: Client, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the secret is there payments are off, and the switch says why."""
    setup = TOY_WITH_CALLBACKS.callback_setup
    assert setup
    by_hand = replace(setup, create=lambda *_: {"api_key": GOOD_KEY, "signing_secret": ""})
    monkeypatch.setitem(GATEWAYS, "toy", replace(TOY_WITH_CALLBACKS, callback_setup=by_hand))
    page = connect(alice, GOOD_KEY)
    assert "Before customers can pay, see below what is missing." in page
    assert "The signing secret is missing" in page
    refused = alice.post(PAYMENTS, {"operation": "switch_on"})
    assert refused.status_code == 409
    assert "stay off until the check of the connection finds nothing wrong" in refused.text
    assert not Organization.objects.get(pk=organization.pk).payments_enabled

    account = GatewayAccount.objects.current(organization).get()
    reports = f"{PAYMENTS}{account.pk}/reports/"
    page = alice.get(reports).text
    assert f"/callbacks/{account.pk}/" in page
    assert "payment.done" in page
    wrong = alice.post(reports, {"operation": "secret", "secret": "nonsense"})
    assert "This is no signing secret." in wrong.text
    alice.post(reports, {"operation": "secret", "secret": "toy_secret_1"})
    assert "Customers can pay online." in alice.post(PAYMENTS, {"operation": "switch_on"}, follow=True).text
    assert "toy_secret_1" not in alice.get(PAYMENTS).text + alice.get(reports).text


def test_new_key_is_checked_before_it_is_stored(alice: Client, organization: Organization) -> None:
    connect(alice, GOOD_KEY)
    account = GatewayAccount.objects.current(organization).get()
    key = f"{PAYMENTS}{account.pk}/key/"
    assert "opens another account than “Toy shop”" in alice.post(key, {"toy-api_key": OTHER_KEY}).text
    assert "Fill this in." in alice.post(key, {"toy-api_key": ""}).text
    assert "may not read its account" in alice.post(key, {"toy-api_key": BLIND_KEY}).text
    lacking = alice.post(key, {"toy-api_key": LACKING_KEY}, follow=True).text
    assert "Keep the old one until then." in lacking
    page = alice.post(key, {"toy-api_key": NEW_KEY}, follow=True).text
    assert "The new key is stored." in page
    assert NEW_KEY not in page
    account.refresh_from_db()
    assert account.credentials["api_key"] == NEW_KEY
    assert "all that is needed is there" in alice.post(PAYMENTS, {"operation": "check"}, follow=True).text


def test_account_is_changed_once_and_disconnected(alice: Client, organization: Organization) -> None:
    connect(alice, GOOD_KEY)
    first = GatewayAccount.objects.current(organization).get()
    form = {"gateway": "toy", "toy-api_key": OTHER_KEY, "replaces": first.pk}
    change = f"{PAYMENTS}account/"
    assert "Toypay is connected." in alice.post(change, form, follow=True).text
    assert "Another account is connected already." in alice.post(change, form, follow=True).text
    assert organization.gateway_accounts.count() == 2
    assert "Disconnect Toypay?" in alice.get(f"{PAYMENTS}disconnect/").text
    assert "online payments are off" in alice.post(f"{PAYMENTS}disconnect/", follow=True).text
    assert not Organization.objects.get(pk=organization.pk).payments_enabled
    assert alice.get(change).status_code == 404


def test_methods_are_chosen_among_those_of_the_account(
    alice: Client, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    class TwoMethods(ToyGateway):
        methods = ("card", "bank_debit")  # type: ignore[assignment]

    monkeypatch.setitem(GATEWAYS, "toy", replace(TOY, open=TwoMethods))
    connect(alice, GOOD_KEY)
    none = alice.post(PAYMENTS, {"operation": "methods"})
    assert "Choose at least one." in none.text
    form = {"operation": "methods", "initial_methods": "card bank_debit"}
    alice.post(PAYMENTS, {**form, "methods": ["card"]})
    # Another owner, whose page shows what was stored before.
    stale = alice.post(PAYMENTS, {**form, "methods": ["bank_debit"]})
    assert stale.status_code == 422
    assert GatewayAccount.objects.current(organization).get().methods == ["card"]
    assert 'value="card" checked' in alice.get(PAYMENTS).text
    assert 'value="bank_debit" checked' not in alice.get(PAYMENTS).text


@pytest.mark.django_db(transaction=True)
def test_payment_request_is_paid_through_the_new_gateway(alice: Client, invoice: Invoice) -> None:
    connect(alice, GOOD_KEY)
    request = personas.request_payment(invoice)
    payment = start_payment(request, expected_amount=request.amount_requested, payer_ip="", now=now())
    assert payment.checkout_url == "https://toy.example"
    assert refresh_payment(payment, now=now()).status == "succeeded"
