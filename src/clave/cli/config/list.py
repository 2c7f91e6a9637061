"""`clave config list`."""

from __future__ import annotations

import click

from clave.cli import _output
from clave.cli._app import App, pass_app
from clave.model.text import printable


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_app
def command(app: App, as_json: bool) -> None:
    """List the settings in force and where they come from."""
    from clave.config import DRIVERS, KEYS, text_of

    settings = app.settings
    if as_json:
        rows = [
            {
                "key": key.name,
                "value": text_of(settings, key),
                "origin": settings.origins[key.name],
                "default": key.default,
                "variable": key.variable,
                "description": key.description,
            }
            for key in KEYS
        ]
        _output.json({"file": settings.file, "settings": rows, "drivers": dict(settings.drivers)})
        return
    for key in KEYS:
        origin = settings.origins[key.name]
        comment = "" if origin in ("default", key.name) else f"  # {origin}"
        value = text_of(settings, key)
        _output.line(f"{key.name} = {printable(value or '')}".rstrip() + comment)
    for name, program in settings.drivers.items():
        _output.line(f"{DRIVERS}{name} = {printable(program)}")
