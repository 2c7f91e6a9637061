"""`clave exposure …`: which values somebody who is gone knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clave.cli._commands import Row
from clave.cli._lazy import LazyGroup

if TYPE_CHECKING:
    import click


class _Exposure(LazyGroup):
    """`exposure WHO` is `exposure list WHO`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments, having put the command there that was left out."""
        if args and args[0] not in {*self.rows, *self.aliases, *ctx.help_option_names}:
            args = ["list", *args]
        return super().parse_args(ctx, args)


command = _Exposure(
    "exposure",
    package="clave.cli.exposure",
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
