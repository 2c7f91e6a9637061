"""`clave revoke`: take rights on a folder from somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _output, _team
from clave.cli._app import pass_app
from clave.errors import Finding

if TYPE_CHECKING:
    from clave.cli._app import App


@click.command(name="revoke")
@click.option("--write", is_flag=True, help="Take only the right to write.")
@_team.confirmed
@click.argument("who")
@click.argument("folder")
@pass_app
def command(app: App, who: str, folder: str, write: bool, sure: bool, dry_run: bool) -> None:
    """Take rights on a folder from somebody.

    WHO is a member, or a group with @ before its name; `.` is the whole store. What they could read is encrypted
    anew for those who still may, in one signed commit. It is shown first. A right that comes from a folder above or
    through a group is taken there; the answer says where.

    What they have read they know, and old versions stay readable to them in the history: change those values.
    """
    from clave.store.people import teamwork
    from clave.team import editing

    store, path = app.split(folder)
    path = teamwork.folder(store, path)
    rights = (editing.WRITE,) if write else editing.BOTH
    change = teamwork.Change(
        lambda roster: editing.revoke(roster, who, path, rights),
        f"Let {who} no more {' or '.join(rights)} {path or 'the store'}.",
    )
    done = _team.carry_out(store, change, sure=sure, dry_run=dry_run)
    if done and done.renewed:
        _output.note(
            f"Old ciphertext stays in git: what {who} could read until now is known to them until it is changed."
        )
    _team.finish(store, done)
    if done:
        for right in rights:
            for way in editing.ways(done.preview.after, who, path, right):
                raise Finding(*editing.kept(who, path, right, way))
