"""Rules of the journal: an owner closes it up to yesterday, and opens the last closed day again."""

from __future__ import annotations

from datetime import date

from hypothesis.stateful import precondition, rule

from partway.billing.journal import closing
from tests.model.journal_model import DAY
from tests.model.state_machine import PartwayMachine
from tests.model.strategies import rarely


class JournalRules(PartwayMachine):
    """Closes and reopens the journal."""

    @precondition(rarely)
    @rule()
    def close_journal(self) -> None:
        through, closed = self.now.date() - DAY, self.journal.closed
        self.act(
            "close journal",
            lambda: self._set_closed(max(through, closed or through)),
            lambda: closing.close(
                self.organization, through=through, expected=closed, by=self.members[0], now=self.now
            ),
        )

    @precondition(lambda self: rarely(self) and self.journal.closed)
    @rule()
    def reopen_journal(self) -> None:
        closed = self.journal.closed or self.now.date()
        self.act(
            "reopen journal",
            lambda: self._set_closed(closed - DAY),
            lambda: closing.reopen(
                self.organization,
                since=closed,
                expected=closed,
                reason="A transfer came to light.",
                by=self.members[0],
                now=self.now,
            ),
        )

    def _set_closed(self, day: date) -> None:
        self.journal.closed = day
