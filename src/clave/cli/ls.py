"""`clave ls`: the entries of a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli._app import pass_app
from clave.cli._checks import exclusive
from clave.cli._tree import show_folder
from clave.errors import UsageError
from clave.store import layout
from clave.store.search import missing
from clave.store.stores import split_store

if TYPE_CHECKING:
    from clave.cli._app import App


@click.command(name="ls")
@click.option("--flat", is_flag=True, help="One full name a line.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.argument("folder", default="")
@pass_app
def command(app: App, folder: str, flat: bool, as_json: bool) -> None:
    """List the entries of a folder as a tree.

    Without FOLDER all of the store; `STORE:` and `STORE:FOLDER` are in another store.
    """
    exclusive(flat=flat, json=as_json)
    store, name = split_store(app.settings, folder, app.store_name)
    if not layout.is_folder(store.root, name):
        if layout.is_entry(store.root, name):
            raise UsageError(f"{folder} is an entry, not a folder", f"Show it: clave show {folder}")
        raise missing(store, name)
    show_folder(store, name, flat=flat, as_json=as_json)
