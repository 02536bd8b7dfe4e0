"""The calls of the API and the objects that they take and return, written by scripts/client.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NotRequired, TypedDict

from .transport import UNSET, Transport, Unset, path_part


class Alert(TypedDict):
    """A situation that no rule can settle."""

    id: str
    kind: str
    reason: str
    message: str
    invoice: str | None
    payment: str | None
    due_at: str | None
    digest: str
    created_at: str
    resolved_at: str | None
    resolution: str


class AlertList(TypedDict):
    """A page of alerts, the newest first."""

    data: list[Alert]
    next: str | None


class AllocatedPart(TypedDict):
    """The part of a payment that pays an invoice."""

    invoice: str
    amount: int


class Balance(TypedDict):
    """An account before, in and after a period, in minor units; a balance is positive where it is debit."""

    account: str
    code: str
    name: str
    opening: int
    debit: int
    credit: int
    closing: int


CancelReason = Literal[
    "by_member",
    "invoice_paid",
    "invoice_voided",
    "invoice_changed",
    "invoice_written_off",
    "offline_payment",
    "replaced",
]


class Credit(TypedDict):
    """Money of a customer that is on no invoice, in each currency that has some."""

    available: list[MoneyAmount]
    frozen: list[MoneyAmount]


class Customer(TypedDict):
    """A person or business that owes."""

    id: str
    name: str
    email: str
    phone: str
    address: str
    external_reference: str | None
    metadata: dict[str, str]
    created_at: str


class CustomerList(TypedDict):
    """A page of customers, the newest first."""

    data: list[Customer]
    next: str | None


DateFormat = Literal[
    "YYYY-MM-DD", "DD.MM.YYYY", "DD/MM/YYYY", "MM/DD/YYYY", "DD-MM-YYYY", "YYYY/MM/DD", "YYYYMMDD"
]

DecimalMark = Literal[".", ","]

DeliveryStatus = Literal["pending", "delivered", "failed"]


class Deposit(TypedDict):
    """A deposit as it was given, in percent or as an amount."""

    percent: str | None
    amount: int | None


class DepositInput(TypedDict):
    """The deposit that a quote asks for: either a percentage of its total or an amount."""

    percent: NotRequired[str | None]
    amount: NotRequired[int | None]


class DifferingRow(TypedDict):
    """A row whose reference was here before, with the fields in which the file says otherwise; it was left as it is."""

    row: int
    id: str
    fields: list[str]


DisabledReason = Literal["by_member", "failing", "gone"]


class Discount(TypedDict):
    """A discount as it was given, in percent or as an amount."""

    percent: str | None
    amount: int | None


class DiscountInput(TypedDict):
    """A discount on the whole document: either a percentage or an amount."""

    percent: NotRequired[str | None]
    amount: NotRequired[int | None]


class Dispute(TypedDict):
    """A part of a payment that the customer's bank asks back, in minor units of its currency."""

    id: str
    payment: str
    status: DisputeStatus
    reason: DisputeReason
    amount: int
    currency: str
    evidence_due_at: str | None
    fee: MoneyAmount | None
    opened_at: str
    closed_at: str | None


class DisputeList(TypedDict):
    """A page of disputes, the newest first."""

    data: list[Dispute]
    next: str | None


DisputeReason = Literal[
    "fraudulent",
    "unrecognized",
    "duplicate",
    "not_received",
    "not_as_described",
    "canceled",
    "credit_not_processed",
    "debit_returned",
    "unknown",
]

DisputeStatus = Literal["open", "won", "lost"]


class DocumentLine(TypedDict):
    """A line of a document; amount is quantity times unit amount, without tax."""

    description: str
    quantity: str
    unit_amount: int
    tax_percent: str
    amount: int


Encoding = Literal["utf-8", "windows-1252"]

EndpointStatus = Literal["enabled", "disabled"]


class Event(TypedDict):
    """One change: its type, who caused it, the objects that it is about, and its details."""

    id: str
    type: str
    actor: str
    actor_id: str
    actor_label: str
    customer: str | None
    invoice: str | None
    quote: str | None
    payment_request: str | None
    payment: str | None
    payout: str | None
    data: dict[str, Any]
    created_at: str


class EventList(TypedDict):
    """A page of events, the newest first."""

    data: list[Event]
    next: str | None


class Expanded(TypedDict):
    """The objects that expand named; null where it did not, and where there is none."""

    customer: NotRequired[Customer | None]
    invoice: NotRequired[Invoice | None]
    payment_request: NotRequired[PaymentRequest | None]
    open_payment_request: NotRequired[PaymentRequest | None]


class Import(TypedDict):
    """A file of customers, open invoices or quotes, and what came of it."""

    id: str
    kind: ImportKind
    status: ImportStatus
    file_name: str
    rows: int
    checked: int
    made: int
    present: int
    problem_count: int
    problems: list[RowProblem]
    differing: list[DifferingRow]
    first_made: list[str]
    created_at: str
    finished_at: str | None


ImportKind = Literal["customers", "invoices", "quotes"]


class ImportList(TypedDict):
    """A page of imports, the newest first."""

    data: list[Import]
    next: str | None


ImportStatus = Literal["uploaded", "checking", "ready", "refused", "importing", "done", "failed"]


class Invoice(TypedDict):
    """A document of debt; amounts are in minor units of its currency."""

    expanded: NotRequired[Expanded | None]
    id: str
    number: str | None
    status: InvoiceStatus
    customer: str
    quote: str | None
    currency: str
    lines: list[DocumentLine]
    discount: Discount | None
    notes: str
    subtotal: int
    tax: int
    total: int
    amount_paid: int
    amount_settled: int
    amount_due: int
    payment_status: str
    is_overdue: bool
    due_on: str
    due_days: int | None
    open_payment_request: str | None
    url: str | None
    external_reference: str | None
    metadata: dict[str, str]
    version: int
    created_at: str
    sent_at: str | None
    paid_at: str | None
    updated_at: str


class InvoiceList(TypedDict):
    """A page of invoices, the newest first."""

    data: list[Invoice]
    next: str | None


InvoiceStatus = Literal["draft", "sent", "paid", "void", "written_off"]


class Journal(TypedDict):
    """A page of entries, the earliest first."""

    data: list[JournalEntry]
    next: str | None


class JournalEntry(TypedDict):
    """One act, balanced: its debits add up to its credits."""

    number: str
    day: str
    currency: str
    kind: str
    description: str
    fact: str
    document: str
    customer: str
    belongs_to: str | None
    lines: list[JournalLine]


class JournalLine(TypedDict):
    """One line of an entry: an account, and its debit or its credit in minor units; the other one is 0."""

    account: str
    code: str
    name: str
    debit: int
    credit: int


class LineInput(TypedDict):
    """One line: quantity times unit amount, with its tax on top."""

    description: str
    quantity: NotRequired[str]
    unit_amount: int
    tax_percent: NotRequired[str | None]


class MoneyAmount(TypedDict):
    """An amount in minor units of its currency; negative where something was given back."""

    amount: int
    currency: str


class Organization(TypedDict):
    """The organization that a key belongs to, and the settings that calls follow."""

    id: str
    slug: str
    name: str
    currency: str
    time_zone: str
    default_due_days: int
    default_tax_percent: str
    payment_modes: list[str]
    return_urls: list[str]
    payments_enabled: bool


class Payment(TypedDict):
    """One attempt to collect, or money that a member received."""

    expanded: NotRequired[Expanded | None]
    id: str
    status: PaymentStatus
    amount: int
    currency: str
    received: MoneyAmount | None
    amount_refunded: int
    amount_refundable: int
    amount_disputed: int
    amount_lost: int
    amount_unallocated: int
    fee: MoneyAmount | None
    allocations: list[AllocatedPart]
    refunds: list[Refund]
    disputes: list[Dispute]
    method: str
    gateway: str | None
    customer: str
    invoice: str | None
    quote: str | None
    payment_request: str | None
    paid_on: str
    reference: str
    note: str
    failure_code: str
    failure_message: str
    created_at: str
    settled_at: str | None


