"""What changed between two versions of an invoice, as short sentences for a person."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from partway.billing.documents.versions import Line, Version
from partway.delivery.templatetags.partway import format_date, quantity
from partway.lib.money import Money

_MAX_LENGTH = 80


def diff(old: Version, new: Version) -> list[str]:
    """Each difference in a sentence, the most important first; nothing when both say the same."""
    facts = [
        f"{name} {message(old)} → {message(new)}"
        for name, message in _FACTS.items()
        if message(old) != message(new)
    ]
    return [*facts, *_notes(old.notes, new.notes), *_lines(old, new)]


def _money(version: Version, amount_minor: int) -> str:
    return str(Money(amount_minor, version.currency))


def _discount(version: Version) -> str:
    if not version.discount_minor:
        return "none"
    amount = _money(version, version.discount_minor)
    return (
        f"{quantity(version.discount_percent)} % ({amount})" if version.discount_kind == "percent" else amount
    )


def _notes(old: str, new: str) -> list[str]:
    """Short ones in full; of long ones only that they changed, as the page shows the earlier ones anyway."""
    if old == new:
        return []
    if max(len(old), len(new)) > _MAX_LENGTH:
        return ["The notes changed"]
    return [f"Notes {_quoted(old)} → {_quoted(new)}"]


def _quoted(text: str) -> str:
    return f"“{' '.join(text.split())}”" if text.strip() else "none"


_FACTS: dict[str, Callable[[Version], str]] = {
    "Total": lambda version: str(version.total),
    "Due on": lambda version: format_date(version.due_on),
    "Customer": lambda version: version.customer,
    "Discount": _discount,
    "Tax": lambda version: _money(version, version.tax_minor),
}


def _lines(old: Version, new: Version) -> list[str]:
    """Lines that changed, came and went; a line is the same one by its words, or else by its quantity and price."""
    gone, come = _without(old.lines, new.lines), _without(new.lines, old.lines)
    changed: list[str] = []
    for same in (_by_words, _by_price):
        for line in list(gone):
            match = next((other for other in come if same(line) == same(other)), None)
            if match is not None:
                gone.remove(line)
                come.remove(match)
                changed.append(f"Line “{line.description}”: {', '.join(_line(line, match, old, new))}")
    added = [f"Line added: {_told(line, new)}" for line in come]
    removed = [f"Line removed: {_told(line, old)}" for line in gone]
    moved = ["The lines stand in another order"] if _only_moved(old, new) else []
    return [*changed, *added, *removed, *moved]


def _without(lines: Iterable[Line], others: Iterable[Line]) -> list[Line]:
    """The lines that the others do not have; of two equal ones, one for each there."""
    left = list(others)
    rest = []
    for line in lines:
        if line in left:
            left.remove(line)
        else:
            rest.append(line)
    return rest


def _only_moved(old: Version, new: Version) -> bool:
    return (
        old.lines != new.lines and not _without(old.lines, new.lines) and not _without(new.lines, old.lines)
    )


def _by_words(line: Line) -> object:
    return line.description


def _by_price(line: Line) -> object:
    return line.quantity, line.unit_amount_minor


def _line(old: Line, new: Line, before: Version, after: Version) -> list[str]:
    """What changed in one line."""
    renamed = [f"now “{new.description}”"] if old.description != new.description else []
    facts = (
        ("quantity", quantity(old.quantity), quantity(new.quantity)),
        ("unit price", _money(before, old.unit_amount_minor), _money(after, new.unit_amount_minor)),
        ("tax", f"{quantity(old.tax_percent)} %", f"{quantity(new.tax_percent)} %"),
    )
    return [*renamed, *(f"{name} {was} → {now}" for name, was, now in facts if was != now)]


def _told(line: Line, version: Version) -> str:
    return f"“{line.description}”, {quantity(line.quantity)} × {_money(version, line.unit_amount_minor)}"
