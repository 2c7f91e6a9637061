"""`clave init`: make a store, or say who reads a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _keys, _output
from clave.cli._app import pass_app
from clave.cli._progress import Progress
from clave.model.name import check_folder

if TYPE_CHECKING:
    from clave.cli._app import App


@click.command(name="init")
@click.option("-p", "--path", metavar="FOLDER", default="", help="Set the recipients of this folder.")
@click.option("--no-git", is_flag=True, help="Do not make a new store a git repository.")
@click.argument("keys", metavar="[KEY]…", nargs=-1)
@pass_app
def command(app: App, path: str, no_git: bool, keys: tuple[str, ...]) -> None:
    """Make a store, or set the recipients of a folder.

    A KEY is whatever gpg takes for one: fingerprint, key id, address, SUBKEY!, a group of gpg.conf. All entries
    below are encrypted anew for exactly these, in one commit, or nothing is changed. An empty KEY ("") takes the
    recipients of a folder away, so that those of its parent hold. Without KEY, choose among your own keys, or
    make one. A new store becomes a git repository.

    In a team's store its roster says who reads, and this is refused: see `clave grant`.
    """
    from clave.store import rekeying
    from clave.store.stores import open_store

    store = open_store(app.settings, app.store_name, new=True)
    rekeying.require_plain(store)
    folder = check_folder(path)
    where = f" ({folder})" if folder else ""
    with Progress("re-encrypted") as progress:
        if keys == ("",):
            rekeying.clear_recipients(store, folder, progress=progress)
            _output.note(f"Password store de-initialized{where}")
            return
        chosen = None
        if not keys:
            progress.clear()
            chosen = _keys.choose("whose store shall it be?", "Name a key: clave init KEY…")
            keys = (chosen.fingerprint,)
        done = rekeying.set_recipients(store, folder, keys, git=not no_git, progress=progress)
    count = len(done.names)
    again = f", {count} {'entry' if count == 1 else 'entries'} encrypted anew" if count else ""
    _output.note(f"Password store initialized for {', '.join(keys)}{where}{again}")
    if chosen:
        chosen.warn()
