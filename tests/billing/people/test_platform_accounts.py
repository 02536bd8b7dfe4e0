"""Organizations connected by the operator's platform: onboarding, payments, callbacks, and the end."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial

import httpx
import pytest
import stripe
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from pytest_django.fixtures import Settings
from structlog.testing import capture_logs

from partway.accounts.models import GatewayAccount, Organization
from partway.billing.checkouts.gateway_calls import gateway_for_account as gateway_for
from partway.billing.checkouts.gateway_calls import operator_fee
from partway.billing.errors import GatewayNotAllowed, GatewayNotReady, Invalid, NotPayable
from partway.billing.models import Alert, Callback, Dispute, Event, Mail, Payment
from partway.billing.payments.platform_callbacks import receive_callback
from partway.billing.payments.refresh import refresh_payment
from partway.billing.payments.start import start_payment
from partway.billing.people import gateway_accounts, platform_accounts
from partway.delivery.mail import kinds, rendering
from partway.delivery.messages.connections import connection_notes
from partway.gateways.platform import ApplicationFee, Platform
from partway.gateways.protocol import Refused
from partway.gateways.registry import GATEWAYS
from partway.lib.clock import now
from partway.lib.money import Money
from tests.gateways.stripe_server.client import StandIn, StandInAccount
from tests.support import personas
from tests.support.sandbox_server import CallbackReceiver, ReceivedCallback, wait_until

FEE = ApplicationFee(Decimal("1.5"), {"USD": 50})


@pytest.fixture
def operator(stand_in: StandIn, callback_receiver: CallbackReceiver, settings: Settings) -> StandInAccount:
    """The operator's account at the stand-in, whose endpoint is the receiver."""
    operator = stand_in.open_account()
    platform, definition = Platform(operator.test_key, fee=FEE), GATEWAYS["stripe"].platform
    assert definition is not None
    callback_receiver.received.clear()
    secret = definition.create_endpoint(stand_in.url, platform, callback_receiver.url)
    settings.PARTWAY_GATEWAY_URLS = {**settings.PARTWAY_GATEWAY_URLS, "stripe": stand_in.url}
    settings.PARTWAY_GATEWAY_PLATFORMS = {"stripe": replace(platform, secrets=(secret,))}
    return operator


def open_account(organization: Organization, country: str = "US") -> GatewayAccount:
    return platform_accounts.open_account(
        organization,
        gateway="stripe",
        country=country,
        email=organization.email,
        by=personas.owner_actor(organization),
        now=now(),
    )


def onboarded(organization: Organization, operator: StandInAccount) -> GatewayAccount:
    account = open_account(organization)
    operator.control("onboard", connected=account.account_ref)
    gateway_accounts.enable_payments(organization, by=personas.owner_actor(organization), now=now())
    return GatewayAccount.objects.get(pk=account.pk)


def paid(organization: Organization, operator: StandInAccount) -> Payment:
    """Pays the $1,000.00 of a new invoice."""
    invoice = personas.sent_invoice(personas.customer(organization))
    payment = start_payment(invoice, expected_amount=invoice.amount_due, payer_ip=None, now=now())
    operator.pay(payment.checkout_url)
    refresh_payment(payment, now=now())
    return Payment.objects.get(pk=payment.pk)


def callbacks_of(receiver: CallbackReceiver, kind: str) -> list[ReceivedCallback]:
    return wait_until(lambda: [one for one in receiver.received if one.event["type"] == kind])


def test_onboarding_is_resumed_until_charges_are_enabled(
    organization: Organization, operator: StandInAccount
) -> None:
    alice = personas.owner_actor(organization)
    account = open_account(organization)
    organization.refresh_from_db()
    assert not organization.payments_enabled
    with pytest.raises(GatewayNotReady, match="check_failed"):
        gateway_accounts.enable_payments(organization, by=alice, now=now())
    # Left and begun again, by a second click too: the same account, and a new link.
    assert open_account(organization).pk == account.pk
    urls = {"return_url": "http://partway.test/back", "refresh_url": "http://partway.test/again"}
    links = [platform_accounts.onboarding_url(account, **urls) for _ in range(2)]
    assert links[0] != links[1]
    with httpx.Client(trust_env=False) as browser:
        assert browser.post(links[1]).headers["location"] == "http://partway.test/back"
    gateway_accounts.enable_payments(organization, by=alice, now=now())
    organization.refresh_from_db()
    assert organization.payments_enabled


