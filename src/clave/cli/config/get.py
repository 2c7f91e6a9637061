"""`clave config get KEY`."""

from __future__ import annotations

import click

from clave.cli import _output
from clave.cli._app import App, pass_app
from clave.model.text import printable


@click.command("get")
@click.argument("key")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_app
def command(app: App, key: str, as_json: bool) -> None:
    """Print the value of a setting.

    Exits with 1 if it has none.
    """
    from clave.config import DRIVERS, find_key, text_of

    if key.startswith(DRIVERS):
        value = app.settings.drivers.get(key.removeprefix(DRIVERS))
    else:
        value = text_of(app.settings, find_key(key))
    if as_json:
        _output.json(
            {"key": key, "value": value, "origin": app.settings.origins.get(key, "file" if value else "default")}
        )
    elif value is not None:
        _output.line(printable(value))
    if value is None:
        click.get_current_context().exit(1)
