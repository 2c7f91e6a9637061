"""`clave grant`: let somebody read, or also write, a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _team
from clave.cli._app import pass_app
from clave.cli._checks import exclusive
from clave.errors import UsageError

if TYPE_CHECKING:
    from datetime import date

    from clave.cli._app import App


@click.command(name="grant")
@click.option("--write", is_flag=True, help="Let them write it too.")
@click.option("--write-only", is_flag=True, help="Let them write it, not read it.")
@click.option("--until", metavar="DATE", help="A reminder: the day (YYYY-MM-DD) up to which it is meant to last.")
@click.option("--new", is_flag=True, help="The folder need not be there yet.")
@_team.confirmed
@click.argument("who")
@click.argument("folder")
@pass_app
def command(
    app: App,
    who: str,
    folder: str,
    *,
    write: bool,
    write_only: bool,
    until: str | None,
    new: bool,
    sure: bool,
    dry_run: bool,
) -> None:
    """Let somebody read, or also write, a folder.

    WHO is a member, or a group with @ before its name. FOLDER and all below it become readable: `.` is the whole
    store. Everything that they gain is encrypted anew, in one signed commit. It is shown first.

    --until takes nothing away by itself: `clave team`, and every command that writes, say what has lapsed.
    """
    from clave.store.people import teamwork
    from clave.team import editing

    exclusive(write=write, write_only=write_only)
    store, path = app.split(folder)
    path = teamwork.folder(store, path, new=new)
    rights = (editing.WRITE,) if write_only else editing.BOTH if write else (editing.READ,)
    end = _date(until)
    change = teamwork.Change(
        lambda roster: editing.grant(roster, who, path, rights, end),
        f"Let {who} {' and '.join(rights)} {path or 'the store'}.",
    )
    _team.finish(store, _team.carry_out(store, change, sure=sure, dry_run=dry_run))


def _date(text: str | None) -> date | None:
    from datetime import date

    if text is None:
        return None
    try:
        until = date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"'{text}' is no date", "Write it as 2027-01-31.") from None
    if until < date.today():  # noqa: DTZ011 - a day of the user's calendar
        raise UsageError(f"{until} has passed", "Name a day to come.")
    return until
