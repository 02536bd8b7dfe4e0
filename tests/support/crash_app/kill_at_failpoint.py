"""A trap for one act: it notes the stop points that the act passes, and kills the process at one of them.

It lies as a file in the home of a house. The first act of its name that passes a stop point is caught, so neither
its repeats nor its neighbors are. A stop point is noted before anything else happens there: the last line says
where a process died.
"""

from __future__ import annotations

import json
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class KillSwitch:
    """The one trap of a house, as the test sets it and as the processes find it."""

    home: Path

    def set(self, act: str, *, kill_at: int) -> None:
        """Catch the next act of this name, and kill its process at its `kill_at`-th stop point; never for 0."""
        for path in (self._claimed, self._log):
            path.unlink(missing_ok=True)
        written = self.home / "trap.written"
        written.write_text(json.dumps({"act": act, "kill_at": kill_at}))
        written.replace(self._armed)

    def claim(self, act: str) -> int | None:
        """Where to kill it, if the trap is for this act and has caught nobody yet."""
        try:
            kill_switch = json.loads(self._armed.read_text())
            if kill_switch["act"] != act:
                return None
            self._armed.rename(self._claimed)
        except FileNotFoundError:
            return None
        return int(kill_switch["kill_at"])

    def note(self, stop: str) -> None:
        """One more stop point was passed."""
        with self._log.open("a") as notes:
            notes.write(f"{stop}\n")

    def finish(self) -> None:
        """The act has come to its end."""
        self._claimed.unlink()

    def passed(self) -> tuple[str, ...]:
        """The stop points that were passed so far, in their order."""
        return tuple(self._log.read_text().splitlines()) if self._log.exists() else ()

    def is_finished(self) -> bool:
        """Whether the act was caught and came to its end."""
        return not (self._armed.exists() or self._claimed.exists())

    @property
    def _armed(self) -> Path:
        return self.home / "kill_switch"

    @property
    def _claimed(self) -> Path:
        return self.home / "trap.shut"

    @property
    def _log(self) -> Path:
        return self.home / "trap.notes"


@dataclass
class ActTracker:
    """Goes with one act of this process from stop point to stop point."""

    kill_switch: KillSwitch
    act: str
    passed: int = field(default=0, init=False)
    kill_at: int | None = field(default=None, init=False)

    def __call__(self, stop: str) -> None:
        """The act passes a stop point, if it gets past it."""
        self.passed += 1
        if self.passed == 1:
            self.kill_at = self.kill_switch.claim(self.act)
        if self.kill_at is None:
            return
        self.kill_switch.note(stop)
        if self.passed == self.kill_at:
            os.killpg(0, signal.SIGKILL)

    def end(self) -> None:
        """The act is over."""
        if self.kill_at is not None:
            self.kill_switch.finish()
