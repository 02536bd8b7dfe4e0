"""Each class of a template has a rule in a style sheet or is found by a script, and each rule has its class.

The doors share `delivery/static`; mails have their styles in `mail/base.html`, and the sandbox has its own.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src/partway"
# The packages whose style sheets a page loads.
SITES = {
    "staff": [SOURCE / "staff", SOURCE / "delivery"],
    "pay": [SOURCE / "pay", SOURCE / "delivery"],
    "sandbox": [SOURCE / "sandbox"],
}
ALL = [SOURCE / name for name in ("staff", "pay", "delivery", "sandbox")]

COMMENT_OR_STRING = re.compile(r'/\*.*?\*/|url\([^)]*\)|"[^"]*"', re.DOTALL)
TEMPLATE_TAG = re.compile(r"\{%.*?%\}")
VALUE = re.compile(r"\{\{.*?\}\}")
CLASS_ATTRIBUTE = re.compile(r"""\bclass=\\?["']((?:[^"'{]|\{%.*?%\}|\{\{.*?\}\}|\{\})*)""")
NAME = re.compile(r"[A-Za-z][\w-]*")


def files(folders: list[Path], *suffixes: str) -> list[str]:
    return [
        path.read_text()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.suffix in suffixes and "mail" not in path.relative_to(SOURCE).parts
    ]


def styled(folders: list[Path]) -> set[str]:
    """Returns the classes in the selectors of the style sheets."""
    sheets = "\n".join(COMMENT_OR_STRING.sub("", text) for text in files(folders, ".css"))
    selectors = re.findall(r"([^{};]+)\{", sheets)
    return {name for selector in selectors for name in re.findall(r"\.([A-Za-z][\w-]*)", selector)}


def used(folders: list[Path]) -> set[str]:
    """Returns the classes in templates and in HTML made by Python; one made of a value ends with its fixed part."""
    values = [value for text in files(folders, ".html", ".py") for value in CLASS_ATTRIBUTE.findall(text)]
    values += [
        text
        for page in files(folders, ".html")
        for text in re.findall(r"block kind %\}(.*?)\{% endblock", page)
    ]
    return {
        name.partition("{")[0]
        for value in values
        for name in VALUE.sub("{", TEMPLATE_TAG.sub(" ", value)).split()
        if NAME.match(name)
    }


@pytest.mark.parametrize("site", SITES)
def test_each_class_of_a_template_is_styled_or_found_by_a_script(site: str) -> None:
    scripts = "\n".join(files(SITES[site], ".js"))
    known = styled(SITES[site])
    assert len(known) > 10
    assert [
        name
        for name in sorted(used(SITES[site]))
        if name not in known
        and not (name.endswith("-") and any(other.startswith(name) for other in known))
        and not re.search(rf"\b{name}\b", scripts)
    ] == []


def test_each_styled_class_is_used() -> None:
    names = used(ALL)
    prefixes = tuple(name for name in names if name.endswith("-"))
    code = "\n".join(files(ALL, ".js", ".py"))
    assert [
        name
        for name in sorted(styled(ALL))
        if name not in names
        and not name.startswith(prefixes)
        and not re.search(rf"(?<![\w-]){name}(?![\w-])", code)
    ] == []
