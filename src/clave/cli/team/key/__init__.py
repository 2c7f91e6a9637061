"""`clave team key …`: the keys of members, for admins."""

from __future__ import annotations

from clave.cli._commands import Row
from clave.cli._lazy import LazyGroup

command = LazyGroup(
    "key",
    package="clave.cli.team.key",
    sections={
        "Commands": {
            "add": Row("add", "Give a member one more key."),
            "replace": Row("replace", "Give a member another key instead of one that is gone."),
        }
    },
    help="""The keys of members.

    For admins. A member's own keys, and a newer copy of a key: `clave key`.
    """,
)
