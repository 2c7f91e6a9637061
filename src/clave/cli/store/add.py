"""`clave store add NAME PATH`."""

from __future__ import annotations

import click

from clave.cli import _output
from clave.cli._app import App, pass_app


@click.command("add")
@click.argument("name")
@click.argument("path", type=click.Path(path_type=str))
@pass_app
def command(app: App, name: str, path: str) -> None:
    """Give a store a name.

    PATH is the store's folder, usually a clone. If it is not there yet, `clave -s NAME init` makes it.
    The first store becomes the default one, unless there is a ~/.password-store.
    """
    from clave.store import stores

    added = stores.add(app.settings, name, path)
    default = ", the default one" if added.default else ""
    _output.note(f"Added the store '{added.name}' at {added.path}{default}.")
    if not added.exists:
        _output.note(f"That folder is not there yet. Make it: clave -s {added.name} init")
