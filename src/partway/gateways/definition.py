"""The definition of a gateway: what Partway must know to offer it, connect it and open its accounts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from partway.lib.texts import gettext_noop

from .protocol import Gateway


@dataclass(frozen=True, slots=True)
class CredentialField:
    """One field of the connection form; `name` is the key of its value in the account's credentials."""

    name: str
    label: str
    help: str = ""
    is_secret: bool = True  # not shown while it is typed, nor afterwards


@dataclass(frozen=True, slots=True)
class GatewayDefinition:
    """One gateway, as `registry.GATEWAYS` lists it.

    `open(url, credentials)` returns the gateway for one account; it makes no network call. Connecting either asks for
    `fields` and checks them with `Gateway.check`, or calls `create_account(url, organization's name, callback URL)`,
    which returns the credentials of a new account; both raise Refused or OutcomeUnknown.

    Its texts are marked with `gettext_noop` where they are written, and translated where they are shown.
    """

    name: str  # as the title of an account, "Sandbox"
    phrase: str  # within a sentence, "the sandbox"
    description: str  # one sentence or two, for the page on which an owner connects it
    open: Callable[[str, Mapping[str, str]], Gateway]
    fields: tuple[CredentialField, ...] = ()
    create_account: Callable[[str, str, str], dict[str, str]] | None = None
    default_url: str = ""  # of its API, where the setting PARTWAY_<CODE>_URL names no other
    moves_money: bool = True  # False for a test gateway: a live installation refuses it
    unreachable_help: str = gettext_noop("Try again in a minute.")
    onboarding_hint: str = ""  # why to connect this one, for an organization that has none
    test_debit: str = ""  # an account number whose bank debit takes days
    test_card: str = ""  # a card number that pays without money, for an organization's first payment
    sample_credentials: Mapping[str, str] = field(
        default_factory=dict
    )  # well-formed and worthless, for seeds

    def connect(
        self, url: str, values: Mapping[str, str], *, organization: str, callback_url: str
    ) -> dict[str, str]:
        """Returns the credentials of an account that works; raises Refused or OutcomeUnknown.

        `values` are those of the connection form by field name, `organization` is the name of the organization.
        """
        if self.create_account is not None:
            return self.create_account(url, organization, callback_url)
        credentials = {one.name: values[one.name] for one in self.fields}
        self.open(url, credentials).check()
        return credentials
