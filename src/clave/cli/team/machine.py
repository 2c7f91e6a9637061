"""`clave team machine`: a key for CI, and what it may read."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from clave.cli import _output, _team
from clave.cli._app import pass_app
from clave.errors import CannotWrite, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clave.cli._app import App
    from clave.store.people.teamwork import Change
    from clave.team.roster import Roster


@click.command(name="machine")
@click.option("--read", metavar="FOLDER", multiple=True, required=True, help="What it may read; may be given again.")
@click.option("--new", is_flag=True, help="The folders need not be there yet.")
@click.option("--on-disk", is_flag=True, help="Where there is no folder in RAM, make the key in one on disk.")
@_team.confirmed
@click.argument("name", metavar="MEMBER")
@pass_app
def command(app: App, read: tuple[str, ...], new: bool, on_disk: bool, sure: bool, dry_run: bool, name: str) -> None:
    """Make a key for a machine, which may read some folders.

    MEMBER is what the machine is called in the team. Its secret key is printed, once, to a pipe or a file, and is kept
    nowhere else; nothing protects it, so send it where the machine's secrets are. It is made in RAM, outside of your
    keyring. What the machine may read is encrypted for it in the same signed commit that brings its key.

    \b
    clave team machine ci --read deploy | gh secret set CLAVE_KEY
    """
    from clave.openpgp import throwaway
    from clave.store.people import teamwork

    store = app.store
    team = store.team()
    team.require_admin()
    folders = [teamwork.folder(store, path, new=new) for path in read]
    if sys.stdout.isatty() and not dry_run:
        raise UsageError(
            "a secret key is not shown on a terminal", "Send it on: clave team machine … > FILE, or | to a program."
        )
    made = throwaway.make(f"{name} (machine)", hint="Allow a folder on disk: --on-disk.", allow_disk=on_disk)
    done = _team.carry_out(store, _change(name, made.certificate, folders), sure=sure, dry_run=dry_run)
    if done is not None:
        _print(name, made.secret)
    _team.finish(store, done)


def _change(name: str, certificate: bytes, folders: Sequence[str]) -> Change:
    from clave.store.people import teamwork
    from clave.team import editing
    from clave.team.roster import MACHINE

    key = teamwork.key_of(certificate)

    def edit(roster: Roster) -> Roster:
        after = editing.add_member(roster, name, [key], MACHINE)
        for folder in folders:
            after = editing.grant(after, name, folder)
        return replace(after, seq=roster.seq + 1, prev=roster.digest)

    return teamwork.Change(edit, f"Add the machine {name} to the team.", {key.fpr: certificate})


def _print(name: str, secret: bytes) -> None:
    """Print the secret key. Raises CannotWrite: the member is there, and nobody has the key."""
    try:
        _output.value(secret)
    except OSError as error:
        raise CannotWrite(
            f"the secret key of {name} could not be written ({error.strerror}), and is gone",
            f"Remove the machine (clave team remove {name}), and make it anew.",
        ) from None
    _output.note(
        f"That was the only copy of the secret key of {name}. On the machine: gpg --import; it knows the store by "
        "CLAVE_ROOT, the words that clave pin --words prints."
    )
