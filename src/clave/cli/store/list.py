"""`clave store list`."""

from __future__ import annotations

import os

import click

from clave.cli import _output
from clave.cli._app import App, pass_app
from clave.model.text import printable


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_app
def command(app: App, as_json: bool) -> None:
    """List the stores that have a name.

    A `*` marks the store that is used where none is named.
    """
    from clave.store import stores

    known = stores.known(app.settings)
    current = stores.store_path(app.settings, app.store_name)
    if as_json:
        rows = [
            {"name": store.name, "path": store.path, "default": store.default, "exists": store.exists}
            for store in known
        ]
        _output.json({"current": current, "stores": rows})
        return
    width = max((len(store.name) for store in known), default=0)
    for store in known:
        mark = "*" if store.path == current else " "
        missing = "" if store.exists else "  (not there)"
        _output.line(f"{mark} {store.name:{width}}  {printable(store.path)}{missing}")
    if all(store.path != current for store in known):
        why = "PASSWORD_STORE_DIR is set" if os.environ.get("PASSWORD_STORE_DIR") else "no default is chosen"
        _output.note(f"The store in use is {current} ({why}).")
