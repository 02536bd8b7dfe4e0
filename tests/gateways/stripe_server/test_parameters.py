"""Parameters are checked against the SDK's own types: an unknown or mistyped one is a 400, as at Stripe."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
import stripe

from tests.gateways.stripe_server.conftest import session_params
from tests.gateways.stripe_server.parameters import decode, fields_of
from tests.gateways.stripe_server.routes import ROUTES


def test_nested_parameters_are_decoded() -> None:
    encoded = "a[b][0][c]=1&a[b][0][d]=%5B2%5D&expand[]=x.y&expand[]=z&empty="
    assert decode(encoded) == {
        "a": {"b": {"0": {"c": "1", "d": "[2]"}}},
        "expand": {"0": "x.y", "1": "z"},
        "empty": "",
    }


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_parameters_of_every_endpoint_are_described_by_the_sdk(route: Any) -> None:
    module, _, name = route.params.rpartition(".")
    described = getattr(import_module(f"stripe.params.{module}".rstrip(".")), name)
    assert not {"api_key", "idempotency_key"} & set(fields_of(described))


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"colour": "red"}, "parameter_unknown", "colour"),
        ({"adaptive_pricing": {"on": True}}, "parameter_unknown", "adaptive_pricing[on]"),
        ({"expires_at": "soon"}, "parameter_invalid_integer", "expires_at"),
        ({"expires_at": "1_000"}, "parameter_invalid_integer", "expires_at"),
        (
            {"subscription_data": {"application_fee_percent": "some"}},
            *(None, "subscription_data[application_fee_percent]"),
        ),
        ({"mode": "gift"}, None, "mode"),
        ({"mode": ""}, "parameter_invalid_empty", "mode"),
        ({"adaptive_pricing": {"enabled": "no"}}, None, "adaptive_pricing[enabled]"),
        ({"line_items": "one"}, None, "line_items"),
        ({"success_url": {"paid": "x"}}, None, "success_url"),
        ({"metadata": {"k" * 41: "v"}}, None, "metadata"),
        ({"payment_intent_data": {"metadata": {"k": "v" * 501}}}, None, "payment_intent_data[metadata]"),
        (
            {"line_items": [{"quantity": 1, "price_data": {"unit_amount": 5}}]},
            *("parameter_missing", "line_items[0][price_data][currency]"),
        ),
        (
            {"payment_method_options": {"us_bank_account": {"capture_method": "manual"}}},
            *("parameter_unknown", "payment_method_options[us_bank_account][capture_method]"),
        ),
    ],
)
def test_wrong_parameter_is_named(
    sdk: stripe.StripeClient, changes: dict[str, Any], code: str | None, param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.checkout.sessions.create(session_params(**changes))
    assert (refused.value.http_status, refused.value.code, refused.value.param) == (400, code, param)


def test_empty_metadata_value_removes_its_key(sdk: stripe.StripeClient) -> None:
    session = sdk.v1.checkout.sessions.create(session_params(metadata={"a": "1", "b": "2"}))
    updated = sdk.v1.checkout.sessions.update(session.id, {"metadata": {"a": "", "c": "3"}})
    assert updated.metadata.to_dict() == {"b": "2", "c": "3"}  # type: ignore[union-attr]


def test_endpoint_and_its_name_are_in_the_table_once() -> None:
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)
    assert len({route.name for route in ROUTES}) == len(ROUTES)
