"""`clave exposure …`: which values somebody who is gone knows."""

from __future__ import annotations

from clave.cli._commands import Row
from clave.cli._lazy import LazyGroup

command = LazyGroup(
    "exposure",
    package="clave.cli.exposure",
    default="list",
    default_takes_words=True,
    sections={
        "Commands": {
            "list": Row("list", "Which values in use somebody could ever read, or wrote."),
            "accept": Row("accept", "Say that a value stays as it is, though somebody knows it."),
        }
    },
    subcommand_metavar="[COMMAND] …",
    help="""Which values somebody who is gone knows.

    `exposure WHO` is `exposure list WHO`. Old ciphertext stays in git, and whoever could open it once can open it for
    ever. So what somebody could read is not taken back by removing them, but by changing it.
    """,
)