def test_payment_refund_and_fee_are_made_on_the_connected_account(
    organization: Organization, operator: StandInAccount
) -> None:
    account = onboarded(organization, operator)
    payment = paid(organization, operator)
    assert (payment.status, payment.gateway_account) == ("succeeded", account)
    # 14.25 to Stripe, and 1.5 % and 0.50 to the operator.
    sdk = stripe.StripeClient(operator.test_key, base_addresses={"api": operator.stand_in.url})
    [fee] = sdk.v1.application_fees.list().data
    assert (fee.account, fee.amount) == (account.account_ref, 1_550)
    assert sdk.v1.charges.list().data == []
    refund = personas.give_back(payment, 10_000)
    refresh_payment(payment, now=now())
    refund.refresh_from_db()
    assert refund.status == "succeeded"
    # A new fee is for new payments: the stored request of one that was begun is repeated as it was (P4).
    assert payment.gateway_calls.get(operation="start").body["application_fee_minor"] == "1550"
    # The fee is all that the organization does not get, so that net and payouts are what arrives at its bank; the
    # operator's share is named beside it.
    assert payment.fee == Money(1_425 + 1_550, "USD")
    assert operator_fee(payment) == Money(1_550, "USD")
    assert operator_fee(personas.captured_payment(payment.invoice, 1_000)) is None


