"""The organizations, members, customers and documents of the tests.

    organization `alder`: Alice is owner, Bob collector, Charlie reader
    organization `birch`: Mallory is owner, and not a member of alder

Rows are created through billing where billing can create them, so that tests start from rows as in production.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.db import transaction

from partway.accounts.models import GatewayAccount, Member, Organization, Role, User
from partway.accounts.prepared import insert
from partway.billing import events
from partway.billing.documents import deposits, invoices, quotes
from partway.billing.documents.drafts import LineDraft
from partway.billing.imports import runs, uploads
from partway.billing.imports.uploads import Formats, UploadedFile
from partway.billing.models import (
    Adjustment,
    Customer,
    Dispute,
    Event,
    Import,
    Invoice,
    Payment,
    PaymentRequest,
    Payout,
    Quote,
    Refund,
    WebhookDelivery,
    WebhookEndpoint,
)
from partway.billing.payments import booking, dispute_booking, payout_booking, refund_booking
from partway.billing.people import customers, organizations, webhook_deliveries, webhook_endpoints
from partway.billing.people.webhook_endpoints import EndpointDetails
from partway.billing.receivables import offline_payments, refunds, settlements, statements
from partway.billing.receivables.offline_payments import OfflinePayment, lock_invoices
from partway.billing.receivables.refunds import OutsideRefund
from partway.billing.receivables.settlements import Settlement
from partway.billing.requests import payment_requests
from partway.gateways import protocol
from partway.gateways.protocol import CheckoutState, CheckoutStatus
from partway.gateways.sandbox.capabilities import SandboxCapabilities
from partway.lib.clock import now as present
from partway.lib.clock import today
from partway.lib.money import Money

PASSWORD = "a long walk by the river"


@dataclass(frozen=True)
class Team:
    """An organization with one member of each role."""

    organization: Organization
    alice: Member  # owner
    bob: Member  # collector
    charlie: Member  # reader


def alder(**changes: object) -> Team:
    """Creates Alder Joinery with payments enabled and its members; `changes` are columns of the organization."""
    owned = organization("alder", "Alder Joinery", **changes)
    # Thousands of tests begin with them, so they are stored by two prepared statements.
    team = []
    for name, role in (("alice", Role.OWNER), ("bob", Role.COLLECTOR), ("charlie", Role.READER)):
        user = User(email=f"{name}@alder.example", name=name.title())
        user.set_password(PASSWORD)
        team.append(Member(organization=owned, user=user, role=role))
    insert(*(one.user for one in team))
    insert(*team)
    return Team(owned, *team)


def mallory() -> Member:
    """Creates the owner of another organization, birch."""
    return member(organization("birch", "Birch & Co"), "Mallory", Role.OWNER)


def organization(slug: str, name: str, **changes: object) -> Organization:
    """Creates an organization with payments enabled and a sandbox account."""
    columns = {"email": f"billing@{slug}.example", "payments_enabled": True, "time_zone": "America/New_York"}
    made = Organization.objects.create(slug=slug, name=name, **{**columns, **changes})
    gateway_account(made)
    return made


def gateway_account(owner: Organization) -> GatewayAccount:
    """Creates a sandbox account, as one that was checked; no sandbox responds unless the test starts one."""
    account = GatewayAccount(organization=owner, gateway="sandbox", checked_at=present())
    account.credentials = {"api_key": "sk_sandbox_test", "signing_secret": f"whsec_{'dGVzdHRl' * 4}"}
    account.save()
    return account


def member(owner: Organization, name: str, role: str) -> Member:
    """Creates a member who signs in as `<name>@<slug>.example` with PASSWORD."""
    user = User.objects.create_user(f"{name}@{owner.slug}.example", name, PASSWORD)
    return Member.objects.create(organization=owner, user=user, role=role)


@lru_cache(maxsize=100)
def owner_actor(owner: Organization) -> events.Actor:
    """Returns the owner of this organization as an actor; read once, since each act of a persona needs it."""
    return events.member_actor(owner.members.select_related("user").get(role=Role.OWNER))


def customer(owner: Organization, name: str = "Dana Whitfield", email: str = "") -> Customer:
    """Creates a customer, whose email address follows from the name."""
    details = customers.CustomerDetails(
        name=name, email=email or f"{name.lower().replace(' ', '.')}@customer.example"
    )
    return customers.create(owner, details=details, by=owner_actor(owner), now=present())


def change_customer(owes: Customer) -> None:
    """Renames and moves a customer, and changes their address for mails."""
    details = customers.CustomerDetails("Dana Reed", "dana@reed.example", address="2 New Road")
    customers.change(owes, details=details, by=owner_actor(owes.organization), now=present())


def change_address(owes: Customer, email: str) -> None:
    """Gives a customer another address, as their page does."""
    owes.email = email
    owes.save()


def change_organization(owner: Organization) -> None:
    """Changes all that the documents of an organization show of it but the logo."""
    profile = organizations.Profile(
        name="Elm Joinery",
        email="hello@elm.example",
        phone="+49 30 5550142",
        address="9 Elm Street",
        currency="EUR",
        time_zone="Asia/Tokyo",
        tax_number="DE 99",
        color="#803020",
        payment_instructions="Transfer to Second Bank.",
        locale="de_DE",
    )
    organizations.change(owner, profile=profile, by=owner_actor(owner), now=present())


def draft_invoice(
    owes: Customer, net_minor: int = 100_000, *, due_in: int = 14, currency: str = "", tax_percent: int = 0
) -> Invoice:
    """Creates a draft invoice of one line, due in `due_in` days, which may be negative."""
    at = present()
    return invoices.create(
        owes.organization,
        draft=invoices.InvoiceDraft(
            customer=owes,
            currency=currency or owes.organization.currency,
            due_on=today(at, owes.organization.time_zone) + timedelta(days=due_in),
            lines=(LineDraft("Oak staircase", Decimal(1), net_minor, Decimal(tax_percent)),),
        ),
        by=owner_actor(owes.organization),
        now=at,
    )


def sent_invoice(
    owes: Customer, total_minor: int = 100_000, *, due_in: int = 14, currency: str = ""
) -> Invoice:
    """Creates an invoice and sends it."""
    made = draft_invoice(owes, total_minor, due_in=due_in, currency=currency)
    by = owner_actor(owes.organization)
    return invoices.send(made, by=by, now=present(), allow_overdue=due_in < 0)


def edit_invoice(invoice: Invoice, total_minor: int) -> Invoice:
    """Changes the price of an invoice as the owner."""
    invoice.refresh_from_db()
    lines = (LineDraft("Oak staircase", Decimal(1), total_minor, Decimal(0)),)
    draft = invoices.InvoiceDraft(
        customer=invoice.customer, currency=invoice.currency, due_on=invoice.due_on, lines=lines
    )
    by = owner_actor(invoice.organization)
    return invoices.edit(invoice, draft=draft, expected_version=invoice.version, by=by, now=present())


def request_payment(
    invoice: Invoice, amount_minor: int = 30_000, *, expires_at: datetime | None = None
) -> PaymentRequest:
    """Creates a payment request for a part of the invoice."""
    to, amount = (invoice.customer.email,), Money(amount_minor, invoice.currency)
    wanted = payment_requests.NewPaymentRequest(
        amount=amount, to=to, note="First stage.", expires_at=expires_at
    )
    return payment_requests.create(
        invoice, new_request=wanted, by=owner_actor(invoice.organization), now=present()
    )


def pending_payment(invoice: Invoice, amount_minor: int, *, request: PaymentRequest | None = None) -> Payment:
    """Creates a pending payment without a checkout."""
    at, amount = present(), {"amount_minor": amount_minor, "currency": invoice.currency}
    with transaction.atomic():
        payment = Payment.objects.create(
            organization_id=invoice.organization_id,
            invoice=invoice,
            payment_request=request,
            gateway_account=GatewayAccount.objects.current(invoice.organization).get(),
            **amount,
            created_at=at,
            next_refresh_at=at,
        )
        by = events.customer_actor(invoice.customer)
        events.record("payment.started", payment, by=by, now=at, data=amount)
    return payment


def captured_payment(
    invoice: Invoice,
    amount_minor: int,
    *,
    method: str = "card",
    request: PaymentRequest | None = None,
    fee: Money | None = None,
) -> Payment:
    """Books a payment of a part as if a gateway had reported it, with its fee; by Pay Now, or by a request."""
    payment = pending_payment(invoice, amount_minor, request=request)
    amount = Money(amount_minor, invoice.currency)
    for status in (CheckoutStatus.AUTHORIZED, CheckoutStatus.CAPTURED):
        state = CheckoutState(
            status, amount if status == CheckoutStatus.CAPTURED else None, None, method, "", "", fee=fee
        )
        report_state(payment, state)
    invoice.refresh_from_db()
    return payment


def report_state(payment: Payment, state: CheckoutState) -> None:
    """Books a state of the checkout of an invoice's payment as if a gateway had reported it."""
    with transaction.atomic():
        payment.document = Invoice.objects.locked(str(payment.invoice_id))
        booking.apply(
            payment,
            state=state,
            capabilities=SandboxCapabilities(),
            by=events.gateway_actor("sandbox"),
            now=present(),
        )


