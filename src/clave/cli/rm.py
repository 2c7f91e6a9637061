"""`clave rm`: remove an entry or a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _ask
from clave.cli._app import pass_app
from clave.errors import Finding, UsageError
from clave.model.name import check
from clave.store import layout
from clave.store.search import missing

if TYPE_CHECKING:
    from clave.cli._app import App


@click.command(name="rm")
@click.option("-r", "--recursive", is_flag=True, help="Remove a folder and all below it.")
@click.option("-f", "--force", is_flag=True, help="Do not ask.")
@click.argument("name")
@pass_app
def command(app: App, name: str, recursive: bool, force: bool) -> None:
    """Remove an entry or a folder.

    What is both is the folder only with a slash at its end. Without a terminal to ask on it needs -f, --yes or
    CLAVE_YES=1. The history keeps what was removed: `clave restore`.
    """
    store, name = app.split(name)
    plain = check(name)
    is_entry = layout.has_file(store.root, f"{plain}.gpg") and not name.endswith("/")
    if not is_entry and not layout.is_folder(store.root, plain):
        raise missing(store, plain)
    if not is_entry and not recursive:
        raise UsageError(f"{plain} is a folder", "Remove it and all below it with -r.")
    question = f"Are you sure you would like to delete {plain}?"
    if not force and not _ask.confirm_loss(question, force_hint="Remove it with -f."):
        raise Finding(f"{plain} was left as it is")
    from clave.store import writing

    writing.remove(store, name, recursive=recursive)
