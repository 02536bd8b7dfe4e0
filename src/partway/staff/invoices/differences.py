"""The differences between two versions of an invoice, as short sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.utils.translation import gettext

from partway.billing.documents.versions import LineVersion, Version
from partway.billing.models import Party
from partway.delivery.formats import format_due, format_money, format_number, format_percent
from partway.lib.money import Money

_MAX_LENGTH = 80  # of notes that are quoted in full


def diff(old: Version, new: Version, parties: Mapping[str, Party]) -> list[str]:
    """Returns each difference as a sentence, the most important first; empty when both are equal.

    `parties` has those of both versions, by id.
    """
    before = _facts(old, parties)
    facts = [
        f"{name} {before[name]} → {text}"
        for name, text in _facts(new, parties).items()
        if text != before[name]
    ]
    notes = []
    if old.notes != new.notes and max(len(old.notes), len(new.notes)) > _MAX_LENGTH:
        notes = [gettext("The notes changed")]  # the page shows the earlier ones anyway
    elif old.notes != new.notes:
        texts = [
            f"“{' '.join(text.split())}”" if text.strip() else gettext("none")
            for text in (old.notes, new.notes)
        ]
        notes = [gettext("Notes %(old)s → %(new)s") % {"old": texts[0], "new": texts[1]}]
    return [*facts, *notes, *_line_differences(old, new)]


def _facts(version: Version, parties: Mapping[str, Party]) -> dict[str, str]:
    """The facts that are compared, by their label; a draft has none of the parties' details."""
    seller, recipient = parties.get(version.issued_by), parties.get(version.issued_to)
    discount = _money(version, version.discount_minor) if version.discount_minor else gettext("none")
    if version.discount_minor and version.discount_kind == "percent":
        discount = f"{format_percent(version.discount_percent)} ({discount})"
    return {
        gettext("Total"): format_money(version.total),
        gettext("Due"): format_due(version.due_on, version.due_days),
        gettext("Customer"): version.customer,
        **({gettext("Customer’s details"): _details(recipient)} if recipient else {}),
        **({gettext("Sender"): f"{seller.name}, {_details(seller)}"} if seller else {}),
        gettext("Discount"): discount,
        gettext("Tax"): _money(version, version.tax_minor),
    }


def _details(party: Party) -> str:
    """Returns what a document says of this party beside the name, in one line."""
    texts = (party.address, party.tax_number, party.email, party.phone, party.payment_instructions)
    return ", ".join(" ".join(text.split()) for text in texts if text)


def _money(version: Version, amount_minor: int) -> str:
    return format_money(Money(amount_minor, version.currency))


def _line_differences(old: Version, new: Version) -> list[str]:
    """Lines that changed, were added and removed; two lines are the same by description, else by quantity and price."""
    gone, come = _missing(old.lines, new.lines), _missing(new.lines, old.lines)
    if not gone and not come:
        return [gettext("The order of the lines changed")] if old.lines != new.lines else []
    changed: list[str] = []
    for same in (
        lambda line: line.description,
        lambda line: (line.quantity, line.unit_amount_minor),
    ):
        for line in list(gone):
            match = next((other for other in come if same(line) == same(other)), None)
            if match is not None:
                gone.remove(line)
                come.remove(match)
                changes = ", ".join(_changes(line, match, old, new))
                message = gettext("Line “%(description)s”: %(changes)s")
                changed.append(message % {"description": line.description, "changes": changes})
    added = [gettext("Line added: %(line)s") % {"line": _label(line, new)} for line in come]
    removed = [gettext("Line removed: %(line)s") % {"line": _label(line, old)} for line in gone]
    return [*changed, *added, *removed]


def _missing(lines: Iterable[LineVersion], others: Iterable[LineVersion]) -> list[LineVersion]:
    """The lines that the others lack; of equal lines as many as there are more of."""
    left = list(others)
    rest = []
    for line in lines:
        if line in left:
            left.remove(line)
        else:
            rest.append(line)
    return rest


def _changes(old: LineVersion, new: LineVersion, before: Version, after: Version) -> list[str]:
    """The changes within one line."""
    facts = (
        (gettext("quantity"), format_number(old.quantity), format_number(new.quantity)),
        (gettext("unit price"), _money(before, old.unit_amount_minor), _money(after, new.unit_amount_minor)),
        (gettext("tax"), format_percent(old.tax_percent), format_percent(new.tax_percent)),
    )
    renamed = gettext("now “%(description)s”") % {"description": new.description}
    return [
        *([renamed] if old.description != new.description else []),
        *(f"{name} {was} → {now}" for name, was, now in facts if was != now),
    ]


def _label(line: LineVersion, version: Version) -> str:
    return f"“{line.description}”, {format_number(line.quantity)} × {_money(version, line.unit_amount_minor)}"
