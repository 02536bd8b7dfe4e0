"""Words for what Stripe still asks for about an account, and for why it holds one back; without the SDK."""

from __future__ import annotations

from partway.lib.texts import gettext_noop

# docs.stripe.com/global-availability: where an account of Stripe can be opened by itself.
COUNTRIES = (
    *("AE", "AT", "AU", "BE", "BG", "BR", "CA", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB"),
    *("GI", "GR", "HK", "HR", "HU", "IE", "IT", "JP", "LI", "LT", "LU", "LV", "MT", "MX", "MY", "NL", "NO"),
    *("NZ", "PL", "PT", "RO", "SE", "SG", "SI", "SK", "TH", "US"),
)

# By the beginning of Stripe's name; the first that fits counts. docs.stripe.com/api/accounts/object, `requirements`.
_REQUIREMENTS = (
    ("external_account", gettext_noop("a bank account for payouts")),
    ("tos_acceptance", gettext_noop("consent to Stripe's terms")),
    ("business_type", gettext_noop("the kind of business")),
    (
        "business_profile.url",
        gettext_noop("a web address of the business, or a description of what it sells"),
    ),
    ("business_profile.product_description", gettext_noop("a description of what the business sells")),
    ("business_profile.mcc", gettext_noop("the trade of the business")),
    ("business_profile.support", gettext_noop("how customers reach the business")),
    ("business_profile", gettext_noop("details of the business")),
    ("settings.payments.statement_descriptor", gettext_noop("what card statements show")),
    ("company.tax_id", gettext_noop("the tax number of the business")),
    ("company.verification", gettext_noop("a document of the business")),
    ("company.directors_provided", gettext_noop("the directors of the business")),
    ("company.owners_provided", gettext_noop("the owners of the business")),
    ("company.executives_provided", gettext_noop("the executives of the business")),
    ("company", gettext_noop("name, address and phone of the business")),
    ("directors", gettext_noop("the directors of the business")),
    ("owners", gettext_noop("the owners of the business")),
    ("executives", gettext_noop("the executives of the business")),
    ("representative", gettext_noop("details of the person who represents the business")),
    ("relationship", gettext_noop("details of the person who represents the business")),
    ("individual.verification", gettext_noop("a document that proves your identity")),
    ("individual.id_number", gettext_noop("your tax or identity number")),
    ("individual.ssn_last_4", gettext_noop("your tax or identity number")),
    ("individual", gettext_noop("your name, date of birth, address and phone")),
    ("person_", gettext_noop("details of a person who owns or runs the business")),
)
# docs.stripe.com/api/accounts/object, `requirements.disabled_reason`; the platform's rejections: changelog 2026-09-30.
_REASONS = {
    "requirements.past_due": gettext_noop("Something that Stripe needs to know is missing."),
    "requirements.pending_verification": gettext_noop(
        "Stripe is checking what was entered; that can take days."
    ),
    "under_review": gettext_noop("Stripe is reviewing the account."),
    "platform_paused": gettext_noop("The operator of the platform has paused the account."),
    "listed": gettext_noop("Stripe is checking whether the business is on a list of sanctions."),
    "action_required.requested_capabilities": gettext_noop("A way of paying has to be asked for first."),
    "rejected.fraud": gettext_noop("Stripe has rejected the account."),
    "rejected.incomplete_verification": gettext_noop(
        "Stripe could not confirm what was entered, and rejected it."
    ),
    "rejected.listed": gettext_noop("Stripe has rejected the account."),
    "rejected.other": gettext_noop("Stripe has rejected the account."),
    "rejected.platform_fraud": gettext_noop("The operator of the platform has rejected the account."),
    "rejected.platform_other": gettext_noop("The operator of the platform has rejected the account."),
    "rejected.platform_terms_of_service": gettext_noop(
        "The operator of the platform has rejected the account."
    ),
    "rejected.terms_of_service": gettext_noop("Stripe has rejected the account."),
    "other": gettext_noop("Stripe is reviewing the account."),
}


def words(code: str) -> str:
    """Returns the words for a requirement or a reason of Stripe, to be translated; an unknown one as it is."""
    if code in _REASONS:
        return _REASONS[code]
    return next((phrase for start, phrase in _REQUIREMENTS if code.startswith(start)), code)
