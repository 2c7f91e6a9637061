"""`clave key …`: the user's own keys in the team of a store."""

from __future__ import annotations

from clave.cli._commands import Row
from clave.cli._lazy import LazyGroup

command = LazyGroup(
    "key",
    package="clave.cli.key",
    sections={
        "Commands": {
            "add": Row("add", "Use another key of yours too."),
            "renew": Row("renew", "Give the store the newest copy of your key."),
        }
    },
    help="""Your own keys in the team of a store.

    A member may have several keys, of several machines for example: what the member may read is encrypted to each of
    them. The store has a copy of each key, and what that copy says counts: its expiry, its subkeys.
    """,
)
