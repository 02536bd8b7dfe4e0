"""Keys and signing secrets of Stripe are in no log, no error and no row, whatever fails."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import timedelta

import pytest
from django.apps import apps
from structlog.testing import capture_logs

from partway.billing.errors import BillingError
from partway.billing.models import PaymentRequest
from partway.billing.people import gateway_accounts
from partway.billing.reconciliation import due_work, gateway_list
from partway.gateways.protocol import BadCallback
from partway.lib.clock import now as present
from tests.support.stripe_driver import StripeDriver

from .test_object_callbacks import receive


@pytest.mark.parametrize("gateway_code", ["stripe"])
def test_no_failure_writes_a_key_or_a_secret_anywhere(
    gateway_driver: StripeDriver, open_request: PaymentRequest, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    company, account, errors = gateway_driver.company, gateway_driver.account, []
    key = company.control("issue_key", permissions=["checkout_session_write", "event_read"])["key"]
    account.credentials = {**account.credentials, "api_key": key}
    account.save()
    with capture_logs() as logs:
        for kind in ("bad_gateway", "rate_limited", "garbage", "dropped", "revoked"):
            if kind == "revoked":
                company.control("revoke_key", secret=key)
            else:
                company.inject(kind, on="checkout.sessions.create")
            try:
                gateway_driver.start(open_request)
            except BillingError as error:
                errors.append(repr((error, error.__cause__, getattr(error, "params", ""))))
        forged = gateway_driver.sign_callback(b"{}")
        with suppress(BadCallback):
            receive(gateway_driver, forged)
        with suppress(BillingError):
            gateway_accounts.check(account, now=present())
        due_work.refresh_unsettled_payments(now=present() + timedelta(hours=1))
        gateway_list.reconcile_gateway_lists(now=present() + timedelta(days=2))
    assert len(errors) == 5
    rows = [str(row) for model in apps.get_models() for row in model._default_manager.values()]
    written = "\n".join([*errors, *map(str, logs), caplog.text, *rows])
    assert "Invalid API Key provided: rk_test_***" in written  # as Stripe quotes it
    for secret in (key, account.credentials["signing_secret"]):
        assert secret not in written
        assert secret[12:40] not in written
