"""The account itself and its webhook endpoints."""

from __future__ import annotations

from urllib.parse import urlsplit

from . import shapes
from .company import Account, change_metadata
from .errors import Json, invalid
from .lists import page, shown

MAX_ENDPOINTS = 16


def retrieve_own(account: Account, params: Json) -> Json:
    return shown(account, account.resource, params)


def create_endpoint(account: Account, params: Json) -> Json:
    """Creates an endpoint; its secret is shown in this response and never again."""
    if len(account.all("webhook_endpoint")) >= MAX_ENDPOINTS:
        raise invalid(f"You have reached the maximum of {MAX_ENDPOINTS} webhook endpoints.")
    endpoint = shapes.webhook_endpoint(account.new_id("we"), account.now(), livemode=account.livemode)
    endpoint["api_version"] = params.get("api_version")
    _change(account, endpoint, params)
    account.add(endpoint)
    secret = f"whsec_{account.new_id('x', 32)[2:]}"
    account.hidden[endpoint["id"]].update(secrets=[secret], connect=params.get("connect", False))
    return {**shown(account, endpoint, params), "secret": secret}


def _change(account: Account, endpoint: Json, params: Json) -> None:
    if "url" in params:
        parts = urlsplit(params["url"])
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise invalid(
                "Invalid URL: An explicit scheme (such as https) must be provided.",
                code="url_invalid",
                param="url",
            )
        if account.settings.get("refuses_local_urls") and parts.hostname in ("127.0.0.1", "localhost"):
            # As Stripe does always; the tests live on local addresses, so they ask for it.
            raise invalid(
                "Invalid URL: URL must be publicly accessible. Consider using a tool like the Stripe CLI to test "
                "webhooks locally: https://github.com/stripe/stripe-cli",
                code="url_invalid",
                param="url",
            )
        if account.livemode and parts.scheme != "https":
            raise invalid("Invalid URL: URL must use HTTPS in live mode.", code="url_invalid", param="url")
    for name in ("url", "enabled_events", "description"):
        if name in params:
            endpoint[name] = params[name] or None
    if "disabled" in params:
        endpoint["status"] = "disabled" if params["disabled"] else "enabled"
    change_metadata(endpoint, params)


def retrieve_endpoint(account: Account, params: Json, id: str) -> Json:
    return shown(account, account.get("webhook_endpoint", id, param="webhook_endpoint"), params)


def update_endpoint(account: Account, params: Json, id: str) -> Json:
    endpoint = account.get("webhook_endpoint", id, param="webhook_endpoint")
    _change(account, endpoint, params)
    return shown(account, endpoint, params)


def delete_endpoint(account: Account, params: Json, id: str) -> Json:
    del params
    endpoint = account.get("webhook_endpoint", id, param="webhook_endpoint")
    del account.objects["webhook_endpoint"][endpoint["id"]]
    return {"id": endpoint["id"], "object": "webhook_endpoint", "deleted": True}


def list_endpoints(account: Account, params: Json) -> Json:
    return page(account, account.all("webhook_endpoint"), params, url="/v1/webhook_endpoints")
