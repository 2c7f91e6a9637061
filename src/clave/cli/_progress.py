"""How far a long piece of work is: a bar on stderr (rich), on a terminal, once it takes more than a second.

It is drawn when something is done and not by a clock of its own: a pinentry may have the terminal in between.
"""

from __future__ import annotations

import sys
from time import monotonic
from typing import TYPE_CHECKING

from clave.cli import _output

if TYPE_CHECKING:
    from typing import Self

    from rich.progress import Progress as Bar
    from rich.progress import TaskID

_PATIENCE = 1.0  # seconds before anything is shown
_INTERVAL = 0.1  # seconds between two changes of the bar


class Progress:
    """Call it with how many of how many are done; `clear` takes the bar away until the next call."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._next = monotonic() + _PATIENCE if _output.redraws(sys.stderr) else float("inf")
        self._shown: tuple[Bar, TaskID] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def __call__(self, done: int, total: int) -> None:
        """Show how many of how many are done, if it is time to."""
        now = monotonic()
        if now < self._next:
            return
        self._next = now + _INTERVAL
        bar, task = self._shown or self._begin()
        bar.update(task, completed=done, total=total, refresh=True)

    def clear(self) -> None:
        """Take the bar away, so that something else can be written."""
        if self._shown:
            self._shown[0].stop()
            self._shown = None

    def _begin(self) -> tuple[Bar, TaskID]:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        bar = Bar(*columns, console=Console(stderr=True), auto_refresh=False, transient=True)
        self._shown = bar, bar.add_task(self._what, total=None)
        bar.start()
        return self._shown
