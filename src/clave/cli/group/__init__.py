"""`clave group …`: several members under one name."""

from __future__ import annotations

from clave.cli._commands import Row
from clave.cli._lazy import LazyGroup

command = LazyGroup(
    "group",
    package="clave.cli.group",
    default="list",
    sections={
        "Commands": {
            "list": Row("list", "List the groups of a team and what they may.", ("ls",)),
            "add": Row("add", "Put members into a group."),
            "remove": Row("remove", "Take members out of a group, or remove it.", ("rm",)),
        }
    },
    subcommand_metavar="[COMMAND] …",
    help="""Several members under one name.

    A group gets rights as a member does, with @ before its name: `clave grant @ops prod`. Whoever joins it gains what
    it may read, and whoever leaves it loses that: it is encrypted anew. `group` alone is `group list`.

    \b
    clave group add ops bob carol
    clave grant @ops prod --write
    """,
)
