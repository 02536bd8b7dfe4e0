"""Settings of the organization and of payments."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from partway.accounts.models import GatewayAccount, Organization
from partway.billing.models import Invoice
from partway.gateways.registry import GATEWAYS
from partway.lib.clock import now, today
from tests.gateways.toy import GOOD_KEY, TOY
from tests.support import personas

URL = "/o/alder/settings/"
PAYMENTS = "/o/alder/settings/payments/"
GOOD = {
    "name": "Alder & Daughters",
    "email": "office@alder.example",
    "phone": "",
    "address": "1 Elm St",
    "currency": "EUR",
    "time_zone": "Europe/Vienna",
    "locale": "en_GB",
    "invoice_prefix": "A-",
    "tax_number": "US 12-345",
    "color": "#7a1f2b",
    "payment_instructions": "Check to 1 Elm St",
    "default_tax_percent": "8.25",
    "default_due_days": "30",
    "next_invoice_number": "1000",
}


def test_saving_settings_changes_organization(alice: Client, organization: Organization) -> None:
    assert 'value="Alder Joinery"' in alice.get(URL).content.decode()
    assert alice.post(URL, GOOD).status_code == 302
    organization.refresh_from_db()
    assert {name: str(getattr(organization, name)) for name in GOOD} == GOOD
    assert organization.slug == "alder"


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("name", ""),
        ("email", "nobody"),
        ("currency", "XXX"),
        ("currency", "XTS"),
        ("currency", "XAU"),
        ("currency", "CLF"),
        ("time_zone", "Moon/Crater"),
        ("time_zone", "Factory"),
        ("time_zone", "localtime"),
        ("time_zone", "posixrules"),
        ("time_zone", "right/Europe/Vienna"),
        ("time_zone", "posix/Europe/Vienna"),
        ("time_zone", "Europe"),
        ("time_zone", "europe/vienna"),
        ("time_zone", "../zoneinfo/UTC"),
        ("time_zone", ""),
        ("invoice_prefix", "x" * 13),
        ("tax_number", "x" * 41),
        ("color", "red"),
        ("color", "#ffee00"),
        ("color", "#1f5c3d;x"),
        ("payment_instructions", "x" * 601),
        ("default_tax_percent", "101"),
        ("default_tax_percent", "8.12345"),
        ("default_tax_percent", ""),
        ("default_due_days", "366"),
        ("default_due_days", "-1"),
        ("next_invoice_number", "many"),
    ],
)
def test_invalid_settings_input_is_refused_on_field(
    alice: Client, organization: Organization, field: str, text: str
) -> None:
    response = alice.post(URL, {**GOOD, field: text})
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {field}
    assert response.context["form"]["address"].value() == "1 Elm St"
    assert (
        "<title>Settings · Alder Joinery</title>" in response.content.decode()
    )  # the stored name, not the typed
    organization.refresh_from_db()
    assert organization.name == "Alder Joinery"


def test_next_invoice_number_may_only_go_up(alice: Client, organization: Organization) -> None:
    alice.post(URL, GOOD)
    response = alice.post(URL, {**GOOD, "next_invoice_number": "999"})
    assert response.status_code == 422
    assert "can only be raised" in response.context["form"].errors["next_invoice_number"][0]
    organization.refresh_from_db()
    assert organization.next_invoice_number == 1000


def test_next_invoice_uses_raised_number(alice: Client, organization: Organization) -> None:
    alice.post(URL, {**GOOD, "currency": "USD"})
    organization.refresh_from_db()
    assert personas.sent_invoice(personas.customer(organization)).number == "A-1000"


def test_new_invoice_starts_with_default_tax_and_payment_term(
    alice: Client, organization: Organization
) -> None:
    alice.post(URL, GOOD)
    page = alice.get("/o/alder/invoices/new/")
    due = today(now(), "Europe/Vienna") + timedelta(days=30)
    assert page.context["form"]["due_on"].value() == due.isoformat()
    assert (page.context["form"]["due_kind"].value(), page.context["form"]["due_days"].value()) == (
        "days",
        "30",
    )
    assert {row["tax_percent"].value() for row in page.context["rows"]} == {"8.25"}


def test_color_setting_is_case_insensitive(alice: Client, organization: Organization) -> None:
    alice.post(URL, {**GOOD, "color": "#7A1F2B"})
    organization.refresh_from_db()
    assert organization.color == "#7a1f2b"


def test_payments_can_be_switched_off_and_on(
    alice: Client, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(GATEWAYS, "sandbox", TOY)  # one that answers: the connection is checked first
    account = GatewayAccount.objects.current(organization).get()
    account.credentials = {"api_key": GOOD_KEY}
    account.save()
    alice.post(f"{PAYMENTS}off/")
    organization.refresh_from_db()
    assert not organization.payments_enabled
    assert "No payment can be requested" in alice.get(PAYMENTS).content.decode()
    alice.post(PAYMENTS, {"operation": "switch_on"})
    organization.refresh_from_db()
    assert organization.payments_enabled


def test_switching_payments_off_asks_first_and_names_the_links(
    alice: Client, organization: Organization, invoice: Invoice
) -> None:
    personas.request_payment(invoice, 30_000)
    personas.accept_quote(personas.sent_quote(invoice.customer))
    # These two lose nothing: one has no deposit, and that of the other is paid.
    personas.accept_quote(personas.sent_quote(invoice.customer, percent="0"))
    personas.record_deposit_check(personas.accept_quote(personas.sent_quote(invoice.customer)))
    page = alice.get(f"{PAYMENTS}off/").content.decode()
    organization.refresh_from_db()
    assert organization.payments_enabled
    assert "1 open payment request can no longer be paid" in page
    assert f"{invoice.customer.name} · <" in page
    assert "1 sent invoice loses its Pay Now button" in page
    assert "The deposit of 1 accepted quote" in page


def test_payments_cannot_be_enabled_without_gateway_account(
    alice: Client, organization: Organization
) -> None:
    GatewayAccount.objects.all().delete()
    Organization.objects.update(payments_enabled=False)
    response = alice.post(PAYMENTS, {"operation": "switch_on"})
    assert response.status_code == 409
    assert "Connect a payment service first" in response.content.decode()
    organization.refresh_from_db()
    assert not organization.payments_enabled


def test_connecting_unavailable_sandbox_shows_message(
    alice: Client, organization: Organization, settings: LazySettings
) -> None:
    settings.PARTWAY_GATEWAY_URLS = {"sandbox": "http://127.0.0.1:9"}
    GatewayAccount.objects.all().delete()
    response = alice.post(PAYMENTS, {"operation": "connect", "gateway": "sandbox"})
    assert response.status_code == 503
    assert "The sandbox does not answer" in response.content.decode()
    assert not GatewayAccount.objects.exists()


def test_a_live_installation_offers_no_sandbox(
    alice: Client, organization: Organization, settings: LazySettings
) -> None:
    settings.PARTWAY_LIVE = True
    GatewayAccount.objects.all().delete()
    assert "Connect the sandbox" not in alice.get(PAYMENTS).content.decode()
    assert alice.post(PAYMENTS, {"operation": "connect", "gateway": "sandbox"}).status_code == 409


def test_connecting_gateway_twice_keeps_first_account(alice: Client, organization: Organization) -> None:
    alice.post(PAYMENTS, {"operation": "connect", "gateway": "sandbox"})
    assert GatewayAccount.objects.count() == 1


# Modes of payment


def save_modes(client: Client, *lines: str) -> Any:
    return client.post(PAYMENTS, {"operation": "modes", "modes": "\r\n".join(lines)})


def test_payment_modes_keep_their_order(alice: Client, invoice: Invoice) -> None:
    assert "Cash\nCheck\nBank transfer" in alice.get(PAYMENTS).content.decode()
    assert save_modes(alice, "PayPal  me ", "", "Cash").status_code == 302
    for page in (PAYMENTS, f"/o/alder/invoices/{invoice.pk}/payment/"):
        content = alice.get(page).content.decode()
        assert content.index("PayPal me") < content.index("Cash")
        assert "Bank transfer" not in content.partition("Online payments")[2]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([""], "between one and 20"),
        (["Cash", "cash"], "is listed twice"),
        (["Überweisung", "uberweisung"], "is listed twice"),
        (["x" * 41], "is too long"),
        ([str(number) for number in range(21)], "between one and 20"),
    ],
)
def test_invalid_payment_modes_are_refused_and_kept(
    alice: Client, organization: Organization, lines: list[str], message: str
) -> None:
    response = save_modes(alice, *lines)
    assert response.status_code == 422
    assert message in response.context["form"].errors["modes"][0]
    assert response.context["form"]["modes"].value() == "\n".join(lines)
    organization.refresh_from_db()
    assert organization.payment_modes[0] == "Cash"


def test_removed_payment_mode_stays_on_its_payments(alice: Client, invoice: Invoice) -> None:
    personas.record_check(invoice, 10_000)
    save_modes(alice, "Cash")
    assert ">Check" in alice.get(f"/o/alder/invoices/{invoice.pk}/").content.decode().partition("Payments")[2]
    quote = personas.accept_quote(personas.sent_quote(invoice.customer))
    for path in (f"invoices/{invoice.pk}/payment", f"quotes/{quote.pk}/deposit"):
        assert '<option value="Check">' not in alice.get(f"/o/alder/{path}/").content.decode()


def test_payment_modes_change_is_in_audit_log(alice: Client, organization: Organization) -> None:
    save_modes(alice, "PayPal me")
    page = alice.get("/o/alder/settings/audit/").content.decode()
    assert "payment modes: “Cash, Check, Bank transfer, Card terminal, Other” → “PayPal me”" in page


def test_sites_that_customers_return_to_are_saved_in_one_spelling(
    alice: Client, organization: Organization, settings: LazySettings
) -> None:
    settings.PARTWAY_RETURN_TO_LOOPBACK = False
    form = {
        "operation": "return_urls",
        "return_urls": "HTTPS://Jobs.Alder.example\r\n\r\nhttps://alder.example/p",
    }
    assert alice.post(PAYMENTS, form).status_code == 302
    assert "https://jobs.alder.example/\nhttps://alder.example/p</textarea>" in alice.get(PAYMENTS).text
    for wrong in ("http://localhost:3000", "https://a@b.example", "https://b.example/?x"):
        response = alice.post(PAYMENTS, {**form, "return_urls": wrong})
        assert (response.status_code, wrong in response.context["form"].errors["return_urls"][0]) == (
            422,
            True,
        )
    settings.PARTWAY_RETURN_TO_LOOPBACK = True
    assert alice.post(PAYMENTS, {**form, "return_urls": "http://localhost:3000"}).status_code == 302
    too_many = "\n".join(f"https://{number}.example" for number in range(21))
    assert alice.post(PAYMENTS, {**form, "return_urls": too_many}).status_code == 422
    organization.refresh_from_db()
    assert organization.return_urls == ["http://localhost:3000/"]


def test_unknown_settings_form_changes_nothing(alice: Client, organization: Organization) -> None:
    response = alice.post("/o/alder/settings/payments/", {"operation": "mode", "modes": "Cash"})
    organization.refresh_from_db()
    assert (response.status_code, organization.payments_enabled) == (422, True)


# The language and region.


def test_locale_of_settings_decides_how_numbers_are_shown_and_typed(
    alice: Client, organization: Organization
) -> None:
    page = alice.get(URL).content.decode()
    assert '<option value="en_US" selected>English (United States)</option>' in page
    assert '<option value="de_AT">Deutsch (Österreich)</option>' in page
    alice.post(URL, {**GOOD, "locale": "de_AT"})
    page = alice.get(URL).content.decode()
    assert 'value="8,25"' in page
    assert "€\u00a01.234,56 · " in page
    assert alice.post(URL, {**GOOD, "locale": "de_AT", "default_tax_percent": "9,5"}).status_code == 302
    organization.refresh_from_db()
    assert str(organization.default_tax_percent) == "9.5"


@pytest.mark.parametrize("locale", ["xx_YY", "", "../de", "en_US_POSIX", "ca_ES_VALENCIA"])
def test_unknown_locale_is_refused_and_has_no_sample(alice: Client, locale: str) -> None:
    assert "locale" in alice.post(URL, {**GOOD, "locale": locale}).context["form"].errors
    assert alice.get("/o/alder/settings/locale/", {"locale": locale}).content == b""


def test_locale_sample_is_written_in_the_chosen_locale(alice: Client) -> None:
    sample = alice.get("/o/alder/settings/locale/", {"locale": "fr_FR"}).content.decode()
    assert sample.startswith("1\u202f234,56\u00a0$US · ")


def test_locale_that_is_not_offered_stays_selected(alice: Client, organization: Organization) -> None:
    Organization.objects.update(locale="fy_NL")
    assert '<option value="fy_NL" selected>fy_NL</option>' in alice.get(URL).content.decode()
