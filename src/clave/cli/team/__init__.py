"""`clave team …`: who belongs to the team of a store."""

from __future__ import annotations

from clave.cli._commands import Row
from clave.cli._lazy import LazyGroup

command = LazyGroup(
    "team",
    package="clave.cli.team",
    sections={
        "Commands": {
            "init": Row("init", "Make a store a team's: who may read and write is signed from now on."),
            "approve": Row("approve", "Let somebody in who asked to join."),
        }
    },
    help="""Who belongs to the team of a store.

    The roster of a team says who its members are, with which keys, and who may read and write which folder. It is
    signed by an admin, every commit is signed by its author, and both are checked before anything is used.
    """,
)
