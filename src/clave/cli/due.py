"""`clave due`: what has to be done."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from clave.cli import _output
from clave.cli._app import pass_app
from clave.errors import UsageError
from clave.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, timedelta

    from clave.cli._app import App
    from clave.rotation.duties import Duty
    from clave.store.lifecycle.duties import Duties
    from clave.store.store import Store

_STYLES = {"overdue": "bad", "exposed": "bad", "under way": "warning", "soon": "warning"}


@click.command(name="due")
@click.option("--within", metavar="AGE", help="What is due in this time is soon (14d).")
@click.option("--mine", is_flag=True, help="Only what you own, as the policy says.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--ics", metavar="FILE", help="Write a calendar of all that will be due (- is stdout).")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing: the exit code says if there is something.")
@click.option("--scan", is_flag=True, help="First decrypt, once, what other programs wrote, for ends in it.")
@click.option("--notify", is_flag=True, help="Show a notification on the desktop if there is something.")
@click.option("--prompt", is_flag=True, help="Print '3 due' for a shell's prompt, if that is known at once.")
@click.argument("path", default="")
@pass_app
def command(
    app: App,
    path: str,
    within: str | None,
    mine: bool,
    as_json: bool,
    ics: str | None,
    quiet: bool,
    scan: bool,
    notify: bool,
    prompt: bool,
) -> None:
    """What has to be done: values that are too old, exposed, or about to end.

    Also rotations that were begun and not ended, and in a team keys that end and rights that were meant to. The policy
    says how old a value may be and whose duty it is (clave policy). The age is that of the value: encrypting it anew,
    moving, copying or restoring it makes it no younger. Nothing is decrypted, but with --scan. Dates are claims of
    those who committed.

    \b
    clave due prod --within 30d
    clave due --mine --notify
    clave due --ics ~/calendars/clave.ics
    """
    from datetime import date

    if prompt:
        from clave.store.lifecycle import prompt as prompts

        prompts.tell(app.store.root, mine=mine)
        return
    store, name = app.split(path) if path else (app.store, "")
    name = _checked(name)
    today, soon = date.today(), _within(within)  # noqa: DTZ011 - a day of the user's calendar
    unreadable = _scan(store) if scan else ()
    found = _look(store, name, today, soon, is_default=within is None, later=ics is not None)
    shown = found.pressing(mine=mine)
    if ics is not None:
        _write_calendar(store, ics, found.of(mine=mine) if within is None else shown)
    if as_json:
        _output.json({"today": today.isoformat(), "within_days": soon.days, "duties": list(map(_row, shown))})
    elif not quiet and ics != "-":
        for duty in shown:
            _print(duty)
        if not shown:
            _output.note("Nothing is due.")
    if notify and shown:
        from clave.desk import notify as desk

        desk.send(f"clave: {len(shown)} due", [_line(duty) for duty in shown])
    for each in unreadable:
        _output.warn(f"{each} could not be decrypted: whether it has an end of its own is not known")
    if shown or unreadable:
        click.get_current_context().exit(1)


def _look(store: Store, name: str, today: date, within: timedelta, *, is_default: bool, later: bool) -> Duties:
    from clave.store.lifecycle import duties, prompt

    found = duties.look(store, name, today, within, later=later)
    if not name and is_default:
        prompt.remember(store.root, found)
    return found


def _checked(name: str) -> str:
    from clave.model.name import check

    return check(name) if name.strip("/") else ""


def _within(text: str | None) -> timedelta:
    from clave.rotation.duties import WITHIN
    from clave.rotation.policy import age

    found = WITHIN if text is None else age(text)
    if found is None:
        raise UsageError(f"'{text}' is no time", "Such as 30d (h, d, w or y).")
    return found


def _scan(store: Store) -> Sequence[str]:
    from clave.cli._progress import Progress
    from clave.store.lifecycle import scanning

    with Progress("read") as progress:
        done = scanning.scan(store, progress)
    return done.unreadable


def _write_calendar(store: Store, file: str, duties: Sequence[Duty]) -> None:
    import os
    from datetime import UTC, datetime

    from clave.config import write_private
    from clave.rotation import calendar

    data = calendar.write(duties, datetime.now(UTC), os.path.realpath(store.root))
    if file == "-":
        _output.value(data)
    else:
        write_private(os.path.abspath(file), data)


def _print(duty: Duty) -> None:
    label = _output.paint(f"{duty.state:9}", _STYLES[duty.state], sys.stdout)
    _output.line(f"{label} {printable(_line(duty))}")
    _output.line(f"          → {printable(duty.mend)}")


def _line(duty: Duty) -> str:
    about = ", ".join(filter(None, (_when(duty), *duty.owners)))
    return f"{duty.name}: {duty.why}" + (f" ({about})" if about else "")


def _when(duty: Duty) -> str:
    return f"{'on' if duty.state == 'soon' else 'since'} {duty.when}" if duty.when else ""


def _row(duty: Duty) -> dict[str, object]:
    return {
        "kind": duty.kind,
        "state": duty.state,
        "name": duty.name,
        "when": duty.when and duty.when.isoformat(),
        "owners": list(duty.owners),
        "why": duty.why,
        "mend": duty.mend,
    }
