"""Access to every staff page: signed out, as another organization, and with a role that is too low."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse
from pytest_django.fixtures import Settings

from partway import staff
from partway.accounts.models import GatewayAccount, Member, Role
from partway.accounts.permissions import ALLOWED_ROLES, permission_of
from partway.billing.events import OPERATOR
from partway.billing.models import Alert, Event, Invoice
from partway.billing.people import api_keys, members
from partway.billing.people.api_keys import NewKey
from partway.billing.receivables import settlements
from partway.gateways.platform import Platform
from partway.lib.clock import now
from partway.staff import urls
from partway.staff.signin import urls as signin_urls
from tests.staff.confirmation_pages import confirm_page
from tests.support import personas
from tests.support.personas import Team


def routes(patterns: list[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns)
        else:
            yield pattern


PERMISSION = {str(route.name): permission_of(route.callback) for route in routes(urls._organization)}
MINIMUM_ROLE = {name: ALLOWED_ROLES[needed][0] for name, needed in PERMISSION.items() if needed}
NEEDS_COLLECTOR = [name for name, role in MINIMUM_ROLE.items() if role != Role.READER]
NEEDS_OWNER = [name for name, role in MINIMUM_ROLE.items() if role == Role.OWNER]
EXPORTS = tuple(f"organization.{page}_exported" for page in ("invoices", "payments", "payouts", "journal"))
# These are a 404 until there is a stored mail or a logo.
LATER = {"inbox_message", "inbox_body", "logo_image"}
FOR_READERS = [name for name, role in MINIMUM_ROLE.items() if role == Role.READER and name not in LATER]


@pytest.fixture
def address(team: Team, invoice: Invoice, settings: Settings) -> dict[str, str]:
    """Paths of all pages by name, with ids of existing rows of alder, on an installation that has a platform."""
    settings.PARTWAY_GATEWAY_PLATFORMS = {"stripe": Platform("sk_test_platform")}
    settled = personas.settle_rest(invoice)
    settlements.take_back(settled, by=OPERATOR, now=now())
    open_request = personas.request_payment(invoice)
    alert = Alert.objects.create(
        organization=team.organization,
        kind="gateway_list_unavailable",
        params={"reason": "no_answer"},
        subject=invoice.pk,
        created_at=now(),
    )
    invitation = members.invite(
        team.organization, email="ivy@post.example", role="reader", by=OPERATOR, now=now()
    )
    new_key = NewKey(name="Job management", scope="collect")
    key, _secret = api_keys.create(team.organization, new_key=new_key, by=OPERATOR, now=now())
    personas.edit_invoice(invoice, invoice.total_minor)
    payment = personas.record_check(invoice, 10_000)
    endpoint = personas.webhook_endpoint(team.organization, "https://jobs.alder.example/hooks")
    ids = {
        "invoice_id": invoice.pk,
        "version": 2,
        "quote_id": personas.accept_quote(personas.sent_quote(invoice.customer)).pk,
        "request_id": open_request.pk,
        "payment_id": payment.pk,
        "adjustment_id": settled.pk,
        "refund_id": personas.give_back(payment, 1_000).pk,
        "dispute_id": personas.dispute(personas.captured_payment(invoice, 1_000), 1_000, "lost").pk,
        "payout_id": personas.pay_out(team.organization, personas.payout_item()).pk,
        "customer_id": invoice.customer_id,
        "alert_id": alert.pk,
        "import_id": personas.checked_import(team.organization).pk,
        "mail_id": "mail_00000000000000000000000000",
        "member_id": team.charlie.pk,
        "key_id": key.pk,
        "endpoint_id": endpoint.pk,
        "delivery_id": personas.webhook_delivery(endpoint).pk,
        "invitation_id": invitation.pk,
        "gateway": "stripe",
        "account_id": GatewayAccount.objects.current(team.organization).get().pk,
    }
    return {
        str(route.name): reverse(
            f"staff:{route.name}",
            kwargs={"slug": "alder", **{name: ids[name] for name in route.pattern.converters}},
        )
        for route in routes(urls._organization)
    }


def test_every_staff_page_needs_a_permission(address: dict[str, str]) -> None:
    assert set(address) == set(MINIMUM_ROLE)


def test_signed_out_visitor_is_redirected_to_sign_in_with_next(address: dict[str, str]) -> None:
    locations = {page: Client().get(address[page]).headers.get("Location") for page in MINIMUM_ROLE}
    assert locations == {page: f"/signin/?next={address[page]}" for page in MINIMUM_ROLE}


def test_outsider_gets_404_on_every_page(address: dict[str, str], mallory: Client) -> None:
    before = Event.objects.count()
    assert statuses(mallory, address, MINIMUM_ROLE) == dict.fromkeys(MINIMUM_ROLE, (404, 404))
    assert Event.objects.count() == before


def test_outsider_gets_404_through_own_organization_url(address: dict[str, str], mallory: Client) -> None:
    before = Event.objects.count()
    hers = {page: path.replace("/o/alder/", "/o/birch/") for page, path in address.items()}
    # A page without the id of a row shows her own.
    of_rows = [page for page, path in hers.items() if "_0" in path or page == "logo_image"]
    assert statuses(mallory, hers, of_rows) == dict.fromkeys(of_rows, (404, 404))
    assert Event.objects.count() == before
    others = [page for page in MINIMUM_ROLE if page not in {*of_rows, "settings_logo"}]  # that one redirects
    assert {page: mallory.get(hers[page]).status_code for page in others} == dict.fromkeys(others, 200)


def test_reader_gets_403_naming_required_role(address: dict[str, str], charlie: Client) -> None:
    before = Event.objects.count()
    for page in NEEDS_COLLECTOR:
        for response in (charlie.get(address[page]), charlie.post(address[page])):
            assert (page, response.status_code) == (page, 403)
            assert MINIMUM_ROLE[page].label.lower() in response.content.decode(), page
    assert Event.objects.count() == before


def test_collector_gets_403_on_owner_pages(address: dict[str, str], bob: Client) -> None:
    assert statuses(bob, address, NEEDS_OWNER) == dict.fromkeys(NEEDS_OWNER, (403, 403))


def test_reader_can_open_reader_pages(address: dict[str, str], charlie: Client) -> None:
    opened = {page: charlie.get(address[page]).status_code for page in FOR_READERS}
    assert opened == dict.fromkeys(FOR_READERS, 200)


def test_safe_methods_on_staff_pages_change_nothing(address: dict[str, str], alice: Client) -> None:
    # The evidence that a member took a list with them is the one exception.
    changes = Event.objects.exclude(type__in=EXPORTS)
    before = changes.count()
    for number, page in enumerate(MINIMUM_ROLE):
        # The other methods do what GET does, as the next test shows.
        for method in (alice.get, (alice.head, alice.options)[number % 2])[: 1 if number % 9 else 2]:
            method(address[page])
        assert (page, changes.count()) == (page, before)
    assert Alert.objects.filter(resolved_at__isnull=True).count() == 2


def test_pages_ask_of_a_method_only_whether_it_is_post() -> None:
    sources = sorted(Path(staff.__file__).parent.rglob("*.py"))
    others = [
        file.name for file in sources if re.search(r'request\.method\b(?! [!=]= "POST")', file.read_text())
    ]
    # A kept form is restored for a GET alone, and a file is made for a GET alone.
    assert others == ["access.py", "kept_forms.py", "list_exports.py", "profile.py"]


def statuses(client: Client, paths: dict[str, str], pages: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Returns the status of a GET and of a POST of each page."""
    return {
        page: (client.get(paths[page]).status_code, client.post(paths[page]).status_code) for page in pages
    }


