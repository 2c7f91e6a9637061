"""`clave key add`: one more key of the user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _keys, _team, _whose
from clave.cli._app import pass_app
from clave.errors import UsageError, VerificationFailed

if TYPE_CHECKING:
    from clave.cli._app import App


@click.command(name="add")
@_team.confirmed
@click.argument("fingerprint", metavar="[FINGERPRINT]", required=False)
@pass_app
def command(app: App, fingerprint: str | None, sure: bool, dry_run: bool) -> None:
    """Use another key of yours too.

    All that you may read is encrypted for it as well, in one signed commit. FINGERPRINT is a key whose secret part you
    have; without it, choose among your keys, or make one. Only an admin can do that; a member sends the public key to
    one, who runs `clave team key add`.
    """
    from clave.openpgp import certificates
    from clave.store.people import teamwork
    from clave.team import editing
    from clave.team.roster import ADMIN

    store = app.store
    team = store.team()
    team.require_member()
    me = team.me
    assert me is not None
    if fingerprint:
        chosen = _own(fingerprint)
    else:
        chosen = _keys.choose("which key?", "Name one: clave key add FINGERPRINT.", without=team.roster.owners)
    if me.role != ADMIN:
        file = f"{me.name}.asc"
        raise VerificationFailed(
            f"a key can be added by an admin alone ({team.admins})",
            f"Send one of them your public key (gpg --export --armor {chosen.fingerprint} > {file}), who runs: "
            f"clave team key add {me.name} {file}.",
        )
    certificate = certificates.exported(chosen.fingerprint)
    key = teamwork.key_of(certificate)
    change = teamwork.Change(
        lambda roster: editing.add_key(roster, me.name, key), f"Add a key of {me.name}.", {key.fpr: certificate}
    )
    done = _team.carry_out(store, change, sure=sure, dry_run=dry_run)
    chosen.warn()
    _team.finish(store, done)


def _own(fingerprint: str) -> _keys.Chosen:
    """Return a key whose secret part the user has. Raises UsageError."""
    from clave.openpgp import keys

    wanted = _whose.plain(fingerprint)
    if wanted not in {key.fingerprint for key in keys.own_keys()}:
        raise UsageError(
            f"you have no secret key {wanted}", "See those that you have: gpg --list-secret-keys --with-fingerprint."
        )
    return _keys.Chosen(wanted, made=False)
