"""`clave mv`: move an entry or a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli._app import pass_app
from clave.cli._transfer import transfer

if TYPE_CHECKING:
    from clave.cli._app import App


@click.command(name="mv")
@click.option("-f", "--force", is_flag=True, help="Overwrite without a question.")
@click.argument("old")
@click.argument("new")
@pass_app
def command(app: App, old: str, new: str, force: bool) -> None:
    """Move or rename an entry or a folder.

    Into a folder that is there, or where NEW ends with a slash, OLD goes under its own name. What arrives is
    encrypted for those who read its new folder; if that cannot be done, nothing is changed. Entries that are
    there already are overwritten after a question, or with -f.

    With STORE:NAME for one of the two, entries are moved from one store into another, each encrypted for its
    readers there.
    """
    transfer(app, old, new, force=force, keep=False)
