"""`clave team add`: make somebody a member of the team."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _output, _team, _whose
from clave.cli._app import pass_app
from clave.cli._checks import exclusive
from clave.errors import NotFound, UsageError

if TYPE_CHECKING:
    from clave.cli._app import App


@click.command(name="add")
@click.option("--key", metavar="KEY", help="Which key of your keyring is theirs; by default the one with their name.")
@click.option("--fingerprint", metavar="FINGERPRINT", help="What the key must be; with it nothing is asked.")
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
@click.argument("name", metavar="MEMBER")
@click.argument("file", metavar="[FILE]", required=False)
@pass_app
def command(app: App, name: str, file: str | None, key: str | None, fingerprint: str | None, dry_run: bool) -> None:
    """Make somebody a member of the team.

    MEMBER is what they are called in it. Their public key is in FILE, or in your keyring. Its words are shown: compare
    them with its owner by voice, for whoever has that key is the member. A fingerprint that you have from its owner
    can be given instead.

    A member may do nothing by that alone: see `clave grant`.
    """
    from clave.openpgp import certificates
    from clave.store.people import teamwork
    from clave.team import editing

    exclusive(FILE=file, key=key)
    store = app.store
    team = store.team()
    team.require_admin()
    certificate = certificates.from_file(file) if file else certificates.exported(_in_keyring(key or name, name))
    theirs = teamwork.key_of(certificate)
    if theirs.fpr in team.certificates:  # who comes back has signed before
        certificate = certificates.merged(team.certificates[theirs.fpr], certificate)
    change = teamwork.Change(
        lambda roster: editing.add_member(roster, name, [theirs]), f"Add {name} to the team.", {theirs.fpr: certificate}
    )
    _whose.settle(store, change, certificate, name, fingerprint, dry_run=dry_run)
    done = _team.carry_out(store, change, sure=True, dry_run=dry_run)
    if done:
        _output.note(f"{name} may read nothing yet. Grant it: clave grant {name} FOLDER")
    _team.finish(store, done)


def _in_keyring(text: str, name: str) -> str:
    """Return the fingerprint of the one key of the keyring that a text means."""
    from clave.openpgp import keys

    found = keys.matching(text)
    if not found:
        raise NotFound(f"no key in your keyring fits '{text}'", f"Give a file: clave team add {name} FILE.")
    if len(found) > 1:
        those = ", ".join(f"{each.fingerprint} ({each.user_id})" for each in found)
        raise UsageError(f"several keys fit '{text}': {those}", "Say which: --key FINGERPRINT.")
    return found[0].fingerprint
