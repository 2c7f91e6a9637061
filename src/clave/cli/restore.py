"""`clave restore`: bring back an earlier version of an entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _output
from clave.cli._app import pass_app
from clave.model.text import printable

if TYPE_CHECKING:
    from clave.cli._app import App


@click.command(name="restore", context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("rev")
@pass_app
def command(app: App, name: str, rev: str) -> None:
    """Bring back an earlier version of an entry.

    REV is -N (N versions of the entry earlier), a date (YYYY-MM-DD) or a commit. A removed entry comes back, and
    of a folder every entry that it had; what it has gained since stays. What comes back is encrypted for those
    who read the folder today.
    """
    from clave.store import history

    store, name = app.split(name)
    restored = history.restore(store, name, rev)
    for each in restored:
        _output.note(f"Restored {printable(each)}.")
    if not restored:
        _output.note(f"{printable(name)} is as it was; nothing to restore.")