def draft_quote(
    owes: Customer, total_minor: int = 100_000, *, percent: str = "30", valid_in: int = 14, currency: str = ""
) -> Quote:
    """Creates a draft quote of one line without tax, valid `valid_in` days; a `percent` of "0" is no deposit."""
    at = present()
    draft = quotes.QuoteDraft(
        customer=owes,
        currency=currency or owes.organization.currency,
        valid_until=today(at, owes.organization.time_zone) + timedelta(days=valid_in),
        lines=(LineDraft("Oak staircase", Decimal(1), total_minor, Decimal(0)),),
        deposit_kind="percent" if Decimal(percent) else "",
        deposit_percent=Decimal(percent),
    )
    return quotes.create(owes.organization, draft=draft, by=owner_actor(owes.organization), now=at)


def sent_quote(
    owes: Customer, total_minor: int = 100_000, *, percent: str = "30", valid_in: int = 14, currency: str = ""
) -> Quote:
    """Creates a quote and sends it."""
    made = draft_quote(owes, total_minor, percent=percent, valid_in=valid_in, currency=currency)
    return quotes.send(made, by=owner_actor(owes.organization), now=present())


def accept_quote(offered: Quote) -> Quote:
    """Accepts a quote as the customer."""
    evidence = quotes.AcceptanceEvidence("Dana W.", "192.0.2.7")
    by = events.customer_actor(offered.customer)
    return quotes.accept(offered, evidence=evidence, by=by, now=present())


