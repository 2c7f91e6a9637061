"""Changes of a team, from a command: shown first, made when they are confirmed, told after.

`--yes` answers none of the questions here: who may read what is not "overwrite?". `--sure` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _ask, _output
from clave.cli._progress import Progress
from clave.cli._remote import Waiting
from clave.errors import Finding, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from clave.store.people.teamwork import Change, Done, Preview, Shift
    from clave.store.store import Store

_NAMED = 10  # entries that a message names


def confirmed(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--sure` and `--dry-run`."""
    function = click.option("--dry-run", is_flag=True, help="Only show what would be done.")(function)
    return click.option("--sure", is_flag=True, help="Do not ask.")(function)


def carry_out(store: Store, change: Change, *, sure: bool, dry_run: bool) -> Done | None:
    """Show a change, ask, make it, and say what was done; None where there was nothing to do, or only to look at.

    What is not shared yet or was left for others to finish is for `finish` to tell.
    """
    from clave.store.people import teamwork
    from clave.store.share import sharing

    seen = teamwork.preview(store, change)
    if not seen.lines:
        _output.note("Nothing to do: it is so already.")
        waiting = sharing.to_share(store)
        if waiting:
            _output.note(waiting)
        return None
    for line in lines(seen):
        _output.note(line)
    if dry_run:
        return None
    ask("Do that?", sure=sure)
    with Progress("re-encrypted") as progress, Waiting() as wait:
        done = teamwork.make(store, change, seen, progress=progress, told=wait)
    if not done.preview.lines:
        _output.note("Nothing to do: somebody else has done it meanwhile.")
    else:
        again = f", {entries(len(done.renewed))} encrypted anew" if done.renewed else ""
        _output.note(f"Done in roster {done.preview.after.seq}{again}.")
    return done


def ask(question: str, *, sure: bool) -> None:
    """Ask whether a change shall be made. Raises UsageError where nobody can be asked, Finding for a no."""
    if sure:
        return
    if not _ask.interactive():
        raise UsageError("there is no terminal to ask on, and nothing was changed", "To do it unasked: --sure.")
    if not _ask.confirm(question):
        raise Finding("nothing was changed")


def finish(store: Store, done: Done | None) -> None:
    """End a command. Raises what keeps the change from the others, and Finding for entries that are left to them."""
    if done and done.unshared:
        raise done.unshared
    if done and done.preview.left:
        raise left(store, done.preview.left)


def left(store: Store, names: Sequence[str]) -> Finding:
    """Return that entries have other recipients than the roster says, and who can mend that."""
    roster = store.team().roster
    able = {member.name for member in roster.members}
    for folder in {name.rpartition("/")[0] for name in names}:
        able &= set(roster.readers(folder)) & set(roster.writers(folder))
    shown = ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
    is_are, them = ("is", "it") if len(names) == 1 else ("are", "them")
    return Finding(
        f"{entries(len(names))} {is_are} not encrypted as the roster says, and you cannot do it: {shown}",
        f"Who reads and writes {them} does ({', '.join(sorted(able)) or 'nobody alone'}): clave rekey.",
    )


def lines(seen: Preview) -> list[str]:
    """Return what a change does, for people."""
    said = list(seen.lines)
    for who, gains in dict.fromkeys((shift.who, shift.gains) for shift in seen.shifts):
        mine = [shift for shift in seen.shifts if (shift.who, shift.gains) == (who, gains)]
        said.append(f"{who} {'gains' if gains else 'loses'}: {', '.join(_places(mine))}")
    if seen.renewed:
        said.append(f"{entries(len(seen.renewed))} to encrypt anew")
    if seen.left:
        said.append(f"{entries(len(seen.left))} that you cannot encrypt anew: others have to")
    return said


def _places(shifts: Iterable[Shift]) -> list[str]:
    """Return the folders of shifts: `prod (read and write, 12 entries)`."""
    rights: dict[tuple[str, int], list[str]] = {}
    for shift in shifts:
        rights.setdefault((shift.folder, shift.entries), []).append(shift.right)
    return [f"{path or '.'} ({' and '.join(sorted(each))}, {entries(count)})" for (path, count), each in rights.items()]


def entries(count: int) -> str:
    """Return `1 entry`, `2 entries`."""
    return f"{count} {'entry' if count == 1 else 'entries'}"
