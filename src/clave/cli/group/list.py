"""`clave group list`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _output
from clave.cli._app import pass_app
from clave.model.text import printable

if TYPE_CHECKING:
    from clave.cli._app import App
    from clave.team.roster import Roster


@click.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_app
def command(app: App, as_json: bool) -> None:
    """List the groups of a team and what they may."""
    roster = app.store.team().roster
    if as_json:
        rows = [
            {"name": each.name, "members": list(each.members), **_rights(roster, f"@{each.name}")}
            for each in roster.groups
        ]
        _output.json({"groups": rows})
        return
    for each in roster.groups:
        rights = _rights(roster, f"@{each.name}")
        may = "; ".join(
            f"{right} {', '.join(path or '.' for path in paths)}" for right, paths in rights.items() if paths
        )
        said = f"@{each.name}: {', '.join(each.members) or 'nobody'}" + (f" (may {may})" if may else "")
        _output.line(printable(said))
    if not roster.groups:
        _output.note("There are no groups. Make one: clave group add NAME MEMBER…")


def _rights(roster: Roster, who: str) -> dict[str, list[str]]:
    """Return the folders on which a group has rights, by right."""
    return {
        "read": [folder.path for folder in roster.folders if who in {grant.who for grant in folder.read}],
        "write": [folder.path for folder in roster.folders if who in {grant.who for grant in folder.write}],
    }
