"""`clave team add`: make somebody a member of the team."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _ask, _output, _team
from clave.cli._app import pass_app
from clave.cli._checks import exclusive
from clave.errors import Finding, NotFound, UsageError, VerificationFailed

if TYPE_CHECKING:
    from clave.cli._app import App
    from clave.openpgp.certificates import Certificate


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
    from clave.store import teamwork
    from clave.team import editing

    exclusive(FILE=file, key=key)
    store = app.store
    store.team().require_admin()
    certificate = certificates.from_file(file) if file else certificates.exported(_in_keyring(key or name, name))
    theirs = teamwork.key_of(certificate)
    found = certificates.read(certificate)
    assert found is not None
    _show(found)
    if fingerprint is not None and _plain(fingerprint) != theirs.fpr:
        raise VerificationFailed(
            f"the key is {theirs.fpr}, not {_plain(fingerprint)}", f"Ask {name} for their key once more."
        )
    change = teamwork.Change(
        lambda roster: editing.add_member(roster, name, [theirs]), f"Add {name} to the team.", {theirs.fpr: certificate}
    )
    teamwork.preview(store, change)
    if not dry_run and fingerprint is None:
        _confirm(name)
    done = _team.carry_out(store, change, sure=True, dry_run=dry_run)
    if done:
        _output.note(f"{name} may read nothing yet. Grant it: clave grant {name} FOLDER")
    _team.finish(store, done)


def _show(found: Certificate) -> None:
    from clave.store import words

    _output.note(f"key:    {found.fingerprint}\nowner:  {found.user_id}\nwords:  {words.of_key(found.fingerprint)}")


def _confirm(name: str) -> None:
    if not _ask.interactive():
        raise UsageError(
            "whether this is their key cannot be asked without a terminal",
            "Give the fingerprint that you have from its owner: --fingerprint FINGERPRINT.",
        )
    if not _ask.confirm(f"Are these the words that {name} has?"):
        raise Finding("nothing was changed", "Let them read you their words, or send their fingerprint another way.")


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


def _plain(fingerprint: str) -> str:
    return "".join(fingerprint.split()).upper().removeprefix("0X")
