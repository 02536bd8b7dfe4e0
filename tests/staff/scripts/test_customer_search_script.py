"""The search for a customer in the editor, in a real browser: by keyboard on a laptop, by touch on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from partway.billing.models import Customer, Invoice
from tests.support import personas
from tests.support.accessibility import violations
from tests.support.layout import overflowing

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("width", [360, 1280])
def test_customer_is_found_while_one_types_and_chosen(page: Page, dana: Customer, width: int) -> None:
    twins = [
        personas.customer(dana.organization, "Kenji Tanaka", f"{at}@tanaka.example")
        for at in ("home", "work")
    ]
    for number in range(8):
        personas.customer(dana.organization, f"Marcus {number}")
    page.set_viewport_size({"width": width, "height": 740})
    page.goto(f"/o/alder/invoices/new/?customer={dana.pk}")
    search = page.get_by_label("Find a customer")
    expect(page.get_by_label("Name of the new customer")).to_be_hidden()
    search.fill("tanaka")
    expect(page.locator("[data-announcements]")).to_have_text("2 customers match “tanaka”.")
    if width == 360:
        box = page.locator(".customer-choice").nth(1).bounding_box()
        assert box
        assert box["height"] >= 44
        page.get_by_text("work@tanaka.example").click()
    else:
        search.press("Enter")  # searches, and saves nothing
        search.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        expect(page.get_by_label("Kenji Tanaka work@tanaka.example")).to_be_focused()
    search.fill("marcus")  # the chosen one stays
    expect(page.get_by_role("radio", name="Marcus 7")).to_be_visible()
    expect(page.get_by_label("Kenji Tanaka work@tanaka.example")).to_be_checked()
    page.get_by_label("New customer…").check()
    expect(page.get_by_label("Name of the new customer")).to_be_visible()
    page.get_by_label("Kenji Tanaka work@tanaka.example").check()
    assert [*violations(page), *overflowing(page)] == []
    page.fill("[name='lines.0.description']", "Oak staircase")
    page.fill("[name='lines.0.unit_amount']", "1")
    search.fill("dana")  # saved before anything is found
    page.click(".form-actions >> text=Save draft")
    page.wait_for_url("**/invoices/inv_*/")
    assert Invoice.objects.get().customer == twins[1]
