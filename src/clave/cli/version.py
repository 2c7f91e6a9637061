"""`clave version`."""

from __future__ import annotations

import click

from clave import __version__
from clave.cli import _output


def text() -> str:
    """Return what `version` and `--version` print; Ansible knows a pass by the second line."""
    return f'clave {__version__}\na drop-in for "pass: the standard unix password manager"'


@click.command("version")
def command() -> None:
    """Show the version.

    By the second line other programs know that this is a pass.
    """
    _output.line(text())
