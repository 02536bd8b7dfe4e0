"""Finds violations of accessibility rules on a page in the browser, by axe-core."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from playwright.sync_api import Page

# In both themes, whose colors differ; all other rules find the same in either.
_RUN = """async ([within, rules]) => {
    const options = { resultTypes: ["violations"], preload: false, ...(rules && { runOnly: rules }) };
    const { violations } = await axe.run(within, options);
    return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)}`));
}"""


def violations(page: Page, within: str = "html") -> list[str]:
    """Returns the violations inside the first element of this selector: the rule, and the element's HTML."""
    if not page.evaluate("Boolean(window.axe)"):  # half a megabyte of script, which stays as long as the page
        page.evaluate(_axe())
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    found: list[str] = page.evaluate(_RUN, [within, None])
    page.emulate_media(color_scheme="dark")
    dark: list[str] = page.evaluate(_RUN, [within, ["color-contrast"]])
    return found + [f"dark {violation}" for violation in dark]


@cache
def _axe() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text()
