"""The tables of billing. Money is an integer `…_minor` beside its `currency`; facts are only ever added.

Customer ──< Quote ──< QuoteLine
   │           │  └────1 Invoice              made of an accepted quote, at most one (D2)
   │           └───────< Payment              of its deposit; on no invoice before that one is sent (D1)
   │
   └───────< Invoice ──< InvoiceLine
               │  └────< PaymentRequest       at most one open per invoice (R1)
               │              │
               ├────< Adjustment              a rest settled without a payment: a fee, rounding, goodwill (M2)
               └────< Payment ┘               at most one unsettled per invoice or quote (P1)
                        │ └──< GatewayCall    each call to the gateway, with its key and body (P4)
                        ├────< Allocation     which part of the payment is on which invoice (M3)
                        ├────< Refund         which part of it went back to the customer (M8)
                        └────< Dispute        which part of it the customer's bank asks back (M3)

Party      a seller or a customer as what was issued shows them; of an invoice, a quote and a receipt (D9)
QuoteTerms the organization's defaults for new quotes
LedgerAccount  the code and name of an account of the journal, where an owner changed them
Closing    a change of the day up to which the journal is closed
Event      one row per change, written with it; the timeline, the outbox and the audit trail
Mail       to be sent; MailAttempt is one attempt to send it
Payout     money that a gateway sent to the bank; PayoutItem is one payment, refund or fee in it
Import     a file of customers, invoices or quotes, until and after it is imported
Callback   a gateway's report, stored once
Alert      what the Attention page lists until it is resolved
WebhookEndpoint ──< WebhookDelivery ──< WebhookAttempt   an event, told to a program of the organization (D6)
"""

from .adjustments import Adjustment
from .alerts import Alert
from .callbacks import Callback
from .customers import Customer
from .disputes import Dispute
from .events import Event
from .gateway_calls import GatewayCall
from .imports import Import
from .invoices import Invoice, InvoiceLine
from .journal import Closing, LedgerAccount
from .mails import Mail, MailAttempt
from .parties import Party
from .payment_requests import PaymentRequest
from .payments import Allocation, Payment
from .payouts import Payout, PayoutItem
from .quotes import Quote, QuoteLine, QuoteTerms
from .refunds import Refund
from .webhooks import WebhookAttempt, WebhookDelivery, WebhookEndpoint

__all__ = [
    "Adjustment",
    "Alert",
    "Allocation",
    "Callback",
    "Closing",
    "Customer",
    "Dispute",
    "Event",
    "GatewayCall",
    "Import",
    "Invoice",
    "InvoiceLine",
    "LedgerAccount",
    "Mail",
    "MailAttempt",
    "Party",
    "Payment",
    "PaymentRequest",
    "Payout",
    "PayoutItem",
    "Quote",
    "QuoteLine",
    "QuoteTerms",
    "Refund",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
]
