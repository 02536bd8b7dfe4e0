"""A kill switch for one act: records the failpoints that the act passes, and kills the process at one of them.

It is a file in the home of the installation. The first act of its name that passes a failpoint claims it, so that
repetitions and other acts do not. A failpoint is recorded before the process is killed there, so the last line says
where it died.
"""

from __future__ import annotations

import json
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class KillSwitch:
    """The kill switch of an installation: a test sets it, the processes read it."""

    home: Path

    def set(self, act: str, *, kill_at: int) -> None:
        """Tracks the next act of this name, and kills its process at its `kill_at`-th failpoint; never for 0."""
        for path in (self._claimed, self._log):
            path.unlink(missing_ok=True)
        written = self.home / "kill_switch.new"
        written.write_text(json.dumps({"act": act, "kill_at": kill_at}))
        written.replace(self._armed)

    def claim(self, act: str) -> int | None:
        """Returns where to kill this act, if the switch is for it and not used yet."""
        try:
            kill_switch = json.loads(self._armed.read_text())
            if kill_switch["act"] != act:
                return None
            self._armed.rename(self._claimed)
        except FileNotFoundError:
            return None
        return int(kill_switch["kill_at"])

    def note(self, stop: str) -> None:
        """Records that a failpoint was passed."""
        with self._log.open("a") as notes:
            notes.write(f"{stop}\n")

    def finish(self) -> None:
        """Records that the act has finished."""
        self._claimed.unlink()

    def passed(self) -> tuple[str, ...]:
        """Returns the failpoints passed so far, in order."""
        return tuple(self._log.read_text().splitlines()) if self._log.exists() else ()

    def is_finished(self) -> bool:
        """Returns whether the act was tracked and has finished."""
        return not (self._armed.exists() or self._claimed.exists())

    @property
    def _armed(self) -> Path:
        return self.home / "kill_switch"

    @property
    def _claimed(self) -> Path:
        return self.home / "kill_switch.tripped"

    @property
    def _log(self) -> Path:
        return self.home / "kill_switch.passed"


@dataclass
class ActTracker:
    """Tracks one act of this process across its failpoints."""

    kill_switch: KillSwitch
    act: str
    passed: int = field(default=0, init=False)
    kill_at: int | None = field(default=None, init=False)

    def __call__(self, stop: str) -> None:
        """Records a failpoint, or kills the process there."""
        self.passed += 1
        if self.passed == 1:
            self.kill_at = self.kill_switch.claim(self.act)
        if self.kill_at is None:
            return
        self.kill_switch.note(stop)
        if self.passed == self.kill_at:
            os.killpg(0, signal.SIGKILL)

    def end(self) -> None:
        """Records the end of the act."""
        if self.kill_at is not None:
            self.kill_switch.finish()
