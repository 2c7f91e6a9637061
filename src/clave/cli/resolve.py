"""`clave resolve`: choose between two versions of an entry."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from clave.cli import _ask, _output
from clave.cli._app import pass_app
from clave.cli._checks import exclusive
from clave.errors import Finding, UsageError
from clave.model.text import printable

if TYPE_CHECKING:
    from clave.cli._app import App
    from clave.model.difference import Difference
    from clave.store.share.conflicts import Sides


@click.command(name="resolve")
@click.option("--ours", is_flag=True, help="Take the version that is kept beside the entry.")
@click.option("--theirs", is_flag=True, help="Take the version at the entry.")
@click.option("--show", "reveal", is_flag=True, help="Show the secret values, too.")
@click.argument("name")
@pass_app
def command(app: App, name: str, *, ours: bool, theirs: bool, reveal: bool) -> None:
    """Choose between the two versions of an entry that could not be brought together.

    Shows what differs, field by field, and asks: ours (the version beside the entry, NAME.conflict-…), theirs (the one
    at the entry), field by field, or both in your editor. What was kept beside the entry goes in the same commit.
    """
    from clave.store.share import conflicts

    exclusive(ours=ours, theirs=theirs)
    store, name = app.split(name)
    seen = conflicts.sides(store, name)
    if ours or theirs:
        choice = seen.ours if ours else seen.theirs
    else:
        if not _ask.interactive():
            raise UsageError("there is no terminal to ask on", "Say --ours or --theirs.")
        choice = _asked(seen, reveal=reveal)
    conflicts.resolve(store, seen, choice)
    _output.note(f"{printable(seen.conflict.name)} is settled.")


def _asked(seen: Sides, *, reveal: bool) -> bytes | None:
    _show(seen, reveal=reveal)
    words = "[o]urs, [t]heirs, [f]ield by field, [e]dit, [s]how the secret values, [q]uit: "
    while True:
        answer = _ask.line(words).strip().lower()[:1]
        try:
            match answer:
                case "o":
                    return seen.ours
                case "t":
                    return seen.theirs
                case "f":
                    return _field_by_field(seen)
                case "e":
                    return _edited(seen)
                case "s":
                    _show(seen, reveal=True)
                case "q":
                    raise Finding(f"{seen.conflict.name} is as it was, twice")
        except UsageError as failure:
            _output.note(failure.line())


def _show(seen: Sides, *, reveal: bool) -> None:
    if seen.theirs is None:
        _output.line(f"{printable(seen.conflict.name)} was removed by somebody, and changed by somebody else.")
    for each in seen.differences:
        _output.line(f"{_output.paint(printable(each.part), 'bold', sys.stdout)}")
        _output.line(f"  theirs  {_value(each, each.old, reveal=reveal)}")
        _output.line(f"  ours    {_value(each, each.new, reveal=reveal)}")


def _value(each: Difference, value: bytes | None, *, reveal: bool) -> str:
    if value is None:
        return "(nothing)"
    if each.secret and not reveal:
        return "(secret)"
    return printable(value.decode("utf-8", "surrogateescape"), keep="\n").replace("\n", "\n          ")


def _field_by_field(seen: Sides) -> bytes:
    from clave.store.share import conflicts

    conflicts.assembled(seen, ())  # whether there are fields, before anything is asked
    chosen = []
    for each in seen.differences:
        while True:
            answer = _ask.line(f"{printable(each.part)}: [o]urs or [t]heirs? ").strip().lower()[:1]
            if answer in ("o", "t"):
                break
        if answer == "o":
            chosen.append(each.part)
    return conflicts.assembled(seen, chosen)


def _edited(seen: Sides) -> bytes:
    """Return what the user makes, in the editor, of theirs with what differs in ours below it."""
    from clave.desk import editor

    theirs = seen.theirs or b""
    ours = [each.new for each in seen.differences if each.new]
    text = theirs + (b"" if theirs.endswith(b"\n") or not theirs else b"\n") + b"\n".join(ours) + b"\n"
    with editor.session(text, seen.conflict.name) as session:
        return session.run()
