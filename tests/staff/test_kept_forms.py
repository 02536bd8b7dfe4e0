"""A form that comes after its session had ended is shown after the sign-in, to its member only, and never sent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.test import Client, RequestFactory

from partway.accounts import kept_forms
from partway.accounts.models import KeptForm, Member, User
from partway.accounts.permissions import Permission
from partway.billing.models import Customer, Event, Invoice, PaymentRequest
from partway.billing.people import customers
from partway.billing.people.customers import CustomerDetails
from partway.config.sessions import SessionStore
from partway.lib.clock import now
from partway.staff import access, device_cookie
from partway.staff.context import MemberContext
from tests.staff.confirmation_pages import hidden_fields
from tests.staff.test_access import NEEDS_COLLECTOR, address
from tests.support.personas import PASSWORD, Team

__all__ = ["address"]

NEW_CUSTOMER = "/o/alder/customers/new/"
TYPED = {"name": "Nora <N>", "email": "nora@customer.example", "phone": "", "address": "1 Elm St"}
ASKED_AGAIN = "You had to sign in again"
NOT_KEPT = "What was typed before you signed in is not kept"


def browser_of(member: Member, **options: Any) -> Client:
    """Returns a browser in which this member has signed in once and is signed out now, without having asked for it."""
    client = Client(**options)
    response = device_cookie.remember(HttpResponse(), member.user)
    client.cookies[device_cookie.COOKIE_NAME] = response.cookies[device_cookie.COOKIE_NAME].value
    return client


@pytest.fixture
def bobs(team: Team) -> Client:
    return browser_of(team.bob)


def after_signin(client: Client, response: Any, email: str = "bob@alder.example") -> Any:
    """Signs in on the page that the response redirects to; returns the page that comes next."""
    url = response.headers.get("HX-Redirect") or response.headers["Location"]
    after = parse_qs(urlsplit(url).query)["next"][0]
    client.post("/signin/", {"email": email, "password": PASSWORD, "next": after})
    return client.get(after)


def test_form_of_ended_session_is_shown_again_after_signin(bobs: Client) -> None:
    page = after_signin(bobs, bobs.post(NEW_CUSTOMER, TYPED))
    assert page.status_code == 200
    assert ASKED_AGAIN in page.content.decode()
    assert page.context["form"]["name"].value() == "Nora <N>"
    assert 'value="Nora &lt;N&gt;"' in page.content.decode()
    assert not Customer.objects.exists()
    bobs.post(NEW_CUSTOMER, {**TYPED, **hidden_fields(page)})
    assert Customer.objects.get().name == "Nora <N>"


def test_name_typed_in_the_profile_of_an_ended_session_is_kept(bobs: Client, team: Team) -> None:
    page = after_signin(bobs, bobs.post("/profile/", {"name": "Bob <B>"}))
    assert ASKED_AGAIN in page.content.decode()
    assert page.context["form"]["name"].value() == "Bob <B>"
    team.bob.user.refresh_from_db()
    assert team.bob.user.name == "Bob"


def test_kept_invoice_has_its_lines_and_stores_nothing(bobs: Client, dana: Customer) -> None:
    lines = {
        "lines.0.description": "Oak staircase",
        "lines.0.quantity": "1",
        "lines.0.unit_amount": "1,000.00",
    }
    url = "/o/alder/invoices/new/"
    page = after_signin(bobs, bobs.post(url, {"customer": dana.pk, "currency": "USD", **lines}))
    assert 'value="1,000.00"' in page.content.decode()
    assert not Invoice.objects.exists()


def test_dialog_of_ended_session_goes_through_signin_and_acts_once(bobs: Client, invoice: Invoice) -> None:
    url = f"/o/alder/invoices/{invoice.pk}/request/"
    typed = {"to": "dana@customer.example", "amount_requested": "300.00", "idempotency_key": "of-this-dialog"}
    headers = {"HX-Request": "true", "HX-Target": "dialog-content"}
    page = after_signin(bobs, bobs.post(url, typed, headers=headers))
    assert hidden_fields(page)["idempotency_key"] == "of-this-dialog"
    assert not PaymentRequest.objects.exists()
    for _ in range(2):  # a double click
        bobs.post(url, {**typed, **hidden_fields(page)})
    assert PaymentRequest.objects.get().amount_requested_minor == 30_000


def test_totals_asked_for_while_typing_do_not_leave_the_page(bobs: Client) -> None:
    response = bobs.post("/o/alder/invoices/new/", {"operation": "figures"}, headers={"HX-Request": "true"})
    assert response.status_code == 204
    assert not KeptForm.objects.exists()


def test_kept_form_is_shown_to_no_other_member(bobs: Client, team: Team) -> None:
    response = bobs.post(NEW_CUSTOMER, TYPED)
    page = after_signin(bobs, response, "alice@alder.example").content.decode()
    assert NOT_KEPT in page
    assert "Nora" not in page


def test_signing_out_deletes_what_is_kept(bobs: Client) -> None:
    response = bobs.post(NEW_CUSTOMER, TYPED)
    assert "Nora" in after_signin(bobs, response).content.decode()
    bobs.post("/signout/")
    assert not KeptForm.objects.exists()
    assert "Nora" not in after_signin(bobs, response).content.decode()


def test_nothing_is_kept_of_a_stranger(team: Team) -> None:
    stranger = Client()
    stranger.cookies[device_cookie.COOKIE_NAME] = "forged"
    page = after_signin(stranger, stranger.post(NEW_CUSTOMER, TYPED))
    assert NOT_KEPT in page.content.decode()
    assert not KeptForm.objects.exists()


def test_nothing_is_kept_of_a_user_who_was_deactivated(bobs: Client, team: Team) -> None:
    User.objects.filter(pk=team.bob.user_id).update(is_active=False)
    assert "kept=none" in unquote(bobs.post(NEW_CUSTOMER, TYPED).headers["Location"])
    assert not KeptForm.objects.exists()


def test_kept_form_has_no_token_and_ends_with_the_secret_key(bobs: Client, team: Team) -> None:
    bobs.post(NEW_CUSTOMER, {**TYPED, "csrfmiddlewaretoken": "secret"})
    kept = KeptForm.objects.get()
    assert kept.fields == TYPED
    KeptForm.objects.update(sealed_fields="v1.sealed-under-another-key")
    assert kept_forms.find(team.bob.user, kept_id=kept.pk, path=NEW_CUSTOMER, now=now()) is None


def test_form_that_is_too_long_is_not_kept(bobs: Client) -> None:
    page = after_signin(bobs, bobs.post(NEW_CUSTOMER, {**TYPED, "address": "x" * kept_forms.MAX_CHARACTERS}))
    assert NOT_KEPT in page.content.decode()


def test_form_sent_to_the_address_of_a_kept_one_counts_as_it_was_typed(bobs: Client) -> None:
    page = after_signin(bobs, bobs.post(NEW_CUSTOMER, TYPED))
    bobs.post(page.request["PATH_INFO"] + "?" + page.request["QUERY_STRING"], {**TYPED, "name": "Nora Two"})
    assert Customer.objects.get().name == "Nora Two"


def test_few_forms_are_kept_and_for_a_short_time(team: Team) -> None:
    fields, at = {"name": "Nora"}, now()
    for number in range(7):
        kept_forms.keep(team.bob.user, path=f"/{number}/", fields=fields, now=at + timedelta(seconds=number))
    assert sorted(KeptForm.objects.values_list("path", flat=True)) == [
        f"/{number}/" for number in range(2, 7)
    ]
    newest = KeptForm.objects.get(path="/6/")
    assert "Nora" not in newest.sealed_fields
    late = newest.created_at + kept_forms.LIFETIME
    assert kept_forms.find(team.bob.user, kept_id=newest.pk, path="/6/", now=newest.created_at) == fields
    assert kept_forms.find(team.bob.user, kept_id=newest.pk, path="/5/", now=newest.created_at) is None
    assert kept_forms.find(team.bob.user, kept_id=newest.pk, path="/6/", now=late) is None
    assert kept_forms.delete_old(now=late) == 5


def test_no_page_acts_by_a_kept_form(team: Team, address: dict[str, str]) -> None:
    team.bob.role = "owner"
    team.bob.save()
    signed_in, signed_out = browser_of(team.bob), browser_of(team.bob)
    signed_in.force_login(team.bob.user)
    before = Event.objects.count()
    for name in set(NEEDS_COLLECTOR) - {"gateway_onboarding", "gateway_onboarded"}:  # these lead to a gateway
        filled = {"operation": "remove", **hidden_fields(signed_in.get(address[name]))}
        response = signed_out.post(address[name], filled)
        kept = parse_qs(urlsplit(response.headers["Location"]).query)["next"][0]
        assert signed_in.get(kept).status_code < 400, name
        assert Event.objects.count() == before, name


# A sign-in in another tab replaces the token of every form that is open


@pytest.fixture
def strict(team: Team) -> Client:
    """Bob, signed in, in a browser whose tokens are checked."""
    client = browser_of(team.bob, enforce_csrf_checks=True)
    client.force_login(team.bob.user)
    client.get(NEW_CUSTOMER)
    return client


def test_form_with_old_token_is_shown_again(strict: Client) -> None:
    page = strict.post(
        NEW_CUSTOMER, {**TYPED, "csrfmiddlewaretoken": "x" * 64}, headers={"Origin": "http://testserver"}
    )
    assert (page.status_code, page.context["form"]["name"].value()) == (403, "Nora <N>")
    assert ASKED_AGAIN in page.content.decode()
    strict.post(NEW_CUSTOMER, {**TYPED, "csrfmiddlewaretoken": strict.cookies["csrftoken"].value})
    assert Customer.objects.get().name == "Nora <N>"


def test_totals_asked_for_with_an_old_token_do_not_leave_the_page(strict: Client) -> None:
    headers = {"Origin": "http://testserver", "HX-Request": "true"}
    response = strict.post("/o/alder/invoices/new/", {"operation": "figures"}, headers=headers)
    assert (response.status_code, response.content) == (204, b"")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", ""])
def test_form_of_another_site_is_shown_to_no_member(strict: Client, origin: str) -> None:
    headers = {"Origin": origin} if origin else {}
    page = strict.post(NEW_CUSTOMER, TYPED, headers=headers)
    assert page.status_code == 403
    assert "Nora" not in page.content.decode()


def test_form_with_old_token_of_ended_session_is_kept(strict: Client) -> None:
    Session.objects.all().delete()
    response = strict.post(NEW_CUSTOMER, TYPED, headers={"Origin": "http://testserver"})
    assert "kept%3Dkpt_" in response.headers["Location"]


def test_a_page_that_acts_without_a_form_stores_nothing_of_a_kept_one(team: Team) -> None:
    def act(ctx: MemberContext) -> HttpResponse:
        customers.create(
            ctx.organization, details=CustomerDetails("Nora", "n@c.example"), by=ctx.actor, now=ctx.now
        )
        return HttpResponse("done")

    def send(**fields: str) -> int:
        request = RequestFactory().post("/", fields)
        request.user, request.session = team.bob.user, SessionStore()
        access.page("", Permission.EDIT_CUSTOMERS, act, "act").callback(request, slug="alder")
        return Customer.objects.count()

    assert (send(kept_form="fields"), send()) == (0, 1)
