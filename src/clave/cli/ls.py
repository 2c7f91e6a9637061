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

if TYPE_CHECKING:
    from clave.cli._app import App
    from clave.store.store import Store


@click.command(name="ls")
@click.option("--flat", is_flag=True, help="One full name a line.")
@click.option("--recipients", is_flag=True, help="One full name a line, and who can read it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.argument("folder", default="")
@pass_app
def command(app: App, folder: str, flat: bool, recipients: bool, as_json: bool) -> None:
    """List the entries of a folder as a tree.

    Without FOLDER all of the store; `STORE:` and `STORE:FOLDER` are in another store. --recipients says whose keys
    the files are encrypted to, which may be others than a .gpg-id names: see `clave rekey --check`.
    """
    exclusive(flat=flat, json=as_json)
    exclusive(flat=flat, recipients=recipients)
    store, name = app.look(folder)
    if not layout.is_folder(store.root, name):
        if layout.is_entry(store.root, name):
            raise UsageError(f"{folder} is an entry, not a folder", f"Show it: clave show {folder}")
        raise missing(store, name)
    if recipients:
        _show_recipients(store, name.strip("/"), as_json=as_json)
    else:
        show_folder(store, name, flat=flat, as_json=as_json)


def _show_recipients(store: Store, folder: str, *, as_json: bool) -> None:
    from clave.cli import _output
    from clave.cli._readers import audience_line, holder_rows
    from clave.store import audience

    found = audience.audiences(store, layout.own_entries(store.root, folder))
    if not as_json:
        for each in found:
            _output.line(audience_line(each))
        return
    rows = [
        {"name": each.name, "recipients": holder_rows(each.holders), "hidden": each.hidden, "flaw": each.flaw}
        for each in found
    ]
    _output.json({"folder": folder, "entries": rows})