class PaymentList(TypedDict):
    """A page of payments, the newest first."""

    data: list[Payment]
    next: str | None


class PaymentOutcome(TypedDict):
    """Where the money of a payment goes when its invoice is voided."""

    amount: int
    way: Way
    method: NotRequired[str]
    refunded_on: NotRequired[str | None]
    reference: NotRequired[str]


class PaymentRequest(TypedDict):
    """A request for a part of an invoice; amounts are in minor units of its currency."""

    expanded: NotRequired[Expanded | None]
    id: str
    invoice: str
    status: PaymentRequestStatus
    cancel_reason: CancelReason | None
    amount_requested: int
    currency: str
    remaining_due: int | None
    to: list[str]
    cc: list[str]
    bcc: list[str] | None
    note: str
    return_url: str | None
    url: str | None
    external_reference: str | None
    metadata: dict[str, str]
    created_at: str
    expires_at: str | None
    opened_at: str | None
    ended_at: str | None


class PaymentRequestList(TypedDict):
    """A page of payment requests, the newest first."""

    data: list[PaymentRequest]
    next: str | None


PaymentRequestStatus = Literal["open", "paid", "canceled", "expired"]

PaymentStatus = Literal[
    "pending",
    "authorized",
    "capturing",
    "processing",
    "releasing",
    "closing",
    "succeeded",
    "failed",
    "canceled",
    "reversed",
]


class Payout(TypedDict):
    """Money that the payment service sends to the bank, in minor units of its currency."""

    id: str
    status: PayoutStatus
    amount: int
    currency: str
    arrives_on: str
    gateway: str
    gateway_ref: str
    created_at: str


class PayoutItem(TypedDict):
    """One entry of a payout; a negative amount takes from it. payment and the others: what it is about, if known."""

    kind: PayoutItemKind
    amount: int
    fee: int
    net: int
    payment: str | None
    refund: str | None
    dispute: str | None
    gateway_ref: str


PayoutItemKind = Literal["payment", "refund", "dispute", "fee", "other"]


class PayoutList(TypedDict):
    """A page of payouts, the newest first."""

    data: list[Payout]
    next: str | None


PayoutStatus = Literal["pending", "paid", "failed"]


class PayoutWithItems(TypedDict):
    """A payout with its entries."""

    id: str
    status: PayoutStatus
    amount: int
    currency: str
    arrives_on: str
    gateway: str
    gateway_ref: str
    created_at: str
    items: list[PayoutItem]


class Quote(TypedDict):
    """An offer; amounts are in minor units of its currency."""

    expanded: NotRequired[Expanded | None]
    id: str
    number: str | None
    status: QuoteStatus
    customer: str
    currency: str
    lines: list[DocumentLine]
    discount: Discount | None
    notes: str
    subtotal: int
    tax: int
    total: int
    deposit: Deposit | None
    deposit_amount: int
    deposit_due: int
    deposit_status: str
    valid_until: str
    accepted_by: str
    accepted_at: str | None
    invoice: str | None
    url: str | None
    external_reference: str | None
    metadata: dict[str, str]
    version: int
    created_at: str
    sent_at: str | None
    updated_at: str


class QuoteList(TypedDict):
    """A page of quotes, the newest first."""

    data: list[Quote]
    next: str | None


QuoteStatus = Literal["draft", "sent", "accepted", "declined", "expired", "withdrawn", "invoiced"]


class Refund(TypedDict):
    """A part of a payment that was given back, in minor units of its currency."""

    id: str
    payment: str
    status: RefundStatus
    mode: RefundMode
    amount: int
    currency: str
    reason: RefundReason | None
    method: str
    refunded_on: str
    reference: str
    note: str
    reduces_invoice: bool
    is_automatic: bool
    failure_code: str
    failure_message: str
    fee: MoneyAmount | None
    created_at: str


RefundMode = Literal["offline", "gateway", "dashboard"]

RefundReason = Literal["canceled", "complaint", "duplicate", "overpaid", "other"]

RefundStatus = Literal["pending", "succeeded", "failed", "reversed"]


class Refunds(TypedDict):
    """The refunds of the payments that the credit came from, the oldest first."""

    data: list[Refund]


class RetriedDeliveries(TypedDict):
    """How many deliveries are sent again."""

    count: int


class RowProblem(TypedDict):
    """A wrong cell or row of the file, and what to do about it."""

    row: int
    field: str
    column: str
    value: str
    code: str
    message: str


SettleReason = Literal["fee", "rounding", "goodwill"]

# The account of a customer in a period, in minor units of its currency.
Statement = TypedDict(
    "Statement",
    {
        "customer": "str",
        "currency": "str",
        "from": "str",
        "to": "str",
        "as_of": "str",
        "opening": "int",
        "closing": "int",
        "due": "int",
        "overdue": "int",
        "credit": "int",
        "movements": "list[StatementRow]",
    },
)


class StatementRow(TypedDict):
    """One change of what the customer owes; balance is what it is then."""

    day: str
    at: str
    kind: str
    amount: int
    balance: int
    invoice: str | None
    quote: str | None
    number: str | None
    due_on: str | None
    detail: str
    reference: str


class TrialBalance(TypedDict):
    """Every account that something stands on; each column adds up to zero, the debits to the credits."""

    currency: str
    data: list[Balance]


Way = Literal["gateway", "outside", "credit"]


class WebhookAttempt(TypedDict):
    """One attempt: the headers that were sent, and the beginning of the response, or why there was none."""

    number: int
    attempted_at: str
    duration_ms: int
    url: str
    request_headers: dict[str, str]
    response_status: int | None
    response_body: str
    error: str
    error_message: str


class WebhookDelivery(TypedDict):
    """An event for an endpoint; its id is the header webhook-id of every attempt."""

    id: str
    endpoint: str
    event: str
    event_type: str
    object: str
    status: DeliveryStatus
    attempt_count: int
    next_attempt_at: str | None
    created_at: str
    ended_at: str | None


class WebhookDeliveryList(TypedDict):
    """A page of deliveries, the newest first."""

    data: list[WebhookDelivery]
    next: str | None


class WebhookDeliveryWithAttempts(TypedDict):
    """A delivery with its body and every attempt."""

    id: str
    endpoint: str
    event: str
    event_type: str
    object: str
    status: DeliveryStatus
    attempt_count: int
    next_attempt_at: str | None
    created_at: str
    ended_at: str | None
    payload: dict[str, Any]
    attempts: list[WebhookAttempt]


class WebhookEndpoint(TypedDict):
    """An address that is called with the events of the types it chose."""

    id: str
    url: str
    description: str
    event_types: list[str]
    status: EndpointStatus
    disabled_reason: DisabledReason | None
    failing_since: str | None
    created_at: str


class WebhookEndpointList(TypedDict):
    """A page of endpoints, the newest first."""

    data: list[WebhookEndpoint]
    next: str | None


class WebhookEndpointWithSecret(TypedDict):
    """An endpoint with its newest secret, which is shown this one time."""

    id: str
    url: str
    description: str
    event_types: list[str]
    status: EndpointStatus
    disabled_reason: DisabledReason | None
    failing_since: str | None
    created_at: str
    secret: str


