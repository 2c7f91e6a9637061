"""Sequoia's failures: its words are for programmers, and never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Made = TypeVar("Made")


def tried(work: Callable[[], Made]) -> Made | None:
    """Return what a call of pysequoia makes, None for any refusal."""
    try:
        return work()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # noqa: BLE001 - RuntimeError, and a panic in Rust is no Exception
        return None
