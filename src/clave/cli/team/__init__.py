"""`clave team …`: who belongs to the team of a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli._commands import Row
from clave.cli._lazy import LazyGroup

if TYPE_CHECKING:
    from clave.cli._app import App


def _bare(*, as_json: bool) -> None:
    """Show the team, where no command is named."""
    ctx = click.get_current_context()
    if ctx.invoked_subcommand is None:
        from clave.cli.team._overview import show

        app: App = ctx.obj
        show(app.store, as_json=as_json)


command = LazyGroup(
    "team",
    package="clave.cli.team",
    sections={
        "Commands": {
            "init": Row("init", "Make a store a team's: who may read and write is signed from now on."),
            "approve": Row("approve", "Let somebody in who asked to join."),
            "add": Row("add", "Make somebody a member of the team."),
            "remove": Row("remove", "Take somebody out of the team.", ("rm",)),
            "machine": Row("machine", "Make a key for a machine, which may read some folders."),
            "key": Row("key", "The keys of members."),
            "role": Row("role", "Make somebody an admin, or an ordinary member again."),
            "log": Row("log", "How the team came to be what it is.", ("history",)),
        }
    },
    callback=_bare,
    invoke_without_command=True,
    params=[click.Option(["--json", "as_json"], is_flag=True, help="Print JSON; without a command.")],
    subcommand_metavar="[COMMAND] …",
    help="""Who belongs to the team of a store.

    The roster of a team says who its members are, with which keys, and who may read and write which folder. It is
    signed by an admin, every commit is signed by its author, and both are checked before anything is used.

    Without a command: the members, their roles and keys, and what needs somebody's attention.
    """,
)
