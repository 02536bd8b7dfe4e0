"""The definition of a gateway: what Partway must know to offer it, connect it and open its accounts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from partway.lib.texts import gettext_noop

from .platform import PlatformDefinition
from .protocol import Gateway


@dataclass(frozen=True, slots=True)
class CredentialField:
    """One field of the connection form; `name` is the key of its value in the account's credentials."""

    name: str
    label: str
    help: str = ""
    is_secret: bool = True  # not shown while it is typed, nor afterwards
    starts_with: tuple[
        str, ...
    ] = ()  # one of which every value has, so that another kind of key is told at once


@dataclass(frozen=True, slots=True)
class CallbackSetup:
    """How the callbacks of an account are set up, for a gateway that sends them only where it was told to.

    `create(url, credentials, callback_url, now)` makes the endpoint at the gateway, in place of one that it had there
    for the same URL, and returns the credentials with its signing secret; raises Refused where the credentials may not.
    `with_secret(credentials, secret, now)` returns them with a secret that an owner copied from the gateway; raises
    ValueError for text that is none. In both, the secret before is accepted for one more day, so that nothing is lost
    in between. `steps` are the way to do it by hand, one sentence each, and `events` the types to choose there.
    """

    create: Callable[[str, Mapping[str, str], str, datetime], dict[str, str]]
    with_secret: Callable[[Mapping[str, str], str, datetime], dict[str, str]]
    field: CredentialField
    steps: tuple[str, ...]
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GatewayDefinition:
    """One gateway, as `registry.GATEWAYS` lists it.

    `open(url, credentials)` returns the gateway for one account; it makes no network call. Connecting either asks for
    `fields`, or calls `create_account(url, organization's name, callback URL)`, which returns the credentials of a new
    account and raises Refused or OutcomeUnknown; `Gateway.check` then says whether it can be used.

    Its texts are marked with `gettext_noop` where they are written, and translated where they are shown.
    """

    name: str  # as the title of an account, "Sandbox"
    phrase: str  # within a sentence, "the sandbox"
    description: str  # one sentence or two, for the page on which an owner connects it
    open: Callable[[str, Mapping[str, str]], Gateway]
    fields: tuple[CredentialField, ...] = ()
    create_account: Callable[[str, str, str], dict[str, str]] | None = None
    callback_setup: CallbackSetup | None = None  # None where each checkout names the URL of its callbacks
    platform: PlatformDefinition | None = (
        None  # where an operator can connect organizations by a key of their own
    )
    # In words, what the gateway still asks for about an account, and why it holds an account back, by its own codes;
    # the same text for a code that has no words.
    words: Callable[[str], str] = str
    default_url: str = ""  # of its API, where the setting PARTWAY_<CODE>_URL names no other
    moves_money: bool = True  # False for a test gateway: a live installation refuses it
    # Whether an account moves no money, told by its credentials; None for a gateway whose accounts are all alike.
    is_test_account: Callable[[Mapping[str, str]], bool] | None = None
    permissions: tuple[str, ...] = ()  # that restricted credentials need, by the gateway's own names
    # The gateway's form of a key with these permissions, for a live key or one of the test mode.
    key_form_url: Callable[[bool], str] | None = None
    unreachable_help: str = gettext_noop("Try again in a minute.")
    onboarding_hint: str = ""  # why to connect this one, for an organization that has none
    test_debit: str = ""  # an account number whose bank debit takes days
    test_card: str = ""  # a card number that pays without money, for an organization's first payment
    # Runs a payment in a real account of the test mode, given the URL of the API and a key, and yields a line for each
    # step; raises Refused or OutcomeUnknown. For `partway gateways check`.
    trial: Callable[[str, str], Iterator[str]] | None = None
    sample_credentials: Mapping[str, str] = field(
        default_factory=dict
    )  # well-formed and worthless, for seeds

    def account_moves_money(self, credentials: Mapping[str, str]) -> bool:
        """Returns whether payments through an account with these credentials are real."""
        is_test = self.is_test_account(credentials) if self.is_test_account else False
        return self.moves_money and not is_test

    def refusal(self, credentials: Mapping[str, str], *, live: bool) -> str:
        """Returns why an account cannot be used on an installation that is marked `live` or not; empty when it can.

        test_gateway_when_live: no invoice may be paid with play money. live_account_when_not_live: only an account that
        is known to be real by its credentials; a copy of the installation, restored to try something, keeps off it.
        """
        moves_money = self.account_moves_money(credentials)
        if live and not moves_money:
            return "test_gateway_when_live"
        return "live_account_when_not_live" if moves_money and not live and self.is_test_account else ""
