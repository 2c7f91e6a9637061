"""`clave team role`: make somebody an admin, or an ordinary member again."""

from __future__ import annotations

import click

from clave.cli import _team
from clave.cli._app import App, pass_app


@click.command(name="role")
@_team.confirmed
@click.argument("name", metavar="MEMBER")
@click.argument("role", metavar="ROLE", type=click.Choice(("admin", "member")))
@pass_app
def command(app: App, name: str, role: str, sure: bool, dry_run: bool) -> None:
    """Make somebody an admin, or an ordinary member again.

    An admin says who belongs to the team and who may read and write what. They may not read anything for that: rights
    are granted to them as to everybody else.
    """
    from clave.store.people import teamwork
    from clave.team import editing

    change = teamwork.Change(
        lambda roster: editing.set_role(roster, name, role), f"Make {name} {'an' if role == 'admin' else 'a'} {role}."
    )
    _team.finish(app.store, _team.carry_out(app.store, change, sure=sure, dry_run=dry_run))
