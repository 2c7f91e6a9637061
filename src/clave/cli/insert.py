"""`clave insert`: put an entry into the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli._app import pass_app
from clave.cli._insert import insert

if TYPE_CHECKING:
    from clave.cli._app import App


@click.command(name="insert")
@click.option("-e", "--echo", is_flag=True, help="Ask once, and show what is typed.")
@click.option("-m", "--multiline", is_flag=True, help="Take all of the input, until Ctrl+D.")
@click.option("--file", "path", metavar="FILE", help="Take the content of a file, byte for byte (- is stdin).")
@click.option("-f", "--force", is_flag=True, help="Overwrite without a question.")
@click.option("--allow-weak", is_flag=True, help="Also a password that is weaker than the policy of the store wants.")
@click.argument("name")
@pass_app
def command(app: App, name: str, echo: bool, multiline: bool, path: str | None, force: bool, allow_weak: bool) -> None:
    """Insert an entry.

    Without an option the password is asked for twice, unseen; from a pipe, one line is enough. What is there
    already is overwritten after a question. Without a terminal that needs -f, --yes or CLAVE_YES=1.

    \b
    printf '%s\\n' "$PASSWORD" | clave insert work/db
    clave insert --multiline work/db <notes.txt
    clave insert --file server.key work/server.key
    """
    insert(app, name, echo=echo, multiline=multiline, path=path, force=force, allow_weak=allow_weak)
