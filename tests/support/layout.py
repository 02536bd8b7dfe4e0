"""Finds what does not fit: a page that is wider than its window, and elements or texts that leave their card."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page

# A phone that is still sold, a usual one, a tablet, and a laptop.
WIDTHS = (360, 390, 900, 1280)
LAPTOP = {"width": WIDTHS[-1], "height": 740}

# Text is measured by its own rectangles: a word that is too long leaves an element without widening it. What is
# hidden for the eye or scrolls in a box of its own is left out, as are drawings.
_FIND = """() => {
  const CARD = "td, th, dt, dd, .panel, .alert, .pay-bar, .button, dialog, details:not(.menu), main, header, footer";
  const found = [];
  const page = document.documentElement;
  const label = (each) => `<${each.localName} ${each.className}>`;
  if (page.scrollWidth > page.clientWidth) {
    const beyond = [...document.querySelectorAll("body *")].filter(
      (each) => each.checkVisibility() && each.getBoundingClientRect().right > page.clientWidth,
    );
    found.push(`the page is ${page.scrollWidth} px wide, by ${beyond.map(label).slice(-2)}`);
  }

  function clips(element, card) {
    let inside = true;
    for (let each = element; each; each = each.parentElement) {
      const style = getComputedStyle(each);
      if (inside && style.overflowX !== "visible") return true;
      if (style.position === "fixed" || style.clipPath !== "none") return true;
      inside &&= each !== card;
    }
    return false;
  }

  // What sticks out is rare, so its place is looked at before its styles, which the browser has to compute.
  function check(rectangles, element, card, name) {
    if (!card) return;
    const frame = card.getBoundingClientRect();
    for (const { left, right, width, height } of rectangles) {
      if (width <= 1 || height <= 1 || (right <= frame.right + 2 && left >= frame.left - 2)) continue;
      if (!element.checkVisibility() || clips(element, card)) return;
      if (element.closest("svg, option, select, .skip-link")) return;
      const over = Math.round(Math.max(right - frame.right, frame.left - left));
      return found.push(`${name} of ${label(element)} leaves ${label(card)} by ${over} px`);
    }
  }

  for (const card of document.querySelectorAll(".panel, .alert, dialog[open], details:not(.menu), main, .pay-bar"))
    for (const element of card.querySelectorAll("*")) check([element.getBoundingClientRect()], element, card, "box");

  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    if (!text.data.trim()) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    const element = text.parentElement;
    check(range.getClientRects(), element, element.closest(CARD), `“${text.data.trim().slice(0, 30)}”`);
  }
  return [...new Set(found)].slice(0, 5);
}"""


def overflowing(page: Page, also: Callable[[Page], list[str]] = lambda _page: []) -> list[str]:
    """Returns what does not fit on the open page at each width, and what `also` finds at that of a laptop.

    All that is folded is opened.
    """
    found = []
    page.evaluate("document.querySelectorAll('details:not(.menu)').forEach((each) => { each.open = true; })")
    # Each change of the width lays the page out again, so the next page begins at the width at which this one ends.
    for width in reversed(WIDTHS) if page.viewport_size == LAPTOP else WIDTHS:
        size = {"width": width, "height": 740}
        if page.viewport_size != size:
            page.set_viewport_size(size)
        found += [f"{page.url} at {width} px: {each}" for each in page.evaluate(_FIND)]
        found += [f"{page.url}: {each}" for each in also(page)] if size == LAPTOP else []
    return found
