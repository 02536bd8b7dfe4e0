"""Issuer and recipient of a document, from their rows."""

from __future__ import annotations

from partway.accounts.models import Logo, Organization
from partway.billing.models import Customer

from .content import Issuer, PngImage, Recipient

# Currencies of countries that use letter paper; the others use A4.
_LETTER = frozenset(("USD", "CAD", "MXN", "PHP", "CLP", "COP", "CRC", "GTQ", "PAB", "DOP", "NIO", "HNL"))


def issuer(organization: Organization) -> Issuer:
    """Returns the organization with its color, its logo and its paper."""
    logo = Logo.objects.filter(organization=organization).first()
    return Issuer(
        name=organization.name,
        address=organization.address,
        tax_number=organization.tax_number,
        email=organization.email,
        phone=organization.phone,
        color=organization.color,
        logo=PngImage(bytes(logo.content)) if logo else None,
        paper="us-letter" if organization.currency in _LETTER else "a4",
    )


def recipient(customer: Customer) -> Recipient:
    """Returns the customer with address and email."""
    return Recipient(name=customer.name, address=customer.address, email=customer.email)
