"""Sentences for members about characters that documents cannot print, before a document is sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partway.billing.documents.drafts import MAX_DESCRIPTION_LENGTH, MAX_NOTES_LENGTH
from partway.billing.models import Invoice, Party, Quote

from ..pdf.printable import MISSING_MARK, missing_characters

_MOST_NAMED = 6  # of characters, as a text in a script without a font has hundreds

# The columns of parties that documents print, with their names in the sentence.
CUSTOMER_TEXTS = {
    "name": gettext_lazy("Customer name"),
    "address": gettext_lazy("Customer address"),
    "email": gettext_lazy("Customer email address"),
}
SELLER_TEXTS = {
    "name": gettext_lazy("Your organization’s name"),
    "address": gettext_lazy("Your organization’s address"),
    "tax_number": gettext_lazy("Your tax number"),
    "email": gettext_lazy("Your email address"),
    "phone": gettext_lazy("Your phone number"),
    "payment_instructions": gettext_lazy("How to pay otherwise"),
}


def unprintable_message(texts: Iterable[tuple[str | Promise, str]]) -> str:
    """Returns the characters that documents cannot print, and in which of the (place, text) they are; else empty."""
    missing = {str(place): found for place, text in texts if (found := missing_characters(text))}
    characters = list(dict.fromkeys(character for found in missing.values() for character in found))
    if not characters:
        return ""
    # With code points, because the reader's own machine may show no letter for it either.
    named = [
        f"{character} ({' '.join(f'U+{ord(c):04X}' for c in character)})"
        for character in characters[:_MOST_NAMED]
    ]
    more = [_("%(count)d more") % {"count": len(characters) - _MOST_NAMED}]
    message = _("PDF documents cannot show %(characters)s. They print %(mark)s instead. Where: %(places)s.")
    return message % {
        "characters": ", ".join(named + (more if len(characters) > _MOST_NAMED else [])),
        "mark": MISSING_MARK,
        "places": ", ".join(missing),
    }


def unprintable_in_document(
    *, seller: Party, recipient: Party | None, descriptions: Sequence[str], notes: str
) -> str:
    """Returns the same of an invoice or a quote with these texts; a new one may have no recipient yet.

    The texts may be as typed. Of what is longer than billing allows, only the beginning is looked at.
    """
    lines = [
        (_("Line %(number)d") % {"number": number}, description[:MAX_DESCRIPTION_LENGTH])
        for number, description in enumerate(descriptions, start=1)
    ]
    to = [(label, getattr(recipient, name)) for name, label in CUSTOMER_TEXTS.items()] if recipient else []
    own = [(label, getattr(seller, name)) for name, label in SELLER_TEXTS.items()]
    return unprintable_message([*to, *lines, (_("Notes"), notes[:MAX_NOTES_LENGTH]), *own])


def unprintable_in_stored(document: Invoice | Quote) -> str:
    """Returns the same of an invoice or a quote as it is stored."""
    return unprintable_in_document(
        seller=document.seller,
        recipient=document.recipient,
        descriptions=[line.description for line in document.lines.all()],
        notes=document.notes,
    )
