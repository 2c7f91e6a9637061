"""`clave store remove NAME`."""

from __future__ import annotations

import click

from clave.cli import _output
from clave.cli._app import App, pass_app


@click.command("remove")
@click.argument("name")
@pass_app
def command(app: App, name: str) -> None:
    """Forget a store's name; its files stay."""
    from clave.store import stores

    removed = stores.remove(app.settings, name)
    _output.note(f"Forgot the store '{removed.name}'. Its files are still in {removed.path}.")
    if removed.default:
        _output.note("It was the default one. Choose another: clave store default NAME")
