"""`clave otp validate`."""

from __future__ import annotations

import click

from clave.cli import _ask, _output
from clave.store import otp


@click.command("validate")
@click.argument("uri", required=False)
def command(uri: str | None) -> None:
    """Tell whether a key URI is a valid one.

    Without URI it is asked for, or read from a pipe. As an argument, which pass-otp wants, other processes of this
    machine can read it while the command runs.
    """
    if uri is None:
        uri = _ask.hidden("Enter otpauth:// URI: ")
    else:
        _output.warn("the URI was an argument, which other processes can read; next time give it on stdin")
    otp.parse(uri)
