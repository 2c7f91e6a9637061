"""`clave group remove NAME [MEMBER…]`."""

from __future__ import annotations

import click

from clave.cli import _team
from clave.cli._app import App, pass_app


@click.command(name="remove")
@_team.confirmed
@click.argument("name", metavar="GROUP")
@click.argument("members", metavar="[MEMBER]…", nargs=-1)
@pass_app
def command(app: App, name: str, members: tuple[str, ...], sure: bool, dry_run: bool) -> None:
    """Take members out of a group, or remove it.

    Without MEMBER the group goes, with all its rights. What it could read is encrypted anew for those who still may.
    """
    from clave.store.people import teamwork
    from clave.team import editing

    group = name.removeprefix("@")
    if members:
        change = teamwork.Change(
            lambda roster: editing.remove_from_group(roster, group, members),
            f"Take {', '.join(members)} out of the group {group}.",
        )
    else:
        change = teamwork.Change(lambda roster: editing.remove_group(roster, group), f"Remove the group {group}.")
    _team.finish(app.store, _team.carry_out(app.store, change, sure=sure, dry_run=dry_run))
