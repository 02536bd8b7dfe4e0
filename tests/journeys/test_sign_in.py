"""A person is invited, joins on a phone, adds a second factor, and resets the password."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from partway.worker.demo import SLUG
from partway.worker.supervisor import Supervisor
from partway.worker.tour.mailbox import Mailbox, payment_link_in
from tests.journeys.browser_actions import Member
from tests.support.totp_codes import code_for

pytestmark = pytest.mark.browser

IVY = "ivy@journey.example"
FIRST, SECOND = "a long walk by the river", "another walk by the sea"


def signs_in(page: Page, supervisor: Supervisor, password: str) -> None:
    page.goto(f"{supervisor.config.url}/signin/")
    page.get_by_label("Email address").fill(IVY)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def switches_two_factor_on(page: Page, supervisor: Supervisor, password: str) -> tuple[str, str]:
    """Returns the app's secret and a recovery code."""
    page.goto(f"{supervisor.config.url}/profile/")
    page.get_by_role("link", name="Switch on").click()
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Continue").click()
    secret = page.locator("[data-secret]").text_content() or ""
    page.get_by_label("The code the app shows now").fill(code_for(secret))
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    return secret, page.locator(".recovery-codes li").first.inner_text()


def test_invitation_two_factor_and_password_reset(
    owner: Member, phone: BrowserContext, supervisor: Supervisor, postbox: Mailbox
) -> None:
    owner.open("settings/members/")
    owner.page.get_by_role("link", name="Invite a member").click()
    owner.page.get_by_role("dialog").get_by_label("Email address").fill(IVY)
    owner.page.get_by_role("dialog").get_by_role("button", name="Send invitation").click()
    expect(owner.page.locator("[data-notices]")).to_contain_text(f"The invitation to {IVY} is on its way")

    page = phone.new_page()
    page.goto(payment_link_in(postbox.wait_for_mail(IVY, about="invites you"), "join"))
    page.get_by_label("Your name").fill("Ivy")
    page.get_by_label("Password").fill(FIRST)
    page.get_by_label("The same once more").fill(FIRST)
    page.get_by_role("button", name="Join").click()
    expect(page).to_have_url(re.compile(f"/o/{SLUG}/$"))
    _, recovery = switches_two_factor_on(page, supervisor, FIRST)
    page.get_by_role("button", name="Sign out").click()

    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("Email address").fill(IVY)
    page.get_by_role("button", name="Send the link").click()
    found = re.search(r"http\S+/signin/reset/\S+", postbox.wait_for_mail(IVY, about="new password"))
    assert found
    page.goto(found[0])
    page.get_by_label("New password").fill(SECOND)
    page.get_by_label("The same once more").fill(SECOND)
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_role("heading", name="The password is set")).to_be_visible()

    signs_in(page, supervisor, SECOND)
    page.get_by_label("Code").fill(recovery)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page).to_have_url(re.compile(f"/o/{SLUG}/$"))
    owner.open("settings/audit/?kind=member")
    expect(owner.page.locator("main")).to_contain_text("Ivy set a new password by mail")
