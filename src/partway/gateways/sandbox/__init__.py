"""The gateway to the sandbox, a pretend payment company on which the whole product can be tried."""

from __future__ import annotations

from partway.lib.texts import gettext_noop

from ..definition import GatewayDefinition
from ..later import later

SANDBOX = GatewayDefinition(
    name=gettext_noop("Sandbox"),
    phrase=gettext_noop("the sandbox"),
    description=gettext_noop(
        "The sandbox is a test payment company: everything works as it will later, and no real money moves."
    ),
    open=later(f"{__name__}.adapter", "SandboxGateway"),
    create_account=later(f"{__name__}.adapter", "create_account"),
    default_url="http://127.0.0.1:8001",
    moves_money=False,
    unreachable_help=gettext_noop("Start it, then try again."),
    onboarding_hint=gettext_noop("The sandbox only pretends to, so that you can try everything."),
    test_card="4242 4242 4242 4242",
    test_debit="000000002002",
    sample_credentials={"api_key": "sk_sandbox_seed", "signing_secret": f"whsec_{'c2VlZHNl' * 4}"},
)
