"""What a command has to tell besides its answer: left where it is noticed, told once at the end, in that order."""

from __future__ import annotations

_left: dict[str, None] = {}


def leave(line: str) -> None:
    """Have a line told at the end. Left again, it is told once."""
    _left[line] = None


def take() -> list[str]:
    """Return what was left, and forget it."""
    lines = list(_left)
    _left.clear()
    return lines
