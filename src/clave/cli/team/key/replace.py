"""`clave team key replace`: another key of a member instead of one that is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _stolen, _team, _whose
from clave.cli._app import pass_app
from clave.cli._checks import exclusive
from clave.errors import UsageError

if TYPE_CHECKING:
    from clave.cli._app import App
    from clave.team.roster import Roster


@click.command(name="replace")
@click.option("--old", metavar="FINGERPRINT", help="Which key is replaced, of a member who has several.")
@click.option("--lost", is_flag=True, help="Nobody has the old key any more.")
@click.option("--stolen", is_flag=True, help="Somebody else has the old key.")
@click.option("--last-good", metavar="COMMIT", help="Up to where signatures of a stolen key count.")
@click.option("--endorse", metavar="COMMIT", multiple=True, help="A later commit by the stolen key that is all right.")
@click.option("--fingerprint", metavar="FINGERPRINT", help="What the new key must be; the words are not asked for.")
@_team.confirmed
@click.argument("name", metavar="MEMBER")
@click.argument("file", metavar="FILE")
@pass_app
def command(
    app: App,
    name: str,
    file: str,
    old: str | None,
    lost: bool,
    stolen: bool,
    last_good: str | None,
    endorse: tuple[str, ...],
    fingerprint: str | None,
    sure: bool,
    dry_run: bool,
) -> None:
    """Give a member another key instead of one that is gone.

    The new public key is in FILE. Its words are shown: compare them with its owner by voice. All that the member may
    read is encrypted for it, and no more for the old one, in one signed commit. Old versions in the history stay
    readable to whoever has the old key: change what matters.

    With a stolen key somebody else may have signed. Say up to which commit its signatures count: --last-good. Of what
    it signed after that nothing may stand as it was left. Look at those commits; bring back earlier versions, or stand
    for what is all right with --endorse.
    """
    from clave.openpgp import certificates
    from clave.store.people import teamwork
    from clave.store.trust import wronghands
    from clave.team import editing
    from clave.team.roster import LOST, REPLACED, STOLEN
    from clave.vcs import reading

    exclusive(lost=lost, stolen=stolen)
    if not stolen and (last_good or endorse):
        raise UsageError("only a stolen key has a last good commit", "Say --stolen.")
    store = app.store
    team = store.team()
    team.require_admin()
    certificate = certificates.from_file(file)
    key = teamwork.key_of(certificate)
    gone = _whose.plain(old) if old else ""
    reason = STOLEN if stolen else LOST if lost else REPLACED
    editing.replace_key(team.roster, name, key, old=gone)  # what cannot be done is told before anybody is asked
    gone = gone or _only(team.roster, name)
    good = _stolen.last_good(store, name, [gone], last_good) if stolen else ""
    endorsed = tuple(reading.require_commit(store.team_repository(), each) for each in endorse)
    change = teamwork.Change(
        lambda roster: editing.replace_key(roster, name, key, old=gone, reason=reason, last_good=good),
        f"Replace a key of {name} ({reason}).",
        {key.fpr: certificate, **(wronghands.restored(store, gone, good) if good else {})},
        endorsed,
    )
    _whose.settle(store, change, certificate, name, fingerprint, dry_run=dry_run)
    _team.finish(store, _team.carry_out(store, change, sure=sure, dry_run=dry_run))


def _only(roster: Roster, name: str) -> str:
    """Return the one key of a member."""
    member = roster.member(name)
    assert member is not None
    return member.keys[0].fpr
