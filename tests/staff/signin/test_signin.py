"""Sign-in, sign-out, the choice of an organization, and the first password."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from partway.accounts import passwords
from partway.accounts.models import Member, User
from tests.support import personas
from tests.support.personas import PASSWORD, Team

ALICE = "alice@alder.example"


def test_sign_in_redirects_to_organization(client: Client, team: Team) -> None:
    response = client.post("/signin/", {"email": ALICE, "password": PASSWORD}, follow=True)
    assert response.redirect_chain[-1][0] == "/o/alder/"


def test_sign_in_email_is_case_insensitive(client: Client, team: Team) -> None:
    response = client.post("/signin/", {"email": " Alice@Alder.Example ", "password": PASSWORD})
    assert response.status_code == 302


@pytest.mark.parametrize(("email", "password"), [(ALICE, "wrong"), ("nobody@alder.example", PASSWORD)])
def test_sign_in_refusal_does_not_reveal_which_field_is_wrong(
    client: Client, team: Team, email: str, password: str
) -> None:
    response = client.post("/signin/", {"email": email, "password": password})
    assert response.status_code == 422
    page = response.content.decode()
    assert "do not match" in page
    assert f'value="{email}"' in page
    assert "wrong" not in page  # the password is not shown again


def test_empty_sign_in_form_marks_both_fields(client: Client, team: Team) -> None:
    response = client.post("/signin/", {"email": "", "password": ""})
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {"login", "password"}


def test_sign_up_is_not_available(client: Client, team: Team) -> None:
    assert client.get("/signup/").status_code == 404
    assert client.get("/signin/").context.get("signup_url") is None


def test_an_inactive_user_cannot_sign_in(client: Client, team: Team) -> None:
    User.objects.filter(email=ALICE).update(is_active=False)
    assert client.post("/signin/", {"email": ALICE, "password": PASSWORD}).status_code == 422


def test_sign_in_redirects_to_next(client: Client, team: Team) -> None:
    page = client.get("/signin/?next=/o/alder/settings/").content.decode()
    assert 'value="/o/alder/settings/"' in page
    response = client.post("/signin/", {"email": ALICE, "password": PASSWORD, "next": "/o/alder/settings/"})
    assert response.headers["Location"] == "/o/alder/settings/"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_sign_in_ignores_next_on_another_site(client: Client, team: Team, elsewhere: str) -> None:
    response = client.post("/signin/", {"email": ALICE, "password": PASSWORD, "next": elsewhere})
    assert response.headers["Location"] == "/"


def test_signed_in_user_is_redirected_from_sign_in_page(alice: Client) -> None:
    assert alice.get("/signin/").status_code == 302


def test_sign_out_ends_the_session_and_only_by_post(alice: Client) -> None:
    assert alice.get("/signout/").status_code == 405
    assert alice.get("/o/alder/").status_code == 200
    alice.post("/signout/")
    assert alice.get("/o/alder/").status_code == 302


def test_organizations_of_a_user_are_listed_by_folded_name(alice: Client, team: Team) -> None:
    for slug, name in (("zebra", "zebra"), ("arzte", "Ärzte"), ("zurcher", "Zürcher")):
        owner = personas.organization(slug, name)
        Member.objects.create(organization=owner, user=team.alice.user, role="owner")
    for url in ("/", "/profile/", "/o/alder/invoices/"):
        page = alice.get(url).content.decode()
        assert page.index("Ärzte") < page.index("zebra") < page.index("Zürcher"), url


def test_user_of_several_organizations_chooses_one(alice: Client, team: Team) -> None:
    birch = personas.organization("birch", "Birch & Co")
    Member.objects.create(organization=birch, user=team.alice.user, role="reader")
    page = alice.get("/").content.decode()
    assert "/o/alder/" in page
    assert "/o/birch/" in page
    assert "Birch &amp; Co" in alice.get("/o/alder/").content.decode()  # and every page has the switch


def test_user_without_organization_sees_explanation(client: Client, team: Team) -> None:
    client.force_login(User.objects.create_user("new@alder.example", "New", PASSWORD))
    page = client.get("/").content.decode()
    assert "not in an organization yet" in page


def welcome_link(user: User) -> str:
    return reverse("welcome", args=passwords.welcome_link_parts(user))


@pytest.fixture
def invited(team: Team) -> User:
    return User.objects.create_user("ivy@alder.example", "Ivy")


def test_the_welcome_link_sets_a_password_and_signs_in(client: Client, invited: User) -> None:
    link = welcome_link(invited)
    assert "Welcome, Ivy" in client.get(link).content.decode()
    response = client.post(link, {"password": PASSWORD, "repeated_password": PASSWORD})
    assert response.headers["Location"] == "/"
    assert client.get("/").status_code == 200
    assert User.objects.get(pk=invited.pk).check_password(PASSWORD)


def test_the_welcome_link_works_once(client: Client, invited: User) -> None:
    link = welcome_link(invited)
    client.post(link, {"password": PASSWORD, "repeated_password": PASSWORD})
    response = Client().post(
        link, {"password": "another long password", "repeated_password": "another long password"}
    )
    assert response.status_code == 404
    assert User.objects.get(pk=invited.pk).check_password(PASSWORD)


@pytest.mark.parametrize(
    ("password", "repeated_password", "message"),
    [
        ("elevensigns", "elevensigns", "at least 12"),
        ("qwerty123456", "qwerty123456", "common"),
        ("ivy@alder.example", "ivy@alder.example", "too similar"),
        (PASSWORD, "x", "two passwords are different"),
    ],
)
def test_welcome_link_refuses_weak_or_mistyped_password(
    client: Client, invited: User, password: str, repeated_password: str, message: str
) -> None:
    response = client.post(
        welcome_link(invited), {"password": password, "repeated_password": repeated_password}
    )
    assert response.status_code == 422
    assert message in response.content.decode()
    assert not User.objects.get(pk=invited.pk).has_usable_password()


@pytest.mark.parametrize("link", ["/welcome/x/y/", "/welcome/%00/set/", "/welcome/dXNyXzE/abc-def/"])
def test_forged_welcome_link_is_404(client: Client, team: Team, link: str) -> None:
    assert client.get(link).status_code == 404


def test_welcome_link_of_user_with_password_is_404(client: Client, team: Team) -> None:
    assert client.get(welcome_link(team.alice.user)).status_code == 404


@pytest.mark.parametrize(
    "typed", ["Alice@Müller.example", "alice@xn--mller-kva.example", "alice@MÜLLER.example "]
)
def test_member_signs_in_with_each_spelling_of_their_domain(client: Client, team: Team, typed: str) -> None:
    User.objects.filter(email=ALICE).update(email="alice@müller.example")
    response = client.post("/signin/", {"email": typed, "password": PASSWORD})
    assert response.status_code == 302
    assert User.objects.get_by_natural_key(typed).name == "Alice"
