"""`clave otp …`: one-time codes, with the commands of pass-otp."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clave.cli._commands import Row
from clave.cli._lazy import LazyGroup

if TYPE_CHECKING:
    import click


class _Otp(LazyGroup):
    """`otp NAME` is `otp code NAME`, as in pass-otp."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments, having put the command there that was left out."""
        if args and args[0] not in {*self.rows, *self.aliases, *ctx.help_option_names}:
            args = ["code", *args]
        return super().parse_args(ctx, args)


command = _Otp(
    "otp",
    package="clave.cli.otp",
    sections={
        "Commands": {
            "code": Row("code", "Show the code of now."),
            "insert": Row("insert", "Insert an entry that is an OTP secret.", ("add",)),
            "append": Row("append", "Give an entry an OTP secret, or another one."),
            "uri": Row("uri", "Show the key URI."),
            "validate": Row("validate", "Tell whether a key URI is a valid one."),
        }
    },
    subcommand_metavar="[COMMAND] …",
    help="""One-time codes of an entry.

    `otp NAME` is `otp code NAME`. The secret is a key URI, a line `otpauth://…` of the entry.
    """,
)