def record_deposit_check(accepted: Quote) -> Payment:
    """Records the deposit of a quote, paid by check."""
    at = present()
    deposit = deposits.OfflineDeposit("Check", today(at, accepted.organization.time_zone), "No. 118")
    return deposits.record_deposit(accepted, deposit=deposit, by=owner_actor(accepted.organization), now=at)


def record_check(invoice: Invoice, amount_minor: int, **changes: Any) -> Payment:
    """Records a check; what exceeds the amount due is kept as credit. `changes` are fields of OfflinePayment."""
    at = present()
    typed: dict[str, Any] = {
        "amount": Money(amount_minor, invoice.currency),
        "method": "Check",
        "paid_before_issue": True,
        "paid_on": today(at, invoice.organization.time_zone),
        "keep_rest_as_credit": True,
    }
    offline = OfflinePayment(**{**typed, **changes})
    return offline_payments.record(invoice, offline=offline, by=owner_actor(invoice.organization), now=at)


def reverse_check(payment: Payment, reason: str = "The bank returned it.") -> Payment:
    """Reverses a check that bounced."""
    by = owner_actor(payment.organization)
    return offline_payments.reverse(payment, reason=reason, by=by, now=present())


def settle_rest(invoice: Invoice, reason: str = "fee") -> Adjustment:
    """Settles all that is due on an invoice, however much it is."""
    by, settlement = owner_actor(invoice.organization), Settlement(reason, is_large_confirmed=True)
    return settlements.settle(invoice, settlement=settlement, by=by, now=present())


def refund_in_dashboard(
    payment: Payment,
    amount_minor: int,
    *,
    ref: str = "re_1",
    fee: Money | None = None,
    status: protocol.RefundStatus = protocol.RefundStatus.SUCCEEDED,
) -> Refund:
    """Books that so much of an online payment was refunded in the gateway's dashboard, which may be known before."""
    amount = Money(amount_minor, payment.captured_currency)
    _report(payment, protocol.Refund(ref, status, amount, fee=fee))
    return Refund.objects.get(payment=payment, gateway_ref=ref)


def fail_refund(*refunds: Refund) -> None:
    """Books that the bank sent refunds of one payment back, as one report says it."""
    failed = protocol.RefundStatus.FAILED
    _report(refunds[0].payment, *(protocol.Refund(row.gateway_ref, failed, row.amount) for row in refunds))


def _report(payment: Payment, *reported: protocol.Refund) -> None:
    with transaction.atomic():
        locked, fresh = lock_invoices(payment), Payment.objects.get(pk=payment.pk)
        by = events.gateway_actor("sandbox")
        refund_booking.apply(fresh, reported, locked, by=by, now=present())


