"""Finds violations of accessibility rules on a page in the browser, by axe-core.

The contrast of colors is nine tenths of axe's work, and it depends on little: the color and size of a text, and what is
painted behind it. So each look is tried once in a run, in both themes, and all other rules on each page.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

_SCHEMES = ("light", "dark")
_CONTRAST = "color-contrast"

# Each text and field that can be seen, by what axe makes of it: what it is, how it is written, and each background,
# image or transparency up to the root.
_FIND_LOOKS = """(within) => {
    const behind = new Map([[null, ""]]);
    const disabled = "[disabled], [disabled] *, [aria-disabled=true], [aria-disabled=true] *, [inert] *";
    function background(element) {
        if (!behind.has(element)) {
            const style = getComputedStyle(element);
            const paints = [
                style.backgroundColor === "rgba(0, 0, 0, 0)" ? "" : style.backgroundColor,
                style.backgroundImage === "none" ? "" : style.backgroundImage,
                style.opacity === "1" ? "" : style.opacity,
                style.filter === "none" ? "" : style.filter,
                style.mixBlendMode === "normal" ? "" : style.mixBlendMode,
            ].filter(Boolean);
            behind.set(element, background(element.parentElement) + (paints.length ? ` < ${paints}` : ""));
        }
        return behind.get(element);
    }
    function look(element) {
        const style = getComputedStyle(element);
        const isOff = element.matches(disabled) || Boolean(element.closest("label")?.control?.disabled);
        const own = [element.localName, element.className, isOff, style.color, style.fontSize, style.fontWeight];
        return [...own, style.textShadow].join(" ") + background(element);
    }
    const elements = new Set(document.querySelector(within).querySelectorAll("input, select, textarea"));
    const texts = document.createTreeWalker(document.querySelector(within), NodeFilter.SHOW_TEXT);
    for (let text = texts.nextNode(); text; text = texts.nextNode())
        if (text.data.trim()) elements.add(text.parentElement);
    window.looks = new Map();
    for (const element of elements)
        if (element.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
            window.looks.set(look(element), element);
    return [...window.looks.keys()];
}"""
_RUN = """async ([within, looks, rules]) => {
    const include = looks ? looks.map((look) => window.looks.get(look)) : within;
    const options = { resultTypes: ["violations"], preload: false, ...rules };
    const { violations } = await axe.run(looks ? { include } : within, options);
    return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)}`));
}"""

_right: set[tuple[str, str]] = set()  # the looks whose contrast was found right, each with its scheme


def violations(page: Page, within: str = "html") -> list[str]:
    """Returns the violations inside the first element of this selector: the rule, and the element's HTML."""
    if not page.evaluate("Boolean(window.axe)"):  # half a megabyte of script, which stays as long as the page
        page.evaluate(_axe())
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    others: Any = {"rules": {_CONTRAST: {"enabled": False}}}
    found: list[str] = page.evaluate(_RUN, [within, None, others])
    for scheme in _SCHEMES:
        if scheme != "light":
            page.emulate_media(color_scheme=scheme)
        looks = {(scheme, look) for look in page.evaluate(_FIND_LOOKS, within)} - _right
        if looks:
            new = [look for _scheme, look in looks]
            wrong = page.evaluate(_RUN, [within, new, {"runOnly": [_CONTRAST]}])
            found += wrong if scheme == "light" else [f"{scheme} {violation}" for violation in wrong]
            if not wrong:
                _right.update(looks)
    return found


@cache
def _axe() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text()