def test_endpoint_of_the_platform_is_made_by_a_command(
    operator: StandInAccount, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("gateways", "platform", "stripe")
    printed = capsys.readouterr().out
    assert f"{settings.PARTWAY_URL}/callbacks/platforms/stripe/" in printed
    # The one before stays valid until the operator deletes its endpoint.
    [before] = settings.PARTWAY_GATEWAY_PLATFORMS["stripe"].secrets
    assert re.search(rf"PARTWAY_STRIPE_PLATFORM_SECRETS=whsec_\w+,{before}\n", printed)
    settings.PARTWAY_GATEWAY_PLATFORMS = {}
    with pytest.raises(CommandError, match="PARTWAY_STRIPE_PLATFORM_KEY"):
        call_command("gateways", "platform", "stripe")


def test_two_organizations_of_one_platform_never_see_each_other(
    organization: Organization, operator: StandInAccount, callback_receiver: CallbackReceiver, client: Client
) -> None:
    birch = personas.mallory().organization
    accounts = [onboarded(each, operator) for each in (organization, birch)]
    payments = [paid(each, operator) for each in (organization, birch)]
    wait_until(lambda: len(callbacks_of(callback_receiver, "payment_intent.succeeded")) == 2)
    sent = {one.event["account"]: one for one in callbacks_of(callback_receiver, "payment_intent.succeeded")}
    for account in accounts:
        received = sent[account.account_ref]
        for _ in range(2):  # each event is stored once
            response = client.post(
                "/callbacks/platforms/stripe/",
                received.body,
                content_type="application/json",
                headers=signature_of(received),
            )
            assert (response.status_code, response.json()) == (200, {"stored": True})
    for account, payment in zip(accounts, payments, strict=True):
        [callback] = Callback.objects.filter(gateway_account=account)
        assert (callback.status, callback.checkout_ref) == ("processed", payment.checkout_ref)
        assert payment.organization == account.organization
        listed = gateway_for(account).list_since(payment.created_at - timedelta(hours=1))
        assert [row.reference for row in listed] == [payment.pk]
    # The account of one names nothing of the other, by whatever id.
    with pytest.raises(Refused, match="not_found"):
        gateway_for(accounts[0]).fetch(payments[1].checkout_ref)
    with pytest.raises(IntegrityError), transaction.atomic():
        GatewayAccount.objects.filter(pk=accounts[1].pk).update(account_ref=accounts[0].account_ref)


def test_callback_of_an_unknown_account_is_acknowledged_and_not_stored(
    organization: Organization, operator: StandInAccount, callback_receiver: CallbackReceiver, client: Client
) -> None:
    account = onboarded(organization, operator)
    [received, *_] = callbacks_of(callback_receiver, "account.updated")
    post = partial(client.post, content_type="application/json", headers=signature_of(received))
    assert post("/callbacks/platforms/stripe/", received.body + b" ").status_code == 400
    assert post("/callbacks/platforms/sandbox/", received.body).status_code == 404
    GatewayAccount.objects.filter(pk=account.pk).update(account_ref="acct_elsewhere")
    with capture_logs() as logs:
        response = post("/callbacks/platforms/stripe/", received.body)
    assert (response.status_code, response.json()) == (200, {"stored": False})
    assert [entry["account_ref"] for entry in logs if entry["event"] == "platform_callback_ignored"] == [
        account.account_ref
    ]
    # An account with a key of its own has an endpoint of its own.
    GatewayAccount.objects.filter(pk=account.pk).update(account_ref=account.account_ref, is_of_platform=False)
    assert post("/callbacks/platforms/stripe/", received.body).json() == {"stored": False}
    assert not Callback.objects.exists()


def test_news_of_an_account_renews_its_report(
    organization: Organization, operator: StandInAccount, callback_receiver: CallbackReceiver
) -> None:
    account = open_account(organization)
    assert not account.passes
    operator.control("onboard", connected=account.account_ref)
    deliver(callback_receiver, "account.updated")
    account.refresh_from_db()
    assert account.passes
    # What the callback says is not believed: the gateway is asked.
    operator.control("change_account", connected=account.account_ref, charges_enabled=False)
    wait_until(lambda: len(callbacks_of(callback_receiver, "account.updated")) == 2)
    deliver(callback_receiver, "account.updated")
    account.refresh_from_db()
    assert not account.passes


def test_account_that_left_takes_no_payments_and_keeps_its_books(
    organization: Organization, operator: StandInAccount, callback_receiver: CallbackReceiver
) -> None:
    account = onboarded(organization, operator)
    payment = paid(organization, operator)
    operator.control("deauthorize", connected=account.account_ref)
    for _ in range(2):
        deliver(callback_receiver, "account.application.deauthorized")
    organization.refresh_from_db()
    assert not organization.payments_enabled
    assert [alert.kind for alert in Alert.objects.all()] == ["gateway_left"]
    [mail] = Mail.objects.filter(kind="gateway_left")
    owner = organization.members.get(role="owner")
    assert mail.to == [owner.user.email]
    outgoing = rendering.message(mail)
    assert outgoing.subject == "Alder Joinery takes no online payments: Stripe was disconnected"
    assert f"/o/{organization.slug}/settings/payments/" in str(outgoing.body)
    assert Event.objects.filter(type="organization.gateway_left", actor_kind="gateway").count() == 1
    invoice = personas.sent_invoice(personas.customer(organization))
    with pytest.raises(NotPayable, match="payments_off"):
        start_payment(invoice, expected_amount=invoice.amount_due, payer_ip=None, now=now())
    payment.refresh_from_db()
    assert (payment.status, payment.gateway_account) == ("succeeded", account)
    # It cannot be used again; another account is opened instead.
    assert open_account(organization).account_ref != account.account_ref
    assert not kinds.is_valid(mail, now=now())


def test_disconnected_account_refunds_and_is_used_again(
    organization: Organization, operator: StandInAccount
) -> None:
    account, alice = onboarded(organization, operator), personas.owner_actor(organization)
    payment = paid(organization, operator)
    gateway_accounts.disconnect(organization, by=alice, now=now())
    refund = personas.give_back(payment, 10_000)
    refresh_payment(payment, now=now())
    refund.refresh_from_db()
    assert refund.status == "succeeded"
    assert open_account(organization).pk == account.pk
    organization.refresh_from_db()
    assert organization.payments_enabled


def test_account_waits_for_a_platform_that_is_gone_or_of_another_mode(
    organization: Organization, operator: StandInAccount, settings: Settings
) -> None:
    account = onboarded(organization, operator)
    settings.PARTWAY_GATEWAY_PLATFORMS = {"stripe": Platform(operator.live_key)}
    with pytest.raises(Refused, match="platform_of_another_mode"):
        gateway_for(account)
    with pytest.raises(GatewayNotAllowed):
        open_account(organization)
    settings.PARTWAY_GATEWAY_PLATFORMS = {}
    with pytest.raises(Refused, match="platform_missing"):
        gateway_for(account)
    with pytest.raises(GatewayNotAllowed, match="no_platform"):
        open_account(organization)


def test_check_says_what_is_wrong_about_the_endpoint_of_the_operator(
    organization: Organization, operator: StandInAccount, settings: Settings
) -> None:
    settings.PARTWAY_URL = "https://pay.host.example"
    account = onboarded(organization, operator)

    def notes() -> list[str]:
        assert gateway_accounts.check(account, now=now())
        found = [one["code"] for one in account.findings if "callbacks" in one["code"]]
        assert [note for note in connection_notes(account, "UTC") if "%" in note.message + note.advice] == []
        return found

    assert notes() == ["platform_callbacks_missing"]
    url = "https://pay.host.example/callbacks/platforms/stripe/"
    endpoint = operator.control("add_endpoint", url=url, enabled_events=["payout.paid"], connect=True)
    assert notes() == ["platform_callbacks_incomplete"]
    sdk = stripe.StripeClient(operator.test_key, base_addresses={"api": operator.stand_in.url})
    sdk.v1.webhook_endpoints.update(endpoint["id"], {"enabled_events": ["*"]})
    assert notes() == ["callbacks"]
    sdk.v1.webhook_endpoints.update(endpoint["id"], {"disabled": True})
    assert notes() == ["platform_callbacks_disabled"]
    settings.PARTWAY_GATEWAY_PLATFORMS = {"stripe": Platform(operator.test_key)}
    assert notes() == ["platform_callbacks_secret", "platform_callbacks_disabled"]


def test_every_call_for_a_connected_account_is_made_on_it(
    organization: Organization, operator: StandInAccount
) -> None:
    account = onboarded(organization, operator)
    payment, gateway = paid(organization, operator), gateway_for(account)
    personas.give_back(payment, 10_000)
    dispute = operator.control("dispute", id=payment.checkout_ref, connected=account.account_ref, amount=500)
    [payout] = operator.control("pay_out", connected=account.account_ref)
    refresh_payment(payment, now=now())
    assert Dispute.objects.get().gateway_ref == dispute["id"]
    long_ago = now() - timedelta(days=40)
    [line], [paid_out] = list(gateway.list_since(long_ago)), list(gateway.payouts_since(long_ago))
    assert ([one.ref for one in line.state.disputes], paid_out.ref) == ([dispute["id"]], payout["id"])
    assert {item.reference for item in paid_out.items} == {payment.pk}
    found = gateway.find_checkout(dispute["id"])
    assert found is not None
    assert found.reference == payment.pk
    # Of the operator's own account only the endpoint is asked about, and the account itself was made there.
    own = {one["name"] for one in operator.control("requests")}
    assert own <= {"accounts.create", "webhook_endpoints.create", "webhook_endpoints.list"}


def test_country_without_the_gateway_is_refused(organization: Organization, operator: StandInAccount) -> None:
    with pytest.raises(Invalid) as invalid:
        open_account(organization, country="XX")
    assert list(invalid.value.fields) == ["country"]


def test_operator_approves_payments(
    organization: Organization, operator: StandInAccount, settings: Settings
) -> None:
    alice = personas.owner_actor(organization)
    settings.PARTWAY_PAYMENTS_NEED_APPROVAL = True
    account = open_account(organization)
    operator.control("onboard", connected=account.account_ref)
    with pytest.raises(GatewayNotReady, match="not_approved"):
        gateway_accounts.enable_payments(organization, by=alice, now=now())
    call_command("organizations", "payments", "on", organization.slug)
    organization.refresh_from_db()
    assert organization.payments_enabled
    call_command("organizations", "payments", "off", organization.slug)
    organization.refresh_from_db()
    assert not organization.payments_enabled
    settings.PARTWAY_PAYMENTS_NEED_APPROVAL = False
    with pytest.raises(GatewayNotReady, match="not_approved"):
        gateway_accounts.enable_payments(organization, by=alice, now=now())
    with pytest.raises(CommandError, match="no organization"):
        call_command("organizations", "payments", "on", "nobody")


def signature_of(received: ReceivedCallback) -> dict[str, str]:
    return {"Stripe-Signature": received.headers["Stripe-Signature"]}


def deliver(receiver: CallbackReceiver, kind: str) -> None:
    """Passes on the latest callback of this kind."""
    received = callbacks_of(receiver, kind)[-1]
    receive_callback("stripe", body=received.body, headers=received.headers, now=now())
