"""`clave team remove`: take somebody out of the team."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from clave.cli import _output, _stolen, _team
from clave.cli._app import pass_app

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clave.cli._app import App
    from clave.store.store import Store
    from clave.team.roster import Roster

_SHOWN = 20  # entries that a terminal gets


@click.command(name="remove")
@click.option("--reason", metavar="REASON", type=click.Choice(("left", "lost", "stolen")), default="left",
              show_default=True, help="Why: left, or their key was lost or stolen.")  # fmt: skip
@click.option("--last-good", metavar="COMMIT", help="The last commit of theirs that counts; needed for a stolen key.")
@click.option("--endorse", metavar="COMMIT", multiple=True, help="A later commit by that key that is all right.")
@_team.confirmed
@click.argument("names", metavar="MEMBER…", nargs=-1, required=True)
@pass_app
def command(
    app: App,
    names: tuple[str, ...],
    reason: str,
    last_good: str | None,
    endorse: tuple[str, ...],
    sure: bool,
    dry_run: bool,
) -> None:
    """Take somebody out of the team.

    They lose every right, and all that they could read is encrypted anew for those who still may, in one signed
    commit. It is shown first. Several go at once: where keys of two members are revoked, neither can be replaced, for
    the other one reads too; remove both, and add them with their new keys.

    What they have read they know, and old versions stay readable to them in the history. So this ends with every value
    in use that they could ever read, or wrote: change those. The list stays until that is done: clave exposure.

    Of what a stolen key signed after the last good commit nothing may stand as it was left. Look at those commits;
    bring back earlier versions, or stand for what is all right with --endorse.
    """
    from clave.store.people import teamwork
    from clave.store.trust import wronghands

    store = app.store
    team = store.team()
    team.require_admin()
    _without(team.roster, names, "left", "")  # what cannot be done is told before anybody is asked
    keys = [key.fpr for name in names if (member := team.roster.member(name)) for key in member.keys]
    good = _commit(store, last_good) if last_good else ""
    if reason == "stolen" and not good:
        good = _stolen.last_good(store, " and ".join(names), keys, None)
    restored = [wronghands.restored(store, fpr, good) for fpr in keys] if good else []
    change = teamwork.Change(
        lambda roster: _without(roster, names, reason, good),
        f"Remove {', '.join(names)} from the team ({reason}).",
        {fpr: data for each in restored for fpr, data in each.items()},
        tuple(_commit(store, each) for each in endorse),
    )
    done = _team.carry_out(store, change, sure=sure, dry_run=dry_run)
    if done and done.preview.lines:
        for name in names:
            _tell(store, name)
    _team.finish(store, done)


def _without(roster: Roster, names: Sequence[str], reason: str, last_good: str) -> Roster:
    """Return the successor of a roster without these members."""
    from clave.team import editing

    after = roster
    for name in names:
        after = editing.remove_member(after, name, reason, last_good)
    return replace(after, seq=roster.seq + 1, prev=roster.digest)


def _tell(store: Store, name: str) -> None:
    """Say which values the leaver knows."""
    from clave.cli import _exposure
    from clave.store.lifecycle import exposing

    found = exposing.exposures(store, name)
    _output.note(
        f"Old ciphertext stays in git, and {name} can open it for ever. What of it is in use has to be changed:"
    )
    _exposure.tell(found, what=name, most=_SHOWN if sys.stdout.isatty() else None)
    if found.values:
        _output.note(f"Until then it is listed: clave exposure {name}")


def _commit(store: Store, revision: str) -> str:
    from clave.vcs import reading

    return reading.require_commit(store.team_repository(), revision)
