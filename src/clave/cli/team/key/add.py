"""`clave team key add`: one more key of a member."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _team, _whose
from clave.cli._app import pass_app

if TYPE_CHECKING:
    from clave.cli._app import App


@click.command(name="add")
@click.option("--fingerprint", metavar="FINGERPRINT", help="What the key must be; with it the words are not asked for.")
@_team.confirmed
@click.argument("name", metavar="MEMBER")
@click.argument("file", metavar="FILE")
@pass_app
def command(app: App, name: str, file: str, fingerprint: str | None, sure: bool, dry_run: bool) -> None:
    """Give a member one more key.

    Their public key is in FILE. Its words are shown: compare them with its owner by voice. All that the member may
    read is encrypted for it as well, in one signed commit.
    """
    from clave.openpgp import certificates
    from clave.store.people import teamwork
    from clave.team import editing

    store = app.store
    store.team().require_admin()
    certificate = certificates.from_file(file)
    key = teamwork.key_of(certificate)
    change = teamwork.Change(
        lambda roster: editing.add_key(roster, name, key), f"Add a key of {name}.", {key.fpr: certificate}
    )
    _whose.settle(store, change, certificate, name, fingerprint, dry_run=dry_run)
    _team.finish(store, _team.carry_out(store, change, sure=sure, dry_run=dry_run))
