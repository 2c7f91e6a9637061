"""`clave undo`: take back the last operation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _output
from clave.cli._app import pass_app
from clave.model.text import printable

if TYPE_CHECKING:
    from clave.cli._app import App

_WORDS = {"removed": "is removed", "back": "is back", "as before": "is as it was before"}


@click.command(name="undo")
@pass_app
def command(app: App) -> None:
    """Take back the last operation, as a new commit.

    It works for whatever changed entries, by clave, pass or others; to undo an undo is to redo. Refused is
    what would give somebody access that was taken, or bring back a rotated value.
    """
    from clave.store.past import moment
    from clave.store.undoing import undo

    undone = undo(app.store)
    _output.note(f"Undid “{undone.subject}” of {undone.author}, {moment(undone.time)}:")
    for name, result in undone.results:
        _output.note(f"  {printable(name)} {_WORDS[result]}.")
