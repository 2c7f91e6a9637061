"""`clave manifest init`: make a manifest in this folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from clave.cli import _output
from clave.cli._app import pass_app

if TYPE_CHECKING:
    from clave.cli._app import App


@click.command(name="init")
@pass_app
def command(app: App) -> None:
    """Make a manifest in this folder.

    It says which store is meant, so that it means the same to everybody: the id of the team, and where the store comes
    from.
    """
    from clave.delivery import allowing, writing

    path = writing.create(os.getcwd(), app.store)
    allowing.allow(path, app.store, ())  # it is the user's own
    _output.note(f"{path} is there. Add to it: clave manifest add NAME REFERENCE.")
