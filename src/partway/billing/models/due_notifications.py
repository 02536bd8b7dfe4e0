"""Triggers that notify the workers on PostgreSQL when a row becomes due, in the transaction that makes it so.

They are on the tables, so no act that queues a mail or brings a refresh forward has to think of them, and a statement
more is not sent. On SQLite there are none: its worker looks twice a second (docs/decisions/0078-worker-throughput.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation

from .payments import UNSETTLED

__all__ = ["CHANNEL", "NOTICE_SECONDS", "TRIGGERS", "CreateDueNotifications"]

CHANNEL = "partway_due"
# A row that is due later than this is found by the round of each worker that begins before: none rests for longer.
NOTICE_SECONDS = 10


@dataclass(frozen=True, slots=True)
class DueTrigger:
    """Notifies of the jobs of a kind when `column` of a row that fulfils `condition` comes near."""

    kind: str
    table: str
    column: str
    condition: str = "true"


_IS_UNSETTLED = f"NEW.status IN {tuple(map(str, UNSETTLED))}"
TRIGGERS = (
    DueTrigger("mails", "billing_mail", "next_attempt_at", "NEW.status = 'queued'"),
    DueTrigger("webhooks", "billing_webhookdelivery", "next_attempt_at", "NEW.status = 'pending'"),
    DueTrigger("callbacks", "billing_callback", "next_attempt_at", "NEW.status = 'pending'"),
    DueTrigger("unsettled_payments", "billing_payment", "next_refresh_at", _IS_UNSETTLED),
    DueTrigger("pending_refunds", "billing_refund", "next_refresh_at", "NEW.status = 'pending'"),
    DueTrigger("gateway_lists", "accounts_gatewayaccount", "reconcile_at"),
    DueTrigger("payouts", "accounts_gatewayaccount", "payouts_due_at"),
    DueTrigger("imports", "billing_import", "next_attempt_at"),
)

_FUNCTION = f"""CREATE OR REPLACE FUNCTION partway_notify_of_due() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_notify('{CHANNEL}', TG_ARGV[0]); RETURN NULL; END $$"""


class CreateDueNotifications(Operation):
    """Creates the triggers."""

    reversible = True

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Changes no model."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        """Creates them on PostgreSQL."""
        if schema_editor.connection.vendor != "postgresql":
            return
        schema_editor.execute(_FUNCTION)
        soon = f"clock_timestamp() + interval '{NOTICE_SECONDS} seconds'"
        for each in TRIGGERS:
            schema_editor.execute(
                f'CREATE TRIGGER "{each.table}_{each.kind}" '
                f'AFTER INSERT OR UPDATE OF "{each.column}" ON "{each.table}" FOR EACH ROW '
                f'WHEN ({each.condition} AND NEW."{each.column}" < {soon}) '
                f"EXECUTE FUNCTION partway_notify_of_due('{each.kind}')"
            )

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        """Removes them."""
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute("DROP FUNCTION IF EXISTS partway_notify_of_due() CASCADE")

    def describe(self) -> str:
        """Says what it does, for `migrate --plan`."""
        return "Create the triggers that notify the workers"
