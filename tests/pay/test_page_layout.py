"""The pages of customers and of the sandbox, and all mails: long texts fit each width, and axe finds nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings

from partway.billing import links, outbox
from partway.billing.events import OPERATOR
from partway.billing.models import Dispute, Event, Payment
from partway.billing.people import webhook_endpoints
from partway.delivery.mail import rendering
from partway.delivery.mail.kinds import KINDS
from partway.gateways.registry import DEMO_GATEWAY
from partway.lib.clock import now
from tests.pay import phone_browser
from tests.pay.customer_browser import CustomerBrowser
from tests.support import layout, long_texts, personas
from tests.support.accessibility import violations
from tests.support.long_texts import ADDRESS, AMOUNT_MINOR, WORD

pytestmark = [pytest.mark.browser, pytest.mark.long(60)]


@pytest.fixture
def long_rows(customer_browser: CustomerBrowser, settings: Settings, tmp_path: Path) -> CustomerBrowser:
    """Alder with long texts everywhere."""
    settings.PARTWAY_HOME = tmp_path
    long_texts.create(customer_browser.organization)
    return customer_browser


def test_customer_pages_fit_every_width_and_pass_axe(
    long_rows: CustomerBrowser, days_share: Callable[[Sequence[str]], Sequence[str]]
) -> None:
    urls = [*long_texts.customer_urls(), links.receipt_url(Payment.objects.latest("pk"))[:-9]]
    pending = links.receipt_url(Payment.objects.get(status="pending"))

    def visit(page: Page) -> list[str]:
        found = []
        for url in days_share(urls):
            page.goto(url)
            if url == pending:
                expect(page.get_by_role("heading", name="You have not paid yet")).to_be_visible()
            found += layout.overflowing(page, also=violations)
        return found

    found = phone_browser.on_phone(visit, opens_error_pages=True)
    assert not found, "\n".join(found)


def test_sandbox_pages_fit_every_width_and_pass_axe(customer_browser: CustomerBrowser) -> None:
    sandbox = customer_browser.sandbox_server
    account = sandbox.call_api(
        "POST", "/v1/accounts", name=WORD, callback_url=f"{sandbox.url}/nowhere"
    ).json()
    key = account["api_key"]

    def start() -> dict[str, str]:
        checkout = {
            "amount": AMOUNT_MINOR,
            "currency": "USD",
            "description": f"{WORD}: {WORD}",
            "reference": WORD[:40],
            "return_url": f"{sandbox.url}/healthz",
            "expires_at": (now() + timedelta(minutes=30)).isoformat(),
        }
        return dict(sandbox.call_api("POST", "/v1/checkouts", key=key, **checkout).json())

    def visit(page: Page) -> list[str]:
        found = []

        def open_and_pay(number: str) -> None:
            page.goto(start()["url"])
            page.locator("input[name=number]").fill(number)
            page.locator("input[name=number]").press("Enter")

        page.goto(start()["url"])
        found += layout.overflowing(page, also=violations)
        open_and_pay("4000000000000002")
        expect(page.get_by_role("alert")).to_be_visible()
        found += layout.overflowing(page, also=violations)
        open_and_pay("4000002500003155")
        expect(page.get_by_role("button", name="Refuse")).to_be_visible()
        found += layout.overflowing(page, also=violations)
        paid, closed = start(), start()
        sandbox.submit_form(f"{paid['url']}/pay", number="4242424242424242")
        sandbox.call_api("POST", f"/v1/checkouts/{closed['id']}/close", key=key)
        for url in (paid["url"], closed["url"], f"{sandbox.url}/checkout/{'0' * 60}"):
            page.goto(url)
            found += layout.overflowing(page, also=violations)
        return found

    found = phone_browser.on_phone(visit, opens_error_pages=True)
    assert not found, "\n".join(found)


def test_mails_pass_axe_and_fit_every_width(long_rows: CustomerBrowser) -> None:
    alice = long_rows.organization.members.get(role="owner").user
    for kind, data in (
        ("password_reset", {}),
        ("sign_in_changed", {"what": "password_changed"}),
        ("sign_in_attempts", {"kind": "password", "ip_address": "203.0.113.9"}),
    ):
        outbox.queue_account_mail(alice, kind, now=now(), data=data)
    opened = Event.objects.filter(type="dispute.opened").earliest("created_at")
    outbox.queue_dispute_notice(Dispute.objects.get(pk=opened.data["dispute"]), opened, "dispute_reminder")
    outbox.queue_to_owners("gateway_left", opened, data={"gateway": DEMO_GATEWAY})
    endpoint = personas.webhook_endpoint(long_rows.organization, "https://jobs.alder.example/hooks")
    webhook_endpoints.set_enabled(endpoint, on=False, by=OPERATOR, now=now())
    disabled = {"endpoint": endpoint.pk, "url": endpoint.url, "reason": "failing"}
    outbox.queue_to_owners("webhook_endpoint_disabled", opened, data=disabled)
    lost = Event.objects.filter(type="dispute.lost").earliest("created_at")
    outbox.queue_debit_return(Dispute.objects.get(pk=lost.data["dispute"]), lost)
    ended = outbox.Recipients(to=[ADDRESS], data={"reason": "invoice_changed"})
    outbox.queue("payment_request_ended", Event.objects.filter(type="payment_request.sent")[0], ended)
    mails = {mail.kind: mail for mail in rendering.with_related_rows()}
    assert mails.keys() == KINDS.keys()
    htmls = [str(rendering.message(mail).alternatives[0][0]) for mail in mails.values()]

    def visit(page: Page) -> list[str]:
        found = []
        for html in htmls:
            page.set_content(html)
            found += [f"{page.title()}: {each}" for each in layout.overflowing(page, also=violations)]
        return found

    found = phone_browser.on_phone(visit, opens_error_pages=True)
    assert not found, "\n".join(found)
