"""Sentences of refusals by billing.people: organizations, members, customers, payment modes; and shared ones."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MESSAGES: dict[str, str | Promise] = {
    # Shared
    "invalid": _("Please check the marked fields."),
    "stale": _("This was changed in the meantime. Compare both versions before you save."),
    "external_reference_form": _("Use letters, digits and marks, without spaces at the ends or line breaks."),
    "external_reference_taken": _("“%(external_reference)s” is the reference of %(id)s already."),
    "not_with": _("Give either this or %(other)s, not both."),
    "only_with": _("This is taken only together with %(other)s."),
    "metadata_key": _("“%(key)s” is no key of metadata: it has 1 to %(limit)s characters."),
    "metadata_value": _("The value of “%(key)s” has more than %(limit)s characters."),
    "too_many_keys.metadata": _("Metadata can have %(limit)s keys."),
    "too_many_characters": _("Use at most %(limit)s characters."),
    # Mail addresses of all kinds
    "bad_address.missing": _("Enter an address like name@example.com."),
    "bad_address.form": _("“%(address)s” is not a mail address. Write it like name@example.com."),
    "bad_address.local_part": _(
        "“%(address)s” has letters before the @ that many mail servers do not take. Before the @ use a to z, digits "
        "and marks like . and -; after it any letters."
    ),
    "bad_address.domain": _(
        "“%(address)s” is not a mail address: no domain can be called what is after the @."
    ),
    "bad_address.length": _("“%(address)s…” is longer than a mail address can be."),
    # Customers
    "customer_name_required": _("Enter the customer's name."),
    # Keys of programs, and the lists that they read
    "conflict.key_form_used": _(
        "This form has already created a key. If you did not copy it, revoke it and create another one."
    ),
    "cursor_unreadable": _("This is no cursor that a list returned as `next`."),
    "key_name_required": _("Enter a name by which you will know the key, such as the program that gets it."),
    "key_scope_unknown": _("Choose what the key may do."),
    "network_unreadable": _("“%(network)s” is not an address or a network. Write it like 203.0.113.0/24."),
    "too_late.key_revoked": _("This key was revoked already."),
    "too_many_keys": _("An organization can have %(limit)s keys. Revoke those that are not used."),
    # Members and invitations
    "stale.member_removed": _("This member was removed in the meantime."),
    "last_owner": _(
        "%(name)s is the only owner. Make another member an owner first: an organization needs at least one."
    ),
    "invitation_not_open": _(
        "This invitation is no longer open: it was accepted or withdrawn in the meantime."
    ),
    "invitation_not_open.address_known": _(
        "This address is known here already. Sign in, and open the link once more."
    ),
    "role_unknown": _("Choose a role."),
    "user_name_invalid": _("Enter a name of at most %(limit)s letters."),
    "user_is_member": _("%(email)s is a member already."),
    "user_is_invited": _("%(email)s is invited already. Resend that invitation, or withdraw it first."),
    # Django's codes and sentences of its password validators
    "password_too_short": _(
        "This password is too short. It must contain at least %(min_length)s characters."
    ),
    "password_too_common": _("This password is too common."),
    "password_too_similar": _("This password is too similar to the name or the mail address."),
    # Organizations
    "invoice_prefix_ends_with_digit": _("End it with a letter or a mark, like INV- or 2026/."),
    "percent_invalid": _("Enter a percentage between 0 and 100, with at most four decimals."),
    "too_many_letters": _("Use at most %(limit)s letters."),
    # "column_" and the code of a validator of the column; the first five are Django's
    "column_blank": _("This field cannot be blank."),
    "column_null": _("This field cannot be null."),
    "column_max_length": _(
        "Ensure this value has at most %(limit_value)s characters (it has %(show_value)s)."
    ),
    "column_min_value": _("Ensure this value is greater than or equal to %(limit_value)s."),
    "column_max_value": _("Ensure this value is less than or equal to %(limit_value)s."),
    "column_time_zone_unknown": _("“%(value)s” is not a time zone. Write it like America/New_York."),
    "column_locale_unknown": _("“%(value)s” is not a language and region. Write it like en_US."),
    "column_currency_unknown": _("“%(value)s” is not a currency. Write its three letters, like USD."),
    "column_color_invalid": _("“%(value)s” is not a color. Write it like #1f5c3d."),
    "column_color_too_light": _(
        "%(value)s is too light: white text on it could not be read. Take a darker one."
    ),
    "next_number_too_low": _(
        "Enter %(least)s or more. It can only be raised, so that no number is used twice."
    ),
    "logo_required": _("Choose a picture first."),
    "logo_too_large": _("The file is larger than 2 MB. Send a smaller one."),
    "logo_too_many_pixels": _("The picture has too many pixels. Send one of at most 4,000 × 4,000."),
    "logo_unreadable": _("This file is not a PNG, JPEG or WebP picture."),
    "request_expiry_out_of_range": _("Enter 1 to %(limit)s days, or nothing for links that never expire."),
    # Gateway accounts
    "credential_required": _("Fill this in."),
    "credential_of_another_kind": _("It begins with one of %(starts)s. You may have copied another key."),
    "credential_of_another_account": _(
        "This opens another account than “%(account)s”, where your payments are. To use it from now on, change the "
        "account."
    ),
    "credential_of_unknown_account": _(
        "This may not read its account, so it is not known whether that is “%(account)s”. "
        "Allow it to, and enter it again."
    ),
    "callback_secret_invalid": _("This is no signing secret. Copy it whole, with what it begins with."),
    "method_required": _("Choose at least one."),
    "gateway_not_allowed.live_account_when_not_live": _(
        "This key takes real money, and this installation is not marked live. Enter a test key to try everything; for "
        "real payments, the operator sets PARTWAY_LIVE, which also checks that the installation is safe."
    ),
    "gateway_not_allowed.test_gateway_when_live": _(
        "This installation is marked live (PARTWAY_LIVE), so no test account at %(gateway)s can be connected."
    ),
    "gateway_not_ready": _("Connect a payment service first."),
    "gateway_not_ready.check_failed": _(
        "Online payments stay off until the check of the connection finds nothing wrong. See below what to do."
    ),
    "gateway_not_ready.not_approved": _(
        "Online payments stay off until the operator of this installation switches them on for you."
    ),
    "gateway_not_allowed.no_platform": _(
        "The operator of this installation connects no accounts at %(gateway)s."
    ),
    "country_unknown": _("Choose the country in which the business is."),
    "gateway_refused": _("%(gateway_at_start)s refused: %(message_of_gateway)s"),
    "gateway_unavailable.connecting": _("%(gateway_at_start)s does not answer. %(gateway_help)s"),
    # Payment modes and the details of an offline payment
    "payment_mode_unknown": _("Choose one of these payment modes: %(modes)s."),
    "paid_on_in_future": _("Choose a day that has come: today is %(today)s."),
    "paid_before_issue.invoice": _(
        "This is before the invoice was issued (%(issued_on)s). Record it all the same?"
    ),
    "paid_before_issue.quote": _(
        "This is before the quote was sent (%(issued_on)s). Record it all the same?"
    ),
    "payment_modes_count": _("Write between one and %(limit)s modes, each on a line of its own."),
    "payment_mode_too_long": _("“%(mode)s…” is too long: use at most %(limit)s characters."),
    "payment_mode_twice": _("The same mode is listed twice."),
    "return_url_invalid": _(
        "“%(url)s” is no site that customers can be led back to. Write its address as https://jobs.example.com, or "
        "with a folder as https://example.com/jobs."
    ),
    "return_urls_count": _("List at most %(limit)s sites."),
}
