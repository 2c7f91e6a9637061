"""How far a long piece of work is: one line on stderr, on a terminal, once it takes more than a second."""

from __future__ import annotations

import sys
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self

_PATIENCE = 1.0  # seconds before anything is shown
_INTERVAL = 0.1  # seconds between two changes of the line


class Progress:
    """Call it with how many of how many are done; `clear` takes the line away until the next call."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._next = monotonic() + _PATIENCE if sys.stderr.isatty() else float("inf")
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def __call__(self, done: int, total: int) -> None:
        """Show how many of how many are done, if it is time to."""
        now = monotonic()
        if now >= self._next:
            self._next = now + _INTERVAL
            self._shown = True
            sys.stderr.write(f"\r{self._what}: {done} of {total}\x1b[K")
            sys.stderr.flush()

    def clear(self) -> None:
        """Take the line away, so that something else can be written."""
        if self._shown:
            self._shown = False
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
