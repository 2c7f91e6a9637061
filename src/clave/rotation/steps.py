"""Which steps end a rotation, from what is found: the state machine, without the steps themselves. Pure.

What is known of a rotation is in the store alone, so whoever finds it goes on, on any machine:

- No pending file: there is no rotation. The entry is in force.
- A pending file, and the entry as it was when that was made: both values may work outside. To *resume* is to test the
  new one, and to set it if it does not work; to *abort* is to make the old one work.
- A pending file, and another entry: somebody has changed it meanwhile. Neither value is taken for the other; to resume
  is refused, and to abort makes outside work what the entry says.
- The pending file is gone and the entry has its value: it is finished, but for what comes outside after that, which may
  be done again.

Each step may come twice: a crash between two steps is that the first comes again.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Wish(StrEnum):
    """What a user wants."""

    ROTATE = "rotate"
    RESUME = "resume"
    ABORT = "abort"


class Step(StrEnum):
    """One step. What is in capitals changes the store and is shared before the next one."""

    CREATE = "create"  # the new value, committed as pending and shared: nothing outside was touched until then
    TRY = "try"  # test, where a failure leads to `set`
    SET = "set"
    TEST = "test"
    PROMOTE = "promote"  # the new value into the entry, the pending file away, in one commit, shared
    FINISH = "finish"
    ABORT = "abort"
    DROP = "drop"  # the pending file away, in one commit, shared


class Found(NamedTuple):
    """What there is in the store.

    `pending`: a rotation is under way. `unchanged`: the entry is as it was when that was begun. `finished`: there is
    none under way, and the last change of the entry was the end of one.
    """

    pending: bool
    unchanged: bool = True
    finished: bool = False


class Refusal(StrEnum):
    """Why a wish cannot be met."""

    UNDER_WAY = "under way"
    CHANGED = "changed"
    NOTHING = "nothing"


def steps(wish: Wish, found: Found) -> tuple[Step, ...] | Refusal:
    """Return the steps that meet a wish, in their order; `after_try` says how it goes on behind `TRY`."""
    if wish is Wish.ROTATE:
        return Refusal.UNDER_WAY if found.pending else (Step.CREATE, Step.SET, Step.TEST, Step.PROMOTE, Step.FINISH)
    if not found.pending:
        return (Step.TRY,) if found.finished and wish is Wish.RESUME else Refusal.NOTHING
    if wish is Wish.ABORT:
        return (Step.ABORT, Step.DROP)
    return (Step.TRY,) if found.unchanged else Refusal.CHANGED


def after_try(*, works: bool, promoted: bool = False) -> tuple[Step, ...]:
    """Return the steps behind `TRY`, by whether the new value works already, and whether the entry has it."""
    mend = () if works else (Step.SET, Step.TEST)
    return (*mend, *(() if promoted else (Step.PROMOTE,)), Step.FINISH)
