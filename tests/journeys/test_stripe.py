"""A first payment through Stripe, on a domain of the business: 3-D Secure is refused, and then confirmed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, expect

from partway.worker.supervisor import Supervisor
from tests.gateways.stripe_server.client import StandIn
from tests.journeys.browser_actions import pays_at_the_sandbox, sees_receipt
from tests.journeys.test_onboarding import Newcomer, invoices_a_new_customer

pytestmark = pytest.mark.browser

ASKS_FOR_3D_SECURE = "4000002500003155"


def test_card_with_3d_secure_is_refused_and_then_confirmed(
    supervisor: Supervisor, stand_in: StandIn, desktop: BrowserContext, phone: BrowserContext
) -> None:
    owner = Newcomer(supervisor, desktop.new_page())
    owner.starts("Morning & Co", "mia@morning.example")
    page = owner.page
    page.goto(f"{page.url}settings/payments/")
    account = stand_in.open_account()
    # No page of ours names this origin in its policy, which a browser applies to the redirect of a form too.
    account.control("change_settings", checkout_url=stand_in.url.replace("127.0.0.1", "localhost"))
    page.get_by_label("Secret or restricted key").fill(account.test_key)
    page.get_by_role("button", name="Connect Stripe").click()
    expect(page.locator("main")).to_contain_text("Stripe is connected. Customers can pay online.")
    page.get_by_role("link", name="Write an invoice").click()
    invoices_a_new_customer(page)

    customer = phone.new_page()
    customer.goto(str(page.locator(".steps .button-primary").get_attribute("href")))
    customer.get_by_role("button", name="Pay $250.00").click()
    expect(customer).to_have_url(re.compile("^http://localhost:"))
    pays_at_the_sandbox(customer, ASKS_FOR_3D_SECURE)
    customer.get_by_role("button", name="Fail").click()
    expect(customer.get_by_role("alert")).to_contain_text("unable to authenticate")
    pays_at_the_sandbox(customer, ASKS_FOR_3D_SECURE)
    customer.get_by_role("button", name="Complete").click()
    sees_receipt(customer, "$250.00", "$750.00")
