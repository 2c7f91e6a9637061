"""`clave otp …`: one-time codes, with the commands of pass-otp."""

from __future__ import annotations

from clave.cli._commands import Row
from clave.cli._lazy import LazyGroup

command = LazyGroup(
    "otp",
    package="clave.cli.otp",
    default="code",
    default_takes_words=True,
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
