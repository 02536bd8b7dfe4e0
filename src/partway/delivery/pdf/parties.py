"""Issuer and recipient of a document, as it was issued; of a draft, as they are now (DESIGN D9)."""

from __future__ import annotations

from partway.billing.models import Party

from .content import Issuer, PngImage, Recipient

# Currencies of countries that use letter paper; the others use A4.
_LETTER = frozenset(("USD", "CAD", "MXN", "PHP", "CLP", "COP", "CRC", "GTQ", "PAB", "DOP", "NIO", "HNL"))


def issuer(seller: Party) -> Issuer:
    """Returns the seller with its color, its logo and its paper."""
    return Issuer(
        name=seller.name,
        address=seller.address,
        tax_number=seller.tax_number,
        email=seller.email,
        phone=seller.phone,
        color=seller.color,
        logo=PngImage(bytes(seller.logo.content)) if seller.logo else None,
        paper="us-letter" if seller.currency in _LETTER else "a4",
    )


def recipient(customer: Party) -> Recipient:
    """Returns the customer with address and email."""
    return Recipient(name=customer.name, address=customer.address, email=customer.email)