class CustomersCalls:
    """Calls of customers."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def index(
        self,
        *,
        limit: int | Unset = UNSET,
        cursor: str | Unset = UNSET,
        external_reference: str | Unset | None = UNSET,
        search: str | Unset = UNSET,
        updated_since: str | Unset | None = UNSET,
    ) -> CustomerList:
        """Lists customers, the newest first."""
        found: CustomerList = self._transport.call(
            "GET",
            "/api/v1/customers",
            query={
                "limit": limit,
                "cursor": cursor,
                "external_reference": external_reference,
                "search": search,
                "updated_since": updated_since,
            },
        )
        return found

    def each(
        self,
        *,
        limit: int | Unset = UNSET,
        external_reference: str | Unset | None = UNSET,
        search: str | Unset = UNSET,
        updated_since: str | Unset | None = UNSET,
    ) -> Iterator[Customer]:
        """Lists customers, the newest first: all of them, page by page."""
        cursor = ""
        while True:
            page = self.index(
                limit=limit,
                external_reference=external_reference,
                search=search,
                updated_since=updated_since,
                cursor=cursor,
            )
            yield from page["data"]
            if page["next"] is None:
                return
            cursor = page["next"]

    def create(
        self,
        *,
        name: str,
        email: str,
        external_reference: str | Unset | None = UNSET,
        metadata: dict[str, str | None] | Unset = UNSET,
        phone: str | Unset = UNSET,
        address: str | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> Customer:
        """Adds a customer."""
        found: Customer = self._transport.call(
            "POST",
            "/api/v1/customers",
            body={
                "external_reference": external_reference,
                "metadata": metadata,
                "name": name,
                "email": email,
                "phone": phone,
                "address": address,
            },
            idempotency_key=idempotency_key,
        )
        return found

    def show(self, customer_id: str) -> Customer:
        """Reads a customer."""
        found: Customer = self._transport.call("GET", f"/api/v1/customers/{path_part(customer_id)}", query={})
        return found

    def change(
        self,
        customer_id: str,
        *,
        external_reference: str | Unset | None = UNSET,
        metadata: dict[str, str | None] | Unset = UNSET,
        name: str | Unset | None = UNSET,
        email: str | Unset | None = UNSET,
        phone: str | Unset | None = UNSET,
        address: str | Unset | None = UNSET,
    ) -> Customer:
        """Changes a customer; documents that were sent keep the customer as they show them."""
        found: Customer = self._transport.call(
            "PATCH",
            f"/api/v1/customers/{path_part(customer_id)}",
            body={
                "external_reference": external_reference,
                "metadata": metadata,
                "name": name,
                "email": email,
                "phone": phone,
                "address": address,
            },
        )
        return found


class InvoicesCalls:
    """Calls of invoices."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def index(
        self,
        *,
        expand: list[str] | Unset = UNSET,
        limit: int | Unset = UNSET,
        cursor: str | Unset = UNSET,
        created_from: str | Unset | None = UNSET,
        created_until: str | Unset | None = UNSET,
        updated_since: str | Unset | None = UNSET,
        status: InvoiceStatus | Unset | None = UNSET,
        payment_status: PaymentStatus | Unset | None = UNSET,
        is_overdue: bool | Unset | None = UNSET,
        customer: str | Unset | None = UNSET,
        external_reference: str | Unset | None = UNSET,
        due_from: str | Unset | None = UNSET,
        due_until: str | Unset | None = UNSET,
        paid_from: str | Unset | None = UNSET,
        paid_until: str | Unset | None = UNSET,
        search: str | Unset = UNSET,
    ) -> InvoiceList:
        """Lists invoices, the newest first."""
        found: InvoiceList = self._transport.call(
            "GET",
            "/api/v1/invoices",
            query={
                "expand": expand,
                "limit": limit,
                "cursor": cursor,
                "created_from": created_from,
                "created_until": created_until,
                "updated_since": updated_since,
                "status": status,
                "payment_status": payment_status,
                "is_overdue": is_overdue,
                "customer": customer,
                "external_reference": external_reference,
                "due_from": due_from,
                "due_until": due_until,
                "paid_from": paid_from,
                "paid_until": paid_until,
                "search": search,
            },
        )
        return found

    def each(
        self,
        *,
        expand: list[str] | Unset = UNSET,
        limit: int | Unset = UNSET,
        created_from: str | Unset | None = UNSET,
        created_until: str | Unset | None = UNSET,
        updated_since: str | Unset | None = UNSET,
        status: InvoiceStatus | Unset | None = UNSET,
        payment_status: PaymentStatus | Unset | None = UNSET,
        is_overdue: bool | Unset | None = UNSET,
        customer: str | Unset | None = UNSET,
        external_reference: str | Unset | None = UNSET,
        due_from: str | Unset | None = UNSET,
        due_until: str | Unset | None = UNSET,
        paid_from: str | Unset | None = UNSET,
        paid_until: str | Unset | None = UNSET,
        search: str | Unset = UNSET,
    ) -> Iterator[Invoice]:
        """Lists invoices, the newest first: all of them, page by page."""
        cursor = ""
        while True:
            page = self.index(
                expand=expand,
                limit=limit,
                created_from=created_from,
                created_until=created_until,
                updated_since=updated_since,
                status=status,
                payment_status=payment_status,
                is_overdue=is_overdue,
                customer=customer,
                external_reference=external_reference,
                due_from=due_from,
                due_until=due_until,
                paid_from=paid_from,
                paid_until=paid_until,
                search=search,
                cursor=cursor,
            )
            yield from page["data"]
            if page["next"] is None:
                return
            cursor = page["next"]

    def create(
        self,
        *,
        customer: str,
        lines: list[LineInput],
        external_reference: str | Unset | None = UNSET,
        metadata: dict[str, str | None] | Unset = UNSET,
        currency: str | Unset | None = UNSET,
        discount: DiscountInput | Unset | None = UNSET,
        notes: str | Unset = UNSET,
        due_on: str | Unset | None = UNSET,
        due_days: int | Unset | None = UNSET,
        idempotency_key: str | None = None,
    ) -> Invoice:
        """Writes an invoice as a draft."""
        found: Invoice = self._transport.call(
            "POST",
            "/api/v1/invoices",
            body={
                "external_reference": external_reference,
                "metadata": metadata,
                "customer": customer,
                "currency": currency,
                "lines": lines,
                "discount": discount,
                "notes": notes,
                "due_on": due_on,
                "due_days": due_days,
            },
            idempotency_key=idempotency_key,
        )
        return found

    def show(self, invoice_id: str, *, expand: list[str] | Unset = UNSET) -> Invoice:
        """Reads an invoice."""
        found: Invoice = self._transport.call(
            "GET", f"/api/v1/invoices/{path_part(invoice_id)}", query={"expand": expand}
        )
        return found

    def change(
        self,
        invoice_id: str,
        *,
        version: int,
        external_reference: str | Unset | None = UNSET,
        metadata: dict[str, str | None] | Unset = UNSET,
        customer: str | Unset | None = UNSET,
        currency: str | Unset | None = UNSET,
        lines: list[LineInput] | Unset | None = UNSET,
        discount: DiscountInput | Unset | None = UNSET,
        notes: str | Unset | None = UNSET,
        due_on: str | Unset | None = UNSET,
        due_days: int | Unset | None = UNSET,
        amount_paid: int | Unset | None = UNSET,
        notify_customer: bool | Unset = UNSET,
    ) -> Invoice:
        """Changes an invoice; of one that was sent the lines, the due date and the notes."""
        found: Invoice = self._transport.call(
            "PATCH",
            f"/api/v1/invoices/{path_part(invoice_id)}",
            body={
                "external_reference": external_reference,
                "metadata": metadata,
                "version": version,
                "customer": customer,
                "currency": currency,
                "lines": lines,
                "discount": discount,
                "notes": notes,
                "due_on": due_on,
                "due_days": due_days,
                "amount_paid": amount_paid,
                "notify_customer": notify_customer,
            },
        )
        return found

    def delete(self, invoice_id: str, *, version: int | Unset | None = UNSET) -> None:
        """Deletes a draft, which has no number yet; one that was sent is voided instead."""
        self._transport.call(
            "DELETE", f"/api/v1/invoices/{path_part(invoice_id)}", query={"version": version}
        )

    def send(
        self,
        invoice_id: str,
        *,
        version: int | Unset | None = UNSET,
        allow_overdue: bool | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> Invoice:
        """Sends a draft: it gets its number, and the customer a mail with the link to its page."""
        found: Invoice = self._transport.call(
            "POST",
            f"/api/v1/invoices/{path_part(invoice_id)}/send",
            body={"version": version, "allow_overdue": allow_overdue},
            idempotency_key=idempotency_key,
        )
        return found

    def resend(self, invoice_id: str, *, idempotency_key: str | None = None) -> Invoice:
        """Mails the link of a sent invoice again."""
        found: Invoice = self._transport.call(
            "POST",
            f"/api/v1/invoices/{path_part(invoice_id)}/resend",
            body={},
            idempotency_key=idempotency_key,
        )
        return found

    def void(
        self,
        invoice_id: str,
        *,
        version: int | Unset | None = UNSET,
        payments: dict[str, PaymentOutcome] | Unset = UNSET,
        reason: RefundReason | Unset | None = UNSET,
        note: str | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> Invoice:
        """Voids an invoice; its open payment request is canceled."""
        found: Invoice = self._transport.call(
            "POST",
            f"/api/v1/invoices/{path_part(invoice_id)}/void",
            body={"version": version, "payments": payments, "reason": reason, "note": note},
            idempotency_key=idempotency_key,
        )
        return found

    def write_off(
        self,
        invoice_id: str,
        *,
        version: int | Unset | None = UNSET,
        amount_due: int | Unset | None = UNSET,
        idempotency_key: str | None = None,
    ) -> Invoice:
        """Gives up on what is still due; its open payment request is canceled."""
        found: Invoice = self._transport.call(
            "POST",
            f"/api/v1/invoices/{path_part(invoice_id)}/write_off",
            body={"version": version, "amount_due": amount_due},
            idempotency_key=idempotency_key,
        )
        return found

    def reopen(
        self, invoice_id: str, *, version: int | Unset | None = UNSET, idempotency_key: str | None = None
    ) -> Invoice:
        """Takes a write-off back."""
        found: Invoice = self._transport.call(
            "POST",
            f"/api/v1/invoices/{path_part(invoice_id)}/reopen",
            body={"version": version},
            idempotency_key=idempotency_key,
        )
        return found

    def settle(
        self,
        invoice_id: str,
        *,
        reason: SettleReason,
        note: str | Unset = UNSET,
        amount_due: int | Unset | None = UNSET,
        confirm_large: bool | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> Invoice:
        """Closes the small rest of an invoice that needs no payment, such as a bank fee; it is paid then."""
        found: Invoice = self._transport.call(
            "POST",
            f"/api/v1/invoices/{path_part(invoice_id)}/settle",
            body={"reason": reason, "note": note, "amount_due": amount_due, "confirm_large": confirm_large},
            idempotency_key=idempotency_key,
        )
        return found


class QuotesCalls:
    """Calls of quotes."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def index(
        self,
        *,
        expand: list[str] | Unset = UNSET,
        limit: int | Unset = UNSET,
        cursor: str | Unset = UNSET,
        created_from: str | Unset | None = UNSET,
        created_until: str | Unset | None = UNSET,
        updated_since: str | Unset | None = UNSET,
        status: QuoteStatus | Unset | None = UNSET,
        customer: str | Unset | None = UNSET,
        external_reference: str | Unset | None = UNSET,
        search: str | Unset = UNSET,
    ) -> QuoteList:
        """Lists quotes, the newest first."""
        found: QuoteList = self._transport.call(
            "GET",
            "/api/v1/quotes",
            query={
                "expand": expand,
                "limit": limit,
                "cursor": cursor,
                "created_from": created_from,
                "created_until": created_until,
                "updated_since": updated_since,
                "status": status,
                "customer": customer,
                "external_reference": external_reference,
                "search": search,
            },
        )
        return found

    def each(
        self,
        *,
        expand: list[str] | Unset = UNSET,
        limit: int | Unset = UNSET,
        created_from: str | Unset | None = UNSET,
        created_until: str | Unset | None = UNSET,
        updated_since: str | Unset | None = UNSET,
        status: QuoteStatus | Unset | None = UNSET,
        customer: str | Unset | None = UNSET,
        external_reference: str | Unset | None = UNSET,
        search: str | Unset = UNSET,
    ) -> Iterator[Quote]:
        """Lists quotes, the newest first: all of them, page by page."""
        cursor = ""
        while True:
            page = self.index(
                expand=expand,
                limit=limit,
                created_from=created_from,
                created_until=created_until,
                updated_since=updated_since,
                status=status,
                customer=customer,
                external_reference=external_reference,
                search=search,
                cursor=cursor,
            )
            yield from page["data"]
            if page["next"] is None:
                return
            cursor = page["next"]

    def create(
        self,
        *,
        customer: str,
        lines: list[LineInput],
        external_reference: str | Unset | None = UNSET,
        metadata: dict[str, str | None] | Unset = UNSET,
        currency: str | Unset | None = UNSET,
        discount: DiscountInput | Unset | None = UNSET,
        notes: str | Unset = UNSET,
        deposit: DepositInput | Unset | None = UNSET,
        valid_until: str | Unset | None = UNSET,
        idempotency_key: str | None = None,
    ) -> Quote:
        """Writes a quote as a draft."""
        found: Quote = self._transport.call(
            "POST",
            "/api/v1/quotes",
            body={
                "external_reference": external_reference,
                "metadata": metadata,
                "customer": customer,
                "currency": currency,
                "lines": lines,
                "discount": discount,
                "notes": notes,
                "deposit": deposit,
                "valid_until": valid_until,
            },
            idempotency_key=idempotency_key,
        )
        return found

    def show(self, quote_id: str, *, expand: list[str] | Unset = UNSET) -> Quote:
        """Reads a quote."""
        found: Quote = self._transport.call(
            "GET", f"/api/v1/quotes/{path_part(quote_id)}", query={"expand": expand}
        )
        return found

    def change(
        self,
        quote_id: str,
        *,
        version: int,
        external_reference: str | Unset | None = UNSET,
        metadata: dict[str, str | None] | Unset = UNSET,
        customer: str | Unset | None = UNSET,
        currency: str | Unset | None = UNSET,
        lines: list[LineInput] | Unset | None = UNSET,
        discount: DiscountInput | Unset | None = UNSET,
        notes: str | Unset | None = UNSET,
        deposit: DepositInput | Unset | None = UNSET,
        valid_until: str | Unset | None = UNSET,
    ) -> Quote:
        """Changes a draft; reference and metadata can be changed in every state, and make no new version."""
        found: Quote = self._transport.call(
            "PATCH",
            f"/api/v1/quotes/{path_part(quote_id)}",
            body={
                "external_reference": external_reference,
                "metadata": metadata,
                "version": version,
                "customer": customer,
                "currency": currency,
                "lines": lines,
                "discount": discount,
                "notes": notes,
                "deposit": deposit,
                "valid_until": valid_until,
            },
        )
        return found

    def delete(self, quote_id: str, *, version: int | Unset | None = UNSET) -> None:
        """Deletes a draft, which has no number yet; one that was sent is withdrawn instead."""
        self._transport.call("DELETE", f"/api/v1/quotes/{path_part(quote_id)}", query={"version": version})

    def send(
        self, quote_id: str, *, version: int | Unset | None = UNSET, idempotency_key: str | None = None
    ) -> Quote:
        """Sends a draft: it gets its number, and the customer a mail with the link on which it is accepted."""
        found: Quote = self._transport.call(
            "POST",
            f"/api/v1/quotes/{path_part(quote_id)}/send",
            body={"version": version},
            idempotency_key=idempotency_key,
        )
        return found

    def resend(self, quote_id: str, *, idempotency_key: str | None = None) -> Quote:
        """Mails the link of a sent quote again."""
        found: Quote = self._transport.call(
            "POST", f"/api/v1/quotes/{path_part(quote_id)}/resend", body={}, idempotency_key=idempotency_key
        )
        return found

    def accept(
        self,
        quote_id: str,
        *,
        name: str,
        decided_on: str | Unset | None = UNSET,
        note: str | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> Quote:
        """Records that the customer accepted; they get a mail that says so, with the link to pay the deposit."""
        found: Quote = self._transport.call(
            "POST",
            f"/api/v1/quotes/{path_part(quote_id)}/accept",
            body={"name": name, "decided_on": decided_on, "note": note},
            idempotency_key=idempotency_key,
        )
        return found

    def decline(
        self,
        quote_id: str,
        *,
        name: str,
        decided_on: str | Unset | None = UNSET,
        note: str | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> Quote:
        """Records that the customer declined; the note is their reason."""
        found: Quote = self._transport.call(
            "POST",
            f"/api/v1/quotes/{path_part(quote_id)}/decline",
            body={"name": name, "decided_on": decided_on, "note": note},
            idempotency_key=idempotency_key,
        )
        return found

    def withdraw(self, quote_id: str, *, idempotency_key: str | None = None) -> Quote:
        """Ends a quote that was sent: its link is dead once this returns."""
        found: Quote = self._transport.call(
            "POST", f"/api/v1/quotes/{path_part(quote_id)}/withdraw", body={}, idempotency_key=idempotency_key
        )
        return found

    def record_deposit(
        self,
        quote_id: str,
        *,
        method: str,
        paid_on: str,
        amount: int | Unset | None = UNSET,
        reference: str | Unset = UNSET,
        note: str | Unset = UNSET,
        paid_before_issue: bool | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> Payment:
        """Records that the deposit of an accepted quote was received in cash, by check or by transfer, in full."""
        found: Payment = self._transport.call(
            "POST",
            f"/api/v1/quotes/{path_part(quote_id)}/payments",
            body={
                "amount": amount,
                "method": method,
                "paid_on": paid_on,
                "reference": reference,
                "note": note,
                "paid_before_issue": paid_before_issue,
            },
            idempotency_key=idempotency_key,
        )
        return found

    def request_payment(
        self, quote_id: str, *, amount_requested: int | Unset = UNSET, idempotency_key: str | None = None
    ) -> Quote:
        """Is refused as `deposit_not_divisible`: a deposit is paid in full, by the link of the quote."""
        found: Quote = self._transport.call(
            "POST",
            f"/api/v1/quotes/{path_part(quote_id)}/payment_requests",
            body={"amount_requested": amount_requested},
            idempotency_key=idempotency_key,
        )
        return found

    def make_invoice(
        self, quote_id: str, *, version: int | Unset | None = UNSET, idempotency_key: str | None = None
    ) -> Invoice:
        """Makes a draft invoice of an accepted quote, once; its deposit is on it when it is sent."""
        found: Invoice = self._transport.call(
            "POST",
            f"/api/v1/quotes/{path_part(quote_id)}/invoice",
            body={"version": version},
            idempotency_key=idempotency_key,
        )
        return found


class ImportsCalls:
    """Calls of imports."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def index(self, *, limit: int | Unset = UNSET, cursor: str | Unset = UNSET) -> ImportList:
        """Lists imports, newest first; one that was not confirmed is kept for a week."""
        found: ImportList = self._transport.call(
            "GET", "/api/v1/imports", query={"limit": limit, "cursor": cursor}
        )
        return found

    def each(self, *, limit: int | Unset = UNSET) -> Iterator[Import]:
        """Lists imports, newest first; one that was not confirmed is kept for a week: all of them, page by page."""
        cursor = ""
        while True:
            page = self.index(limit=limit, cursor=cursor)
            yield from page["data"]
            if page["next"] is None:
                return
            cursor = page["next"]

    def create(
        self,
        *,
        kind: ImportKind,
        content: str,
        columns: dict[str, str],
        file_name: str | Unset = UNSET,
        encoding: Encoding | Unset = UNSET,
        decimal_mark: DecimalMark | Unset | None = UNSET,
        date_format: DateFormat | Unset | None = UNSET,
        payment_method: str | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> Import:
        """Sends a file, whose rows are then checked one by one without making any."""
        found: Import = self._transport.call(
            "POST",
            "/api/v1/imports",
            body={
                "kind": kind,
                "file_name": file_name,
                "content": content,
                "encoding": encoding,
                "columns": columns,
                "decimal_mark": decimal_mark,
                "date_format": date_format,
                "payment_method": payment_method,
            },
            idempotency_key=idempotency_key,
        )
        return found

    def show(self, import_id: str) -> Import:
        """Reads the state of an import."""
        found: Import = self._transport.call("GET", f"/api/v1/imports/{path_part(import_id)}", query={})
        return found

    def confirm(self, import_id: str, *, idempotency_key: str | None = None) -> Import:
        """Has a file imported that is ready: all of its rows, or none when one has become wrong since."""
        found: Import = self._transport.call(
            "POST",
            f"/api/v1/imports/{path_part(import_id)}/confirm",
            body={},
            idempotency_key=idempotency_key,
        )
        return found


class PaymentRequestsCalls:
    """Calls of payment requests."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(
        self,
        invoice_id: str,
        *,
        amount_requested: int,
        external_reference: str | Unset | None = UNSET,
        metadata: dict[str, str | None] | Unset = UNSET,
        to: str | list[str] | Unset | None = UNSET,
        cc: list[str] | Unset = UNSET,
        bcc: list[str] | Unset = UNSET,
        note: str | Unset = UNSET,
        send: bool | Unset = UNSET,
        return_url: str | Unset = UNSET,
        expires_at: str | Unset | None = UNSET,
        idempotency_key: str | None = None,
    ) -> PaymentRequest:
        """Asks for a part of what is due on a sent invoice; the customer gets a mail with the payment link."""
        found: PaymentRequest = self._transport.call(
            "POST",
            f"/api/v1/invoices/{path_part(invoice_id)}/payment_requests",
            body={
                "external_reference": external_reference,
                "metadata": metadata,
                "amount_requested": amount_requested,
                "to": to,
                "cc": cc,
                "bcc": bcc,
                "note": note,
                "send": send,
                "return_url": return_url,
                "expires_at": expires_at,
            },
            idempotency_key=idempotency_key,
        )
        return found

    def index(
        self,
        *,
        expand: list[str] | Unset = UNSET,
        limit: int | Unset = UNSET,
        cursor: str | Unset = UNSET,
        created_from: str | Unset | None = UNSET,
        created_until: str | Unset | None = UNSET,
        updated_since: str | Unset | None = UNSET,
        status: PaymentRequestStatus | Unset | None = UNSET,
        invoice: str | Unset | None = UNSET,
        customer: str | Unset | None = UNSET,
        external_reference: str | Unset | None = UNSET,
    ) -> PaymentRequestList:
        """Lists payment requests, the newest first."""
        found: PaymentRequestList = self._transport.call(
            "GET",
            "/api/v1/payment_requests",
            query={
                "expand": expand,
                "limit": limit,
                "cursor": cursor,
                "created_from": created_from,
                "created_until": created_until,
                "updated_since": updated_since,
                "status": status,
                "invoice": invoice,
                "customer": customer,
                "external_reference": external_reference,
            },
        )
        return found

    def each(
        self,
        *,
        expand: list[str] | Unset = UNSET,
        limit: int | Unset = UNSET,
        created_from: str | Unset | None = UNSET,
        created_until: str | Unset | None = UNSET,
        updated_since: str | Unset | None = UNSET,
        status: PaymentRequestStatus | Unset | None = UNSET,
        invoice: str | Unset | None = UNSET,
        customer: str | Unset | None = UNSET,
        external_reference: str | Unset | None = UNSET,
    ) -> Iterator[PaymentRequest]:
        """Lists payment requests, the newest first: all of them, page by page."""
        cursor = ""
        while True:
            page = self.index(
                expand=expand,
                limit=limit,
                created_from=created_from,
                created_until=created_until,
                updated_since=updated_since,
                status=status,
                invoice=invoice,
                customer=customer,
                external_reference=external_reference,
                cursor=cursor,
            )
            yield from page["data"]
            if page["next"] is None:
                return
            cursor = page["next"]

    def show(self, request_id: str, *, expand: list[str] | Unset = UNSET) -> PaymentRequest:
        """Reads a payment request."""
        found: PaymentRequest = self._transport.call(
            "GET", f"/api/v1/payment_requests/{path_part(request_id)}", query={"expand": expand}
        )
        return found

    def change(
        self,
        request_id: str,
        *,
        external_reference: str | Unset | None = UNSET,
        metadata: dict[str, str | None] | Unset = UNSET,
    ) -> PaymentRequest:
        """Changes the reference and the metadata, in every state."""
        found: PaymentRequest = self._transport.call(
            "PATCH",
            f"/api/v1/payment_requests/{path_part(request_id)}",
            body={"external_reference": external_reference, "metadata": metadata},
        )
        return found

    def resend(
        self,
        request_id: str,
        *,
        to: str | list[str] | Unset | None = UNSET,
        cc: list[str] | Unset = UNSET,
        bcc: list[str] | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> PaymentRequest:
        """Mails the same link again."""
        found: PaymentRequest = self._transport.call(
            "POST",
            f"/api/v1/payment_requests/{path_part(request_id)}/resend",
            body={"to": to, "cc": cc, "bcc": bcc},
            idempotency_key=idempotency_key,
        )
        return found

    def cancel(self, request_id: str, *, idempotency_key: str | None = None) -> PaymentRequest:
        """Cancels an open payment request: its link cannot be paid any more once this returns."""
        found: PaymentRequest = self._transport.call(
            "POST",
            f"/api/v1/payment_requests/{path_part(request_id)}/cancel",
            body={},
            idempotency_key=idempotency_key,
        )
        return found


class PaymentsCalls:
    """Calls of payments."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def index(
        self,
        *,
        expand: list[str] | Unset = UNSET,
        limit: int | Unset = UNSET,
        cursor: str | Unset = UNSET,
        created_from: str | Unset | None = UNSET,
        created_until: str | Unset | None = UNSET,
        updated_since: str | Unset | None = UNSET,
        status: PaymentStatus | Unset | None = UNSET,
        method: str | Unset = UNSET,
        customer: str | Unset | None = UNSET,
        invoice: str | Unset | None = UNSET,
        quote: str | Unset | None = UNSET,
        payment_request: str | Unset | None = UNSET,
        settled_from: str | Unset | None = UNSET,
        settled_until: str | Unset | None = UNSET,
        search: str | Unset = UNSET,
    ) -> PaymentList:
        """Lists payments, the newest first."""
        found: PaymentList = self._transport.call(
            "GET",
            "/api/v1/payments",
            query={
                "expand": expand,
                "limit": limit,
                "cursor": cursor,
                "created_from": created_from,
                "created_until": created_until,
                "updated_since": updated_since,
                "status": status,
                "method": method,
                "customer": customer,
                "invoice": invoice,
                "quote": quote,
                "payment_request": payment_request,
                "settled_from": settled_from,
                "settled_until": settled_until,
                "search": search,
            },
        )
        return found

    def each(
        self,
        *,
        expand: list[str] | Unset = UNSET,
        limit: int | Unset = UNSET,
        created_from: str | Unset | None = UNSET,
        created_until: str | Unset | None = UNSET,
        updated_since: str | Unset | None = UNSET,
        status: PaymentStatus | Unset | None = UNSET,
        method: str | Unset = UNSET,
        customer: str | Unset | None = UNSET,
        invoice: str | Unset | None = UNSET,
        quote: str | Unset | None = UNSET,
        payment_request: str | Unset | None = UNSET,
        settled_from: str | Unset | None = UNSET,
        settled_until: str | Unset | None = UNSET,
        search: str | Unset = UNSET,
    ) -> Iterator[Payment]:
        """Lists payments, the newest first: all of them, page by page."""
        cursor = ""
        while True:
            page = self.index(
                expand=expand,
                limit=limit,
                created_from=created_from,
                created_until=created_until,
                updated_since=updated_since,
                status=status,
                method=method,
                customer=customer,
                invoice=invoice,
                quote=quote,
                payment_request=payment_request,
                settled_from=settled_from,
                settled_until=settled_until,
                search=search,
                cursor=cursor,
            )
            yield from page["data"]
            if page["next"] is None:
                return
            cursor = page["next"]

    def record(
        self,
        invoice_id: str,
        *,
        amount: int,
        method: str,
        paid_on: str,
        reference: str | Unset = UNSET,
        note: str | Unset = UNSET,
        send_receipt: bool | Unset = UNSET,
        keep_rest_as_credit: bool | Unset = UNSET,
        paid_before_issue: bool | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> Payment:
        """Records money that was received on an invoice in cash, by check or by transfer."""
        found: Payment = self._transport.call(
            "POST",
            f"/api/v1/invoices/{path_part(invoice_id)}/payments",
            body={
                "amount": amount,
                "method": method,
                "paid_on": paid_on,
                "reference": reference,
                "note": note,
                "send_receipt": send_receipt,
                "keep_rest_as_credit": keep_rest_as_credit,
                "paid_before_issue": paid_before_issue,
            },
            idempotency_key=idempotency_key,
        )
        return found

    def show(self, payment_id: str, *, expand: list[str] | Unset = UNSET) -> Payment:
        """Reads a payment, with what became of it."""
        found: Payment = self._transport.call(
            "GET", f"/api/v1/payments/{path_part(payment_id)}", query={"expand": expand}
        )
        return found

    def reverse(self, payment_id: str, *, reason: str, idempotency_key: str | None = None) -> Payment:
        """Takes back an offline payment, as a check that bounced: what it paid is due again."""
        found: Payment = self._transport.call(
            "POST",
            f"/api/v1/payments/{path_part(payment_id)}/reverse",
            body={"reason": reason},
            idempotency_key=idempotency_key,
        )
        return found

    def resend_receipt(self, payment_id: str, *, idempotency_key: str | None = None) -> Payment:
        """Mails the customer the receipt again."""
        found: Payment = self._transport.call(
            "POST",
            f"/api/v1/payments/{path_part(payment_id)}/resend_receipt",
            body={},
            idempotency_key=idempotency_key,
        )
        return found

    def refund(
        self,
        payment_id: str,
        *,
        amount: int,
        reason: RefundReason | Unset | None = UNSET,
        note: str | Unset = UNSET,
        reduce_invoice: bool | Unset = UNSET,
        method: str | Unset = UNSET,
        refunded_on: str | Unset | None = UNSET,
        reference: str | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> Refund:
        """Gives back a part of a payment: through the payment service, or recorded as given back by hand."""
        found: Refund = self._transport.call(
            "POST",
            f"/api/v1/payments/{path_part(payment_id)}/refunds",
            body={
                "amount": amount,
                "reason": reason,
                "note": note,
                "reduce_invoice": reduce_invoice,
                "method": method,
                "refunded_on": refunded_on,
                "reference": reference,
            },
            idempotency_key=idempotency_key,
        )
        return found

    def show_refund(self, refund_id: str) -> Refund:
        """Reads a refund."""
        found: Refund = self._transport.call("GET", f"/api/v1/refunds/{path_part(refund_id)}", query={})
        return found

    def reverse_refund(self, refund_id: str, *, reason: str, idempotency_key: str | None = None) -> Refund:
        """Takes back a refund that was recorded by mistake: the money is the customer's credit."""
        found: Refund = self._transport.call(
            "POST",
            f"/api/v1/refunds/{path_part(refund_id)}/reverse",
            body={"reason": reason},
            idempotency_key=idempotency_key,
        )
        return found


class CustomerAccountsCalls:
    """Calls of customer accounts."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def show_credit(self, customer_id: str) -> Credit:
        """Reads the credit of a customer."""
        found: Credit = self._transport.call(
            "GET", f"/api/v1/customers/{path_part(customer_id)}/credit", query={}
        )
        return found

    def apply_credit(
        self, customer_id: str, *, invoice: str, amount: int, idempotency_key: str | None = None
    ) -> Invoice:
        """Pays an invoice of the customer with their credit, the oldest first."""
        found: Invoice = self._transport.call(
            "POST",
            f"/api/v1/customers/{path_part(customer_id)}/credit/apply",
            body={"invoice": invoice, "amount": amount},
            idempotency_key=idempotency_key,
        )
        return found

    def release_credit(
        self, customer_id: str, *, invoice: str, payment: str, idempotency_key: str | None = None
    ) -> Invoice:
        """Takes what a payment has paid off an invoice, where it is due again: it is the customer's credit then."""
        found: Invoice = self._transport.call(
            "POST",
            f"/api/v1/customers/{path_part(customer_id)}/credit/release",
            body={"invoice": invoice, "payment": payment},
            idempotency_key=idempotency_key,
        )
        return found

    def refund_credit(
        self,
        customer_id: str,
        *,
        amount: int,
        currency: str,
        method: str,
        refunded_on: str | Unset | None = UNSET,
        reference: str | Unset = UNSET,
        note: str | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> Refunds:
        """Records that credit was given back by hand, the oldest first."""
        found: Refunds = self._transport.call(
            "POST",
            f"/api/v1/customers/{path_part(customer_id)}/credit/refunds",
            body={
                "amount": amount,
                "currency": currency,
                "method": method,
                "refunded_on": refunded_on,
                "reference": reference,
                "note": note,
            },
            idempotency_key=idempotency_key,
        )
        return found

    def statement(
        self, customer_id: str, *, from_: str, to: str, currency: str | Unset | None = UNSET
    ) -> Statement:
        """Reads the account of a customer in a period: what was issued, paid and given back."""
        found: Statement = self._transport.call(
            "GET",
            f"/api/v1/customers/{path_part(customer_id)}/statement",
            query={"from": from_, "to": to, "currency": currency},
        )
        return found


class DisputesCalls:
    """Calls of disputes."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def index(
        self,
        *,
        limit: int | Unset = UNSET,
        cursor: str | Unset = UNSET,
        status: DisputeStatus | Unset | None = UNSET,
    ) -> DisputeList:
        """Lists disputes, the newest first."""
        found: DisputeList = self._transport.call(
            "GET", "/api/v1/disputes", query={"limit": limit, "cursor": cursor, "status": status}
        )
        return found

    def each(
        self, *, limit: int | Unset = UNSET, status: DisputeStatus | Unset | None = UNSET
    ) -> Iterator[Dispute]:
        """Lists disputes, the newest first: all of them, page by page."""
        cursor = ""
        while True:
            page = self.index(limit=limit, status=status, cursor=cursor)
            yield from page["data"]
            if page["next"] is None:
                return
            cursor = page["next"]

    def show(self, dispute_id: str) -> Dispute:
        """Reads a dispute."""
        found: Dispute = self._transport.call("GET", f"/api/v1/disputes/{path_part(dispute_id)}", query={})
        return found

    def take_loss(
        self, dispute_id: str, *, amount: int, note: str | Unset = UNSET, idempotency_key: str | None = None
    ) -> Dispute:
        """Settles what a lost dispute made due again, where the customer is not asked for it again."""
        found: Dispute = self._transport.call(
            "POST",
            f"/api/v1/disputes/{path_part(dispute_id)}/take_loss",
            body={"amount": amount, "note": note},
            idempotency_key=idempotency_key,
        )
        return found


class PayoutsCalls:
    """Calls of payouts."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def index(
        self,
        *,
        limit: int | Unset = UNSET,
        cursor: str | Unset = UNSET,
        status: PayoutStatus | Unset | None = UNSET,
    ) -> PayoutList:
        """Lists payouts, the newest first."""
        found: PayoutList = self._transport.call(
            "GET", "/api/v1/payouts", query={"limit": limit, "cursor": cursor, "status": status}
        )
        return found

    def each(
        self, *, limit: int | Unset = UNSET, status: PayoutStatus | Unset | None = UNSET
    ) -> Iterator[Payout]:
        """Lists payouts, the newest first: all of them, page by page."""
        cursor = ""
        while True:
            page = self.index(limit=limit, status=status, cursor=cursor)
            yield from page["data"]
            if page["next"] is None:
                return
            cursor = page["next"]

    def show(self, payout_id: str) -> PayoutWithItems:
        """Reads a payout with its entries."""
        found: PayoutWithItems = self._transport.call(
            "GET", f"/api/v1/payouts/{path_part(payout_id)}", query={}
        )
        return found


class JournalCalls:
    """Calls of journal."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def index(
        self,
        *,
        from_: str,
        to: str,
        currency: str | Unset | None = UNSET,
        limit: int | Unset = UNSET,
        cursor: str | Unset = UNSET,
    ) -> Journal:
        """Lists the entries of a period, the earliest first."""
        found: Journal = self._transport.call(
            "GET",
            "/api/v1/journal",
            query={"from": from_, "to": to, "currency": currency, "limit": limit, "cursor": cursor},
        )
        return found

    def each(
        self, *, from_: str, to: str, currency: str | Unset | None = UNSET, limit: int | Unset = UNSET
    ) -> Iterator[JournalEntry]:
        """Lists the entries of a period, the earliest first: all of them, page by page."""
        cursor = ""
        while True:
            page = self.index(from_=from_, to=to, currency=currency, limit=limit, cursor=cursor)
            yield from page["data"]
            if page["next"] is None:
                return
            cursor = page["next"]

    def balances(self, *, from_: str, to: str, currency: str | Unset | None = UNSET) -> TrialBalance:
        """Reads the trial balance of a period."""
        found: TrialBalance = self._transport.call(
            "GET", "/api/v1/journal/balances", query={"from": from_, "to": to, "currency": currency}
        )
        return found


class AlertsCalls:
    """Calls of alerts."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def index(
        self, *, limit: int | Unset = UNSET, cursor: str | Unset = UNSET, resolved: bool | Unset = UNSET
    ) -> AlertList:
        """Lists alerts, the newest first."""
        found: AlertList = self._transport.call(
            "GET", "/api/v1/alerts", query={"limit": limit, "cursor": cursor, "resolved": resolved}
        )
        return found

    def each(self, *, limit: int | Unset = UNSET, resolved: bool | Unset = UNSET) -> Iterator[Alert]:
        """Lists alerts, the newest first: all of them, page by page."""
        cursor = ""
        while True:
            page = self.index(limit=limit, resolved=resolved, cursor=cursor)
            yield from page["data"]
            if page["next"] is None:
                return
            cursor = page["next"]

    def resolve(
        self,
        alert_id: str,
        *,
        digest: str,
        resolution: str | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> Alert:
        """Marks an alert as dealt with."""
        found: Alert = self._transport.call(
            "POST",
            f"/api/v1/alerts/{path_part(alert_id)}/resolve",
            body={"digest": digest, "resolution": resolution},
            idempotency_key=idempotency_key,
        )
        return found


class EventsCalls:
    """Calls of events."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def index(
        self,
        *,
        limit: int | Unset = UNSET,
        cursor: str | Unset = UNSET,
        type: str | Unset = UNSET,
        customer: str | Unset | None = UNSET,
        invoice: str | Unset | None = UNSET,
        quote: str | Unset | None = UNSET,
        payment_request: str | Unset | None = UNSET,
        payment: str | Unset | None = UNSET,
        created_from: str | Unset | None = UNSET,
        created_until: str | Unset | None = UNSET,
    ) -> EventList:
        """Lists what happened to customers, documents and money, the newest first."""
        found: EventList = self._transport.call(
            "GET",
            "/api/v1/events",
            query={
                "limit": limit,
                "cursor": cursor,
                "type": type,
                "customer": customer,
                "invoice": invoice,
                "quote": quote,
                "payment_request": payment_request,
                "payment": payment,
                "created_from": created_from,
                "created_until": created_until,
            },
        )
        return found

    def each(
        self,
        *,
        limit: int | Unset = UNSET,
        type: str | Unset = UNSET,
        customer: str | Unset | None = UNSET,
        invoice: str | Unset | None = UNSET,
        quote: str | Unset | None = UNSET,
        payment_request: str | Unset | None = UNSET,
        payment: str | Unset | None = UNSET,
        created_from: str | Unset | None = UNSET,
        created_until: str | Unset | None = UNSET,
    ) -> Iterator[Event]:
        """Lists what happened to customers, documents and money, the newest first: all of them, page by page."""
        cursor = ""
        while True:
            page = self.index(
                limit=limit,
                type=type,
                customer=customer,
                invoice=invoice,
                quote=quote,
                payment_request=payment_request,
                payment=payment,
                created_from=created_from,
                created_until=created_until,
                cursor=cursor,
            )
            yield from page["data"]
            if page["next"] is None:
                return
            cursor = page["next"]


class OrganizationCalls:
    """Calls of organization."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def show(self) -> Organization:
        """Reads the organization of the key, with its payment modes and the sites that customers may be led back to."""
        found: Organization = self._transport.call("GET", "/api/v1/organization", query={})
        return found


class WebhookEndpointsCalls:
    """Calls of webhook endpoints."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def index(self, *, limit: int | Unset = UNSET, cursor: str | Unset = UNSET) -> WebhookEndpointList:
        """Lists webhook endpoints, the newest first."""
        found: WebhookEndpointList = self._transport.call(
            "GET", "/api/v1/webhook_endpoints", query={"limit": limit, "cursor": cursor}
        )
        return found

    def each(self, *, limit: int | Unset = UNSET) -> Iterator[WebhookEndpoint]:
        """Lists webhook endpoints, the newest first: all of them, page by page."""
        cursor = ""
        while True:
            page = self.index(limit=limit, cursor=cursor)
            yield from page["data"]
            if page["next"] is None:
                return
            cursor = page["next"]

    def create(
        self,
        *,
        url: str,
        event_types: list[str],
        description: str | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> WebhookEndpointWithSecret:
        """Creates a webhook endpoint; its answer has the secret by which the program verifies what it gets."""
        found: WebhookEndpointWithSecret = self._transport.call(
            "POST",
            "/api/v1/webhook_endpoints",
            body={"url": url, "event_types": event_types, "description": description},
            idempotency_key=idempotency_key,
        )
        return found

    def show(self, endpoint_id: str) -> WebhookEndpoint:
        """Reads a webhook endpoint."""
        found: WebhookEndpoint = self._transport.call(
            "GET", f"/api/v1/webhook_endpoints/{path_part(endpoint_id)}", query={}
        )
        return found

    def change(
        self,
        endpoint_id: str,
        *,
        url: str | Unset | None = UNSET,
        event_types: list[str] | Unset | None = UNSET,
        description: str | Unset | None = UNSET,
        status: EndpointStatus | Unset | None = UNSET,
    ) -> WebhookEndpoint:
        """Changes a webhook endpoint, or enables or disables it."""
        found: WebhookEndpoint = self._transport.call(
            "PATCH",
            f"/api/v1/webhook_endpoints/{path_part(endpoint_id)}",
            body={"url": url, "event_types": event_types, "description": description, "status": status},
        )
        return found

    def delete(self, endpoint_id: str) -> None:
        """Deletes a webhook endpoint with all its deliveries, those that wait too."""
        self._transport.call("DELETE", f"/api/v1/webhook_endpoints/{path_part(endpoint_id)}", query={})

    def rotate_secret(
        self, endpoint_id: str, *, old_secret_hours: int | Unset = UNSET, idempotency_key: str | None = None
    ) -> WebhookEndpointWithSecret:
        """Makes a new secret; what is sent is signed by the old one too until that ends, so that no gap arises."""
        found: WebhookEndpointWithSecret = self._transport.call(
            "POST",
            f"/api/v1/webhook_endpoints/{path_part(endpoint_id)}/rotate_secret",
            body={"old_secret_hours": old_secret_hours},
            idempotency_key=idempotency_key,
        )
        return found

    def send_test(self, endpoint_id: str, *, idempotency_key: str | None = None) -> WebhookDelivery:
        """Sends an event of the type webhook_endpoint.tested, whatever types were chosen."""
        found: WebhookDelivery = self._transport.call(
            "POST",
            f"/api/v1/webhook_endpoints/{path_part(endpoint_id)}/test",
            body={},
            idempotency_key=idempotency_key,
        )
        return found

    def list_deliveries(
        self,
        endpoint_id: str,
        *,
        limit: int | Unset = UNSET,
        cursor: str | Unset = UNSET,
        status: DeliveryStatus | Unset | None = UNSET,
        type: str | Unset = UNSET,
        created_from: str | Unset | None = UNSET,
        created_until: str | Unset | None = UNSET,
    ) -> WebhookDeliveryList:
        """Lists the deliveries of an endpoint; those that ended are kept for some weeks."""
        found: WebhookDeliveryList = self._transport.call(
            "GET",
            f"/api/v1/webhook_endpoints/{path_part(endpoint_id)}/deliveries",
            query={
                "limit": limit,
                "cursor": cursor,
                "status": status,
                "type": type,
                "created_from": created_from,
                "created_until": created_until,
            },
        )
        return found

    def each_of_list_deliveries(
        self,
        endpoint_id: str,
        *,
        limit: int | Unset = UNSET,
        status: DeliveryStatus | Unset | None = UNSET,
        type: str | Unset = UNSET,
        created_from: str | Unset | None = UNSET,
        created_until: str | Unset | None = UNSET,
    ) -> Iterator[WebhookDelivery]:
        """Lists the deliveries of an endpoint; those that ended are kept for some weeks: all of them, page by page."""
        cursor = ""
        while True:
            page = self.list_deliveries(
                endpoint_id,
                limit=limit,
                status=status,
                type=type,
                created_from=created_from,
                created_until=created_until,
                cursor=cursor,
            )
            yield from page["data"]
            if page["next"] is None:
                return
            cursor = page["next"]

    def show_delivery(self, endpoint_id: str, delivery_id: str) -> WebhookDeliveryWithAttempts:
        """Reads a delivery with its body and every attempt."""
        found: WebhookDeliveryWithAttempts = self._transport.call(
            "GET",
            f"/api/v1/webhook_endpoints/{path_part(endpoint_id)}/deliveries/{path_part(delivery_id)}",
            query={},
        )
        return found

    def retry_range(
        self,
        endpoint_id: str,
        *,
        created_from: str,
        created_until: str,
        include_delivered: bool | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> RetriedDeliveries:
        """Sends again what failed of the events of a time, in their order and under the same ids."""
        found: RetriedDeliveries = self._transport.call(
            "POST",
            f"/api/v1/webhook_endpoints/{path_part(endpoint_id)}/retry_deliveries",
            body={
                "created_from": created_from,
                "created_until": created_until,
                "include_delivered": include_delivered,
            },
            idempotency_key=idempotency_key,
        )
        return found

    def retry(
        self, endpoint_id: str, delivery_id: str, *, idempotency_key: str | None = None
    ) -> WebhookDelivery:
        """Sends a delivery again under the same id, also one that was delivered."""
        found: WebhookDelivery = self._transport.call(
            "POST",
            f"/api/v1/webhook_endpoints/{path_part(endpoint_id)}/deliveries/{path_part(delivery_id)}/retry",
            body={},
            idempotency_key=idempotency_key,
        )
        return found


class Calls:
    """All calls, by subject."""

    def __init__(self, transport: Transport) -> None:
        self.customers = CustomersCalls(transport)
        self.invoices = InvoicesCalls(transport)
        self.quotes = QuotesCalls(transport)
        self.imports = ImportsCalls(transport)
        self.payment_requests = PaymentRequestsCalls(transport)
        self.payments = PaymentsCalls(transport)
        self.customer_accounts = CustomerAccountsCalls(transport)
        self.disputes = DisputesCalls(transport)
        self.payouts = PayoutsCalls(transport)
        self.journal = JournalCalls(transport)
        self.alerts = AlertsCalls(transport)
        self.events = EventsCalls(transport)
        self.organization = OrganizationCalls(transport)
        self.webhook_endpoints = WebhookEndpointsCalls(transport)
