"""`clave key renew`: the newest copy of a key into the store."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from clave.cli import _output, _team
from clave.cli._app import pass_app
from clave.errors import Finding, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clave.cli._app import App
    from clave.store.people.membership import Team
    from clave.store.people.renewing import Renewal
    from clave.store.people.teamwork import Change
    from clave.store.store import Store
    from clave.team.roster import Roster


@click.command(name="renew")
@_team.confirmed
@click.argument("name", metavar="[MEMBER]", required=False)
@click.argument("file", metavar="[FILE]", required=False)
@pass_app
def command(app: App, name: str | None, file: str | None, sure: bool, dry_run: bool) -> None:
    """Give the store the newest copy of your key.

    Do so after you have changed it in your keyring: a later expiry, another encryption subkey, one that is revoked.
    Entries are encrypted to a new subkey from when an admin has taken it into the roster; if you are none, this tells
    what to ask one for.

    An admin renews the key of another MEMBER, from FILE which they sent, or from what they have published. That is the
    only way for a key that has expired, whose owner cannot sign any more.
    """
    from clave.store.people import renewing
    from clave.team.roster import ADMIN

    store = app.store
    team = store.team()
    team.require_member()
    me = team.me
    assert me is not None
    member = me if name is None else team.roster.member(name)
    if member is None:
        raise UsageError(f"'{name}' is no member", f"Members: {', '.join(m.name for m in team.roster.members)}.")
    if member != me:
        team.require_admin()
    if file is not None:
        renewals = renewing.of_file(team, member, file)
    else:
        renewals = renewing.of_own(team, member) if member == me else renewing.of_store(team, member)
    if not any(each.certificate or each.key for each in renewals):
        where = "that file" if file else "your keyring" if member == me else f"what {member.name} has published"
        _output.note(f"Nothing to do: there is nothing newer in {where}.")
    elif me.role == ADMIN and any(each.key for each in renewals):
        _team.finish(store, _team.carry_out(store, _change(renewals), sure=sure, dry_run=dry_run))
    else:
        _publish(store, team, renewals, dry_run=dry_run)


def _change(renewals: Sequence[Renewal]) -> Change:
    """Return the change that takes new subkeys into the roster, with the certificates."""
    from clave.store.people import teamwork
    from clave.team import editing

    def edit(roster: Roster) -> Roster:
        after = roster
        for each in renewals:
            if each.key is not None:
                after = editing.renew_key(after, each.fingerprint, each.key.enc)
        return after if after is roster else replace(after, seq=roster.seq + 1, prev=roster.digest)

    copies = {each.fingerprint: each.certificate for each in renewals if each.certificate is not None}
    return teamwork.Change(edit, f"Renew the key of {renewals[0].name}.", copies)


def _publish(store: Store, team: Team, renewals: Sequence[Renewal], *, dry_run: bool) -> None:
    """Put certificates into the store, and say what an admin has to do after that."""
    from clave.store.people import renewing

    team.require_signer()
    for each in renewals:
        for line in each.lines():
            _output.note(line)
    if dry_run:
        return
    if any(each.certificate for each in renewals):
        renewing.publish(store, renewals)
        _output.note("The store has it now.")
    name = renewals[0].name
    if any(each.key for each in renewals):
        raise Finding(
            f"entries are still encrypted to the old subkey of {name}, until an admin has taken the new one",
            f"Ask one of them ({team.admins}) to run: clave key renew {name}.",
        )
