"""`clave config set KEY VALUE`."""

from __future__ import annotations

import os

import click

from clave.cli import _output


@click.command("set")
@click.argument("key")
@click.argument("value", required=False)
@click.option("--unset", is_flag=True, help="Take the setting out of the file: the default holds again.")
def command(key: str, value: str | None, unset: bool) -> None:
    """Change a setting in the config file.

    Comments in the file stay. drivers.NAME is the program behind `clave rotate --driver command:NAME`.
    """
    from clave.config import DRIVERS, find_key, set_value

    if unset == (value is not None):
        raise click.UsageError("give either a VALUE or --unset")
    set_value(key, value)
    variable = None if key.startswith(DRIVERS) else find_key(key).variable
    if variable and os.environ.get(variable):
        _output.warn(f"{variable} is set and comes before it.")
