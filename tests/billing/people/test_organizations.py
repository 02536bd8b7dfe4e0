"""Organizations are created and changed, and connect to a gateway."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from pytest_django.fixtures import Settings

from partway.accounts.models import GatewayAccount, Member, Organization, User
from partway.billing.documents import quote_terms
from partway.billing.errors import GatewayNotAllowed, GatewayUnavailable, Invalid, NotPayable
from partway.billing.events import OPERATOR, Actor
from partway.billing.models import Customer, Event, PaymentRequest, QuoteTerms
from partway.billing.people import gateway_accounts, organizations
from partway.billing.people.members import NewUser
from partway.billing.people.organizations import Profile
from partway.billing.requests import payment_requests
from partway.delivery.messages import field_messages
from partway.lib.clock import now as present
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver

PROFILE = Profile(name="Cedar & Sons", email="billing@cedar.example")
CAROL = NewUser("Carol@Cedar.example", "Carol")


def create(profile: Profile = PROFILE, owner: NewUser = CAROL) -> Organization:
    return organizations.create(profile=profile, owner=owner, by=OPERATOR, now=present())


def test_new_organization_has_owner_and_payments_disabled() -> None:
    made = create()
    member = Member.objects.get(organization=made)
    assert (made.slug, made.payments_enabled) == ("cedar-sons", False)
    assert (member.role, member.user.email) == ("owner", "carol@cedar.example")
    assert not member.user.has_usable_password()


def test_organizations_with_same_name_get_distinct_slugs() -> None:
    assert [create().slug for _ in range(3)] == ["cedar-sons", "cedar-sons-2", "cedar-sons-3"]
    assert User.objects.count() == 1


def test_organization_name_with_accents_gets_slug_of_its_letters() -> None:
    assert create(replace(PROFILE, name="Ärzte & Łódź-Größe")).slug == "arzte-lodz-grosse"


def test_organization_name_without_latin_letters_gets_default_slug() -> None:
    assert create(replace(PROFILE, name="杉")).slug == "organization"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", "", "column_blank"),
        ("email", "nobody", "bad_address.form"),
        ("currency", "XYZ", "column_currency_unknown"),
        ("time_zone", "Mars/Olympus", "column_time_zone_unknown"),
        ("color", "green", "column_color_invalid"),
        ("color", "#ffffff", "column_color_too_light"),
        ("default_due_days", 366, "column_max_value"),
        ("default_due_days", -1, "column_min_value"),
        ("default_tax_percent", Decimal(101), "percent_invalid"),
        ("address", "x" * 401, "too_many_letters"),
        ("invoice_prefix", "INV-1", "invoice_prefix_ends_with_digit"),
        ("invoice_prefix", "x" * 13, "column_max_length"),
    ],
)
def test_organization_with_invalid_field_is_refused_by_field(field: str, value: object, code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        create(replace(PROFILE, **{field: value}))
    assert {name: error.code for name, error in refusal.value.fields.items()} == {field: code}
    assert field_messages(refusal.value)[field]
    assert not Organization.objects.exists()


def test_organization_change_event_keeps_previous_values(organization: Organization, alice: Actor) -> None:
    profile = replace(PROFILE, name="Alder & Co")
    organizations.change(organization, profile=profile, by=alice, now=present())
    assert Organization.objects.get(pk=organization.pk).name == "Alder & Co"
    assert Event.objects.get(type="organization.changed").data["before"]["name"] == "Alder Joinery"


def test_unchanged_organization_records_no_event(organization: Organization, alice: Actor) -> None:
    made = create()
    organizations.change(made, profile=PROFILE, by=OPERATOR, now=present())
    assert not Event.objects.filter(type="organization.changed").exists()


def test_switching_payments_records_one_event_per_change(organization: Organization, alice: Actor) -> None:
    for on in (False, False, True):
        organizations.set_payments_enabled(organization, on=on, by=alice, now=present())
    types = Event.objects.filter(type__contains="payments_").order_by("id").values_list("type", flat=True)
    assert list(types) == ["organization.payments_disabled", "organization.payments_enabled"]


def test_link_is_not_payable_while_payments_are_disabled(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, organization: Organization, alice: Actor
) -> None:
    organizations.set_payments_enabled(organization, on=False, by=alice, now=present())
    with pytest.raises(NotPayable) as refusal:
        gateway_driver.start(open_request)
    assert refusal.value.reason == "payments_off"


def test_connecting_the_sandbox_makes_its_account_the_current_one(
    gateway_driver: GatewayDriver, organization: Organization
) -> None:
    assert GatewayAccount.objects.current(organization).get() == gateway_driver.account
    assert organization.gateway_accounts.count() == 2
    assert gateway_driver.account.credentials["api_key"] not in gateway_driver.account.sealed_credentials


def test_open_checkout_stays_with_gateway_account_of_its_start(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, organization: Organization, alice: Actor
) -> None:
    payment = gateway_driver.start(open_request)
    gateway_accounts.connect(organization, gateway="sandbox", credentials={}, by=alice, now=present())
    assert gateway_driver.start_and_pay(open_request).pk == payment.pk


def test_live_installation_cannot_connect_sandbox(
    organization: Organization, alice: Actor, settings: Settings
) -> None:
    settings.PARTWAY_LIVE = True
    with pytest.raises(GatewayNotAllowed):
        gateway_accounts.connect(organization, gateway="sandbox", credentials={}, by=alice, now=present())


def test_connect_to_unavailable_gateway_keeps_old_account(
    organization: Organization, alice: Actor, settings: Settings
) -> None:
    settings.PARTWAY_GATEWAY_URLS = {"sandbox": "http://127.0.0.1:9"}
    with pytest.raises(GatewayUnavailable):
        gateway_accounts.connect(organization, gateway="sandbox", credentials={}, by=alice, now=present())
    assert organization.gateway_accounts.count() == 1


def test_raised_next_number_is_no_numbering_gap(
    organization: Organization, dana: Customer, alice: Actor
) -> None:
    """An organization continues the numbers of its earlier books; `verify` runs after each test."""
    personas.sent_invoice(dana)
    profile = Profile(name="Alder", email="a@alder.example")
    organizations.change(organization, profile=profile, next_number=500, by=alice, now=present())
    assert personas.sent_invoice(dana).number == "INV-0500"


def test_changing_currency_clears_deposit_amounts_of_quote_terms(
    organization: Organization, alice: Actor
) -> None:
    terms = QuoteTerms(deposit_kind="amount", deposit_amount_minor=50_000, deposit_threshold_minor=1)
    quote_terms.change(organization, terms=terms, by=alice, now=present())
    profile = Profile(name="Alder", email="a@alder.example", currency="JPY")
    organizations.change(organization, profile=profile, by=alice, now=present())
    stored = QuoteTerms.objects.get()
    assert (stored.deposit_kind, stored.deposit_amount_minor, stored.deposit_threshold_minor) == ("", 0, 0)


@pytest.mark.parametrize("days", [1, 365])
def test_default_request_expiry_is_stored_with_event(
    organization: Organization, alice: Actor, days: int
) -> None:
    organizations.set_default_request_expiry(organization, days=days, by=alice, now=present())
    organization.refresh_from_db()
    assert organization.request_expires_days == days
    assert Event.objects.get(type="organization.changed").data["after"] == {"request_expires_days": days}


@pytest.mark.parametrize("days", [0, -1, 366])
def test_default_request_expiry_out_of_range_is_refused(
    organization: Organization, alice: Actor, days: int
) -> None:
    with pytest.raises(Invalid) as refusal:
        organizations.set_default_request_expiry(organization, days=days, by=alice, now=present())
    assert list(refusal.value.fields) == ["request_expires_days"]
    organization.refresh_from_db()
    assert organization.request_expires_days is None


def test_unchanged_default_request_expiry_records_no_event(organization: Organization, alice: Actor) -> None:
    organizations.set_default_request_expiry(organization, days=None, by=alice, now=present())
    assert not Event.objects.filter(type="organization.changed").exists()


def test_default_request_expiry_is_end_of_day_in_organization_time_zone(organization: Organization) -> None:
    evening = datetime(2026, 11, 30, 2, tzinfo=UTC)  # still the 29th in New York
    assert payment_requests.default_expiry(organization, now=evening) is None
    organization.request_expires_days = 1
    assert payment_requests.default_expiry(organization, now=evening) == datetime(2026, 12, 1, 5, tzinfo=UTC)
