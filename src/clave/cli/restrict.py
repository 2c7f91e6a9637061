"""`clave restrict`: end that a folder inherits the rights on those above it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _output, _team
from clave.cli._app import pass_app

if TYPE_CHECKING:
    from clave.cli._app import App


@click.command(name="restrict")
@click.option("--undo", is_flag=True, help="Let it inherit again.")
@click.option("--new", is_flag=True, help="The folder need not be there yet.")
@_team.confirmed
@click.argument("folder")
@pass_app
def command(app: App, folder: str, undo: bool, new: bool, sure: bool, dry_run: bool) -> None:
    """End that a folder inherits the rights on those above it.

    Who may read and write FOLDER now keeps that, as a right on the folder itself; who gets rights above it later gets
    none here. Take what is too much with `clave revoke`. --undo lets the folder inherit again, and everybody who has
    rights above it gains them here.
    """
    from clave.store.people import teamwork
    from clave.team import editing

    store, path = app.split(folder)
    path = teamwork.folder(store, path, new=new)
    edit = editing.unrestrict if undo else editing.restrict
    change = teamwork.Change(
        lambda roster: edit(roster, path), f"Let {path or 'the store'} inherit rights {'again' if undo else 'no more'}."
    )
    done = _team.carry_out(store, change, sure=sure, dry_run=dry_run)
    if done and not undo:
        readers = ", ".join(done.preview.after.readers(path))
        _output.note(f"Readers of {path}: {readers}. Take one out: clave revoke WHO {path}")
    _team.finish(store, done)
