"""`clave store default NAME`."""

from __future__ import annotations

import os

import click

from clave.cli import _output
from clave.cli._app import App, pass_app


@click.command("default")
@click.argument("name")
@pass_app
def command(app: App, name: str) -> None:
    """Choose the store that is used where none is named."""
    from clave.store import stores

    store = stores.set_default(app.settings, name)
    _output.note(f"The default store is '{store.name}' at {store.path}.")
    if os.environ.get("PASSWORD_STORE_DIR"):
        _output.warn("PASSWORD_STORE_DIR is set and comes before it.")
