"""`clave init`: make a store, or say who reads a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _ask, _output
from clave.cli._app import pass_app
from clave.cli._progress import Progress
from clave.errors import UsageError
from clave.model.name import check_folder

if TYPE_CHECKING:
    from clave.cli._app import App
    from clave.openpgp.keys import Key


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
    """
    from clave.store import rekeying
    from clave.store.stores import open_store

    store = open_store(app.settings, app.store_name, new=True)
    folder = check_folder(path)
    where = f" ({folder})" if folder else ""
    with Progress("re-encrypted") as progress:
        if keys == ("",):
            rekeying.clear_recipients(store, folder, progress=progress)
            _output.note(f"Password store de-initialized{where}")
            return
        made, ids = (False, keys) if keys else _own_key(progress)
        done = rekeying.set_recipients(store, folder, ids, git=not no_git, progress=progress)
    count = len(done.names)
    again = f", {count} {'entry' if count == 1 else 'entries'} encrypted anew" if count else ""
    _output.note(f"Password store initialized for {', '.join(ids)}{where}{again}")
    if made:
        _output.note(
            f"Without the key {ids[0]} nobody can read your secrets. Back it up now, off this machine:\n"
            f"  gpg --export-secret-keys --armor {ids[0]} > my-key.asc"
        )


def _own_key(progress: Progress) -> tuple[bool, tuple[str]]:
    """Ask which of the user's own keys to use, or make one; return whether it is new, and its fingerprint."""
    from clave.openpgp import keys as openpgp

    progress.clear()
    usable = [key for key in openpgp.own_keys() if key.usable and key.can_encrypt]
    if not _ask.interactive():
        raise UsageError("whose store shall it be?", "Name a key: clave init KEY…")
    for number, key in enumerate(usable, 1):
        _output.note(f"{number:3}  {_describe(key)}")
    _output.note(f"{len(usable) + 1:3}  make a new key")
    answer = _ask.line(f"Which key? [1-{len(usable) + 1}] ").strip() or "1"
    if not answer.isdecimal() or not 1 <= int(answer) <= len(usable) + 1:
        raise UsageError(f"'{answer}' is not one of them", "Answer with a number of the list.")
    if int(answer) <= len(usable):
        return False, (usable[int(answer) - 1].fingerprint,)
    return True, (_new_key(),)


def _new_key() -> str:
    from clave.openpgp import keys as openpgp

    name, email = _ask.line("Your name: ").strip(), _ask.line("Your address: ").strip()
    if not name or "@" not in email:
        raise UsageError("a key needs a name and an address")
    fingerprint = openpgp.generate(name, email)
    _output.note(f"Made the key {fingerprint}.")
    return fingerprint


def _describe(key: Key) -> str:
    return f"{key.fingerprint}  {', '.join(key.user_ids)}"
