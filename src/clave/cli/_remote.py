"""What a slow remote says while one waits for it: on one line of the terminal, once it takes more than a second."""

from __future__ import annotations

import shutil
import sys
from time import monotonic
from typing import TYPE_CHECKING

from clave.cli import _output
from clave.model.text import printable

if TYPE_CHECKING:
    from typing import Self

_PATIENCE = 1.0  # seconds before anything is shown


class Waiting:
    """Call it with what git says; nothing of it stays on the terminal."""

    def __init__(self) -> None:
        self._from = monotonic() + _PATIENCE if _output.redraws(sys.stderr) else float("inf")
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def __call__(self, line: str) -> None:
        """Show a line in the place of the one before."""
        if monotonic() >= self._from:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write(f"\r\x1b[2K{printable(line)[:width]}")
            sys.stderr.flush()
            self._shown = True

    def clear(self) -> None:
        """Take the line away, so that something else can be written."""
        if self._shown:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
            self._shown = False
