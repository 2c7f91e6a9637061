"""`clave group add NAME MEMBER…`."""

from __future__ import annotations

import click

from clave.cli import _team
from clave.cli._app import App, pass_app


@click.command(name="add")
@_team.confirmed
@click.argument("name", metavar="GROUP")
@click.argument("members", metavar="MEMBER…", nargs=-1, required=True)
@pass_app
def command(app: App, name: str, members: tuple[str, ...], sure: bool, dry_run: bool) -> None:
    """Put members into a group.

    A group that is not there yet is made. What it may read is encrypted anew for the new ones too.
    """
    from clave.store.people import teamwork
    from clave.team import editing

    group = name.removeprefix("@")
    change = teamwork.Change(
        lambda roster: editing.add_to_group(roster, group, members), f"Add {', '.join(members)} to the group {group}."
    )
    _team.finish(app.store, _team.carry_out(app.store, change, sure=sure, dry_run=dry_run))