def test_unknown_and_foreign_organization_get_identical_404(team: Team, mallory: Client) -> None:
    foreign = mallory.get("/o/alder/")
    unknown = mallory.get("/o/nowhere/")
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.content == unknown.content


def test_reader_sees_no_actions_on_invoice_page(charlie: Client, invoice: Invoice) -> None:
    personas.request_payment(invoice)
    page = charlie.get(f"/o/alder/invoices/{invoice.pk}/").content.decode()
    for act in ("Request Payment", "Cancel Payment Request", "Void Invoice", "/p/"):
        assert act not in page


def test_removed_member_loses_access_at_once(bob: Client, team: Team) -> None:
    assert bob.get("/o/alder/").status_code == 200
    Member.objects.filter(pk=team.bob.pk).delete()
    assert bob.get("/o/alder/").status_code == 404


def test_staff_pages_are_not_cached_by_browser(bob: Client) -> None:
    assert bob.get("/o/alder/").headers["Cache-Control"] == "no-store"


def test_dialog_request_of_signed_out_member_redirects_whole_page_to_sign_in(team: Team) -> None:
    response = Client().get(
        "/o/alder/customers/new/", headers={"HX-Request": "true", "HX-Target": "dialog-content"}
    )
    assert response.headers["HX-Redirect"] == "/signin/?next=/o/alder/customers/new/"


