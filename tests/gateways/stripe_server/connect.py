"""Connect: a platform makes accounts, leads their owners to Stripe's onboarding, and takes a fee of their payments."""

from __future__ import annotations

from . import balance, events, shapes
from .company import Account, change_metadata, merge
from .errors import Json, invalid
from .lists import matches, page, shown

LINK_SECONDS = 300
_ASKED = [
    "business_profile.url",
    "business_type",
    "external_account",
    "tos_acceptance.date",
    "tos_acceptance.ip",
]


def create_account(platform: Account, params: Json) -> Json:
    """Makes a connected account, which can charge nothing until its owner was onboarded."""
    resource = shapes.account(platform.new_id("acct", 16), platform.now())
    resource.update(
        country=params.get("country", platform.resource["country"]),
        email=params.get("email"),
        type=params.get("type", "none"),
        charges_enabled=False,
        details_submitted=False,
        payouts_enabled=False,
    )
    resource["requirements"].update(
        currently_due=list(_ASKED), eventually_due=list(_ASKED), disabled_reason="requirements.past_due"
    )
    resource["capabilities"] = dict.fromkeys(resource["capabilities"], "inactive")
    controller = {
        "fees": {"payer": "account"},
        "is_controller": True,
        "losses": {"payments": "stripe"},
        "requirement_collection": "stripe",
        "stripe_dashboard": {"type": "full"},
        "type": "application",
    }
    merge(controller, params.get("controller", {}))
    resource["controller"] = controller
    change_metadata(resource, params)
    connected = Account(platform.company, resource, platform.livemode, platform)
    platform.company.accounts[connected.id, platform.livemode] = connected
    return shown(platform, resource, params)


def list_accounts(platform: Account, params: Json) -> Json:
    rows = [
        account.resource
        for account in list(platform.company.accounts.values())
        if account.platform is platform
    ]
    return page(
        platform, [row for row in rows if matches(row, params, "created")], params, url="/v1/accounts"
    )


def retrieve_account(account: Account, params: Json, id: str) -> Json:
    """Returns the account itself, or one that is connected to it."""
    found = account.company.accounts.get((id, account.livemode))
    if found is None or (found is not account and found.platform is not account):
        raise invalid(
            f"The provided key does not have access to account '{id}' (or that account does not exist). "
            "Application access may have been revoked.",
            code="account_invalid",
        )
    return shown(account, found.resource, params)


def create_link(platform: Account, params: Json) -> Json:
    """Returns a link to the onboarding, which works once and for five minutes."""
    retrieve_account(platform, {}, params["account"])
    for name in ("refresh_url", "return_url"):
        if name not in params:
            raise invalid(f"Missing required param: {name}.", code="parameter_missing", param=name)
    token = platform.new_id("al", 20)
    link = {
        "object": "account_link",
        "created": platform.now(),
        "expires_at": platform.now() + LINK_SECONDS,
        "url": f"{platform.url}/setup/{params['account']}/{token}",
    }
    connected = platform.company.accounts[params["account"], platform.livemode]
    connected.hidden[token] = {
        **link,
        "refresh_url": params["refresh_url"],
        "return_url": params["return_url"],
    }
    return link


def finish_onboarding(account: Account) -> Json:
    resource = account.resource
    resource.update(charges_enabled=True, details_submitted=True, payouts_enabled=True)
    resource["requirements"].update(currently_due=[], eventually_due=[], disabled_reason=None)
    resource["capabilities"] = dict.fromkeys(resource["capabilities"], "active")
    events.emit(account, "account.updated", resource)
    return resource


def deauthorize(account: Account) -> Json:
    """Ends the connection: the platform may not act for the account any more. Its books stay."""
    application = {"id": account.application, "object": "application", "name": "Platform"}
    events.emit(account, "account.application.deauthorized", application)
    account.platform = None
    return account.resource


def check_fee(account: Account, fee: int | None, amount: int, *, param: str) -> None:
    """Raises where no application fee can be taken: without a platform, or above the amount."""
    if fee is None:
        return
    if account.platform is None:
        raise invalid(
            "Can only apply an application_fee_amount when the PaymentIntent is attempting a direct payment (using an "
            "OAuth key or Stripe-Account header) or destination payment (using `transfer_data[destination]`).",
            param=param,
        )
    if not 0 < fee <= amount:
        raise invalid("The application fee must be positive and at most the amount.", param=param)


def take_fee(account: Account, charge: Json, captured: int) -> int:
    """Books the fee of a charge with the platform; returns it, at most what was captured."""
    platform, amount = account.platform, charge["application_fee_amount"]
    if platform is None or amount is None:
        return 0
    taken = min(amount, captured)
    with platform.lock:
        fee = shapes.application_fee(platform.new_id("fee"), platform.now(), livemode=platform.livemode)
        own = balance.record(
            platform, "application_fee", taken, charge["currency"], fee["id"], category="platform_earning"
        )
        fee.update(
            account=account.id,
            amount=taken,
            application=account.application,
            balance_transaction=own["id"],
            charge=charge["id"],
            currency=charge["currency"],
            originating_transaction=charge["id"],
        )
        platform.add(fee)
        events.emit(platform, "application_fee.created", fee)
        events.release(platform)
    charge.update(application_fee=fee["id"], application_fee_amount=taken)
    return int(taken)


def return_fee(account: Account, charge: Json, refunded: int) -> int:
    """Returns to the account the part of the platform's fee that a refund asks back, rounded down."""
    platform = account.platform
    if platform is None or charge["application_fee"] is None:
        raise invalid("The charge has no application fee to refund.", param="refund_application_fee")
    with platform.lock:
        fee = platform.get("application_fee", charge["application_fee"])
        rest = fee["amount"] - fee["amount_refunded"]
        returned = min(rest, fee["amount"] * refunded // charge["amount_captured"])
        balance.record(
            platform,
            "application_fee_refund",
            -returned,
            fee["currency"],
            fee["id"],
            category="platform_earning_refund",
        )
        fee["amount_refunded"] += returned
        fee["refunded"] = fee["amount_refunded"] == fee["amount"]
        events.emit(platform, "application_fee.refunded", fee)
        events.release(platform)
    return int(returned)


def retrieve_fee(platform: Account, params: Json, id: str) -> Json:
    return shown(platform, platform.get("application_fee", id), params)


def list_fees(platform: Account, params: Json) -> Json:
    asked = [row for row in platform.all("application_fee") if matches(row, params, "created", "charge")]
    return page(platform, asked, params, url="/v1/application_fees")
