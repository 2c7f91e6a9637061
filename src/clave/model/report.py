"""What a check of the set-up found (`clave doctor`)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SOON = 30 * 24 * 3600  # seconds before a key's expiry from which on it needs attention


class Level(StrEnum):
    """How much a report matters: only ATTENTION makes `doctor` exit with 1."""

    GOOD = "good"
    NOTE = "note"
    ATTENTION = "attention"


@dataclass(frozen=True)
class Report:
    """What one check found.

    `check` is a stable word for programs, `text` what is so, `mend` the next step, `paths` the files that
    are meant (in a store: relative to it), `fix` what mends it without a loss and without a question.
    """

    check: str
    level: Level
    text: str
    mend: str | None = None
    paths: tuple[str, ...] = ()
    fix: Callable[[], None] | None = None


def good(check: str, text: str) -> Report:
    """Return the report that all is well."""
    return Report(check, Level.GOOD, text)


def note(check: str, text: str, mend: str | None = None) -> Report:
    """Return a report of something worth knowing, which may stay as it is."""
    return Report(check, Level.NOTE, text, mend)


def attention(
    check: str, text: str, mend: str | None, paths: tuple[str, ...] = (), fix: Callable[[], None] | None = None
) -> Report:
    """Return a report of something that does not work, will stop to soon, or exposes something."""
    return Report(check, Level.ATTENTION, text, mend, paths, fix)


def expiry(check: str, who: str, expires: int | None, mend: str) -> Report:
    """Return a report on a key that is valid now and expires then (Unix seconds; None: never)."""
    if expires is None:
        return good(check, f"{who} does not expire")
    text = f"{who} expires on {time.strftime('%Y-%m-%d', time.gmtime(expires))}"
    return attention(check, text, mend) if expires - time.time() < SOON else good(check, text)