def test_id_with_nul_character_is_404(bob: Client) -> None:
    assert bob.get("/o/alder/invoices/inv_%00/").status_code == 404
    assert bob.get("/o/alder/invoices/inv_%00/live/").status_code == 404
    assert bob.get("/o/alder/quotes/quo_%00/").status_code == 404
    assert bob.get("/o/a%00b/invoices/").status_code == 404
    assert bob.get("/o/al%C3%A4der/invoices/").status_code == 404
    assert bob.get("/o/alder/invoices/?q=%00").status_code == 200


def test_reader_sees_no_actions_and_no_link_on_quote_page(charlie: Client, invoice: Invoice) -> None:
    quote = personas.accept_quote(personas.sent_quote(invoice.customer))
    page = charlie.get(f"/o/alder/quotes/{quote.pk}/").content.decode()
    for act in ("Record Deposit", "Make Invoice", "Resend Quote", "/q/"):
        assert act not in page


def test_collector_can_resend_quote_and_create_its_invoice(bob: Client, team: Team, invoice: Invoice) -> None:
    quote = personas.accept_quote(personas.sent_quote(invoice.customer))
    for page in ("resend", "invoice"):
        assert confirm_page(bob, f"/o/alder/quotes/{quote.pk}/{page}/").status_code == 302


OWN = (
    "profile",
    "account_change_password",
    "mfa_activate_totp",
    "mfa_view_recovery_codes",
    "mfa_reauthenticate",
)


@pytest.mark.parametrize("name", OWN)
def test_profile_pages_require_sign_in(team: Team, name: str) -> None:
    response = Client().get(reverse(name))
    assert response.status_code == 302
    assert unquote(response.headers["Location"]).startswith("/signin/?next=/profile/")


def test_every_profile_route_requires_sign_in(team: Team) -> None:
    own = [route for route in signin_urls.urlpatterns if str(route.pattern).startswith("profile/")]
    for route in own:
        for response in (Client().get(f"/{route.pattern}"), Client().post(f"/{route.pattern}")):
            assert response.status_code in (302, 405), route.name


@pytest.mark.parametrize(
    "path", ["nothing/", "invoices/inv_00000000000000000000000000/", "invoices/new/nothing/"]
)
def test_404_keeps_navigation_for_members(charlie: Client, mallory: Client, path: str) -> None:
    page = charlie.get(f"/o/alder/{path}")
    assert page.status_code == 404
    assert "Page not found" in page.content.decode()
    assert 'href="/o/alder/invoices/"' in page.content.decode()
    for other in (mallory, Client()):
        page = other.get("/o/alder/nothing/")
        assert page.status_code == 404
        assert "/o/alder/" not in page.content.decode()
        assert "Alder Joinery" not in page.content.decode()


def test_404_in_dialog_has_no_navigation(charlie: Client) -> None:
    page = charlie.get("/o/alder/customers/cus_0/", headers={"HX-Target": "dialog-content"}).content.decode()
    assert "Page not found" in page
    assert "<nav" not in page


def test_403_keeps_navigation_for_members(charlie: Client, team: Team) -> None:
    page = charlie.get("/o/alder/invoices/new/").content.decode()
    assert 'href="/o/alder/invoices/"' in page