def pay_out(
    owner: Organization,
    *items: protocol.PayoutItem,
    ref: str = "po_at_gateway",
    status: protocol.PayoutStatus = protocol.PayoutStatus.PAID,
    currency: str = "USD",
    arrives_on: date | None = None,
) -> Payout:
    """Books a payout of these items as if the gateway had listed it."""
    account = GatewayAccount.objects.current(owner).get()
    amount = Money(sum(item.net.amount_minor for item in items), currency)
    on = arrives_on or today(present(), owner.time_zone)
    payout_booking.apply(account, protocol.Payout(ref, status, amount, on, items), now=present())
    return Payout.objects.get(gateway_account=account, gateway_ref=ref)


def payout_item(
    kind: str = "payment", amount_minor: int = 30_000, fee_minor: int = 445, *, ref: str = "", **changes: Any
) -> protocol.PayoutItem:
    """Returns an entry of the gateway's balance; `changes` are its other fields, such as `checkout_ref`."""
    currency = changes.pop("currency", "USD")
    amounts = [Money(minor, currency) for minor in (amount_minor, fee_minor, amount_minor - fee_minor)]
    return protocol.PayoutItem(
        ref or f"be_{kind}_{amount_minor}", protocol.PayoutItemKind(kind), *amounts, **changes
    )


def report_disputes(
    payment: Payment,
    *reported: protocol.Dispute,
    known: dict[str, int] | None = None,
    at: datetime | None = None,
) -> None:
    """Books the gateway's list of disputes; `known` are the versions from before it was fetched."""
    known = dispute_booking.versions(payment) if known is None else known
    with transaction.atomic():
        locked = lock_invoices(payment)
        fresh = Payment.objects.select_related("organization", "invoice", "quote").get(pk=payment.pk)
        by = events.gateway_actor("sandbox")
        dispute_booking.apply(fresh, reported, locked, known, by=by, now=at or present())


def dispute(
    payment: Payment, amount_minor: int, status: str = "open", *, ref: str = "dp_1", **details: Any
) -> Dispute:
    """Books that so much of an online payment is disputed, or that this was won or lost."""
    amount = Money(amount_minor, payment.captured_currency)
    details = {"reason": "fraudulent", **details}
    report_disputes(payment, protocol.Dispute(ref, protocol.DisputeStatus(status), amount, **details))
    return Dispute.objects.get(payment=payment, gateway_ref=ref)


def give_back(payment: Payment, amount_minor: int) -> Refund:
    """Records that so much of a payment was given back in cash."""
    customer, money = payment.document.customer, Money(amount_minor, payment.captured_currency)
    [row] = give_back_credit(customer, money, payment=payment)
    return row


def give_back_credit(customer: Customer, money: Money, payment: Payment | None = None) -> list[Refund]:
    """Records that so much of the customer's credit was given back in cash."""
    at, by = present(), owner_actor(customer.organization)
    refund = OutsideRefund(money, "Cash", today(at, customer.organization.time_zone))
    return refunds.record(customer, refund=refund, payment=payment, by=by, now=at)


def send_statement(owes: Customer, currency: str = "") -> Event:
    """Mails the customer their statement of account of this year."""
    at = present()
    last = today(at, owes.organization.time_zone)
    return statements.send(
        owes,
        currency=currency or owes.organization.currency,
        since=last.replace(month=1, day=1),
        until=last,
        recipients=payment_requests.LinkRecipients((owes.email,)),
        by=owner_actor(owes.organization),
        now=at,
    )


def webhook_endpoint(owner: Organization, url: str, *types: str) -> WebhookEndpoint:
    """Creates an endpoint as the owner; without types it hears of every event."""
    details = EndpointDetails(url, types or ("*",))
    return webhook_endpoints.create(owner, details=details, by=owner_actor(owner), now=present())[0]


def webhook_delivery(endpoint: WebhookEndpoint) -> WebhookDelivery:
    """Queues a test delivery as the owner."""
    return webhook_deliveries.send_test(endpoint, by=owner_actor(endpoint.organization), now=present())


def checked_import(owner: Organization) -> Import:
    """Uploads a file of one customer and has it checked, so that it is ready to be imported."""
    file = UploadedFile("customers", "customers.csv", b"id,name,email\n7,Ann Reed,ann@reed.example\n")
    columns = {name: name for name in ("name", "email")} | {"external_reference": "id"}
    by = owner_actor(owner)
    run = uploads.upload(owner, file=file, formats=Formats(columns), by=by, now=present())
    runs.run_due(now=present())
    run.refresh_from_db()
    return run
