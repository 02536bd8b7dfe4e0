"""Rules of forbidden acts: on another organization, with a forged callback, or a part of a deposit."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from partway.accounts.models import GatewayAccount
from partway.billing.documents import invoices
from partway.billing.payments.callbacks import receive_callback
from partway.billing.requests import payment_requests
from partway.lib.money import Money
from tests.model.gateway_model import GatewayCallback
from tests.model.gateway_rules import GatewayRules
from tests.model.member_rules import MemberRules
from tests.model.organization_model import Invoice
from tests.model.state_machine import refused
from tests.model.strategies import callback, is_editable, members, one, rarely


class ForbiddenRules(MemberRules, GatewayRules):
    """Acts that must be refused in every state."""

    @precondition(rarely)
    @rule(
        what=st.sampled_from(["create invoice", "edit", "divide"]),
        invoice=one("invoices", is_editable),
        by=members,
    )
    def attempt_forbidden_act(self, what: str, invoice: Invoice, by: int) -> None:
        """Attempts one of the forbidden acts."""
        {
            "create invoice": self.write_for_a_stranger,
            "edit": self.give_to_a_stranger,
            "divide": self.divide_a_deposit,
        }[what](invoice, by)

    def write_for_a_stranger(self, _: Invoice, by: int) -> None:
        """Creates an invoice for a customer of another organization (D5)."""
        draft = self.draft(self.stranger, "USD", 1000)
        self.act(
            "create invoice",
            lambda: refused("invalid"),
            lambda: invoices.create(self.organization, draft=draft, by=self.members[by], now=self.now),
        )

    def give_to_a_stranger(self, invoice: Invoice, by: int) -> None:
        row, draft = self.row(invoice), self.draft(self.stranger, invoice.currency, invoice.total)
        ended = invoice.state in ("void", "written_off")
        self.act(
            "edit",
            lambda: refused("conflict" if ended else "invalid"),
            lambda: invoices.edit(
                row, draft=draft, expected_version=row.version, by=self.members[by], now=self.now
            ),
        )

    @precondition(lambda self: rarely(self) and self.books.gateway.callbacks)
    @rule(gateway_callback=callback(lambda books, gateway_callback: gateway_callback not in books.done))
    def deliver_callback_to_wrong_account(self, gateway_callback: GatewayCallback) -> None:
        """A callback is posted to the address of another organization's account (P7)."""
        received = self.received(gateway_callback)
        account = GatewayAccount.objects.get(organization=self.neighbor)
        self.act(
            "deliver to wrong account",
            lambda: refused("bad_callback"),
            lambda: receive_callback(account, body=received.body, headers=received.headers, now=self.now),
        )

    def divide_a_deposit(self, _: Invoice, by: int) -> None:
        """Requests a part of a deposit (D1)."""
        if self.books.quotes:
            quote = self.books.quotes[-1]
            row, to = self.row(quote), (self.customers[quote.customer].email,)
            ask = payment_requests.NewPaymentRequest(Money(quote.deposit // 2, quote.currency), to)
            self.act(
                "request payment",
                lambda: refused("deposit_not_divisible"),
                lambda: payment_requests.create(row, new_request=ask, by=self.members[by], now=self.now),
            )
