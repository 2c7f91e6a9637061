"""`clave team init`: make a store a team's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _ask, _output
from clave.cli._app import pass_app
from clave.errors import UsageError

if TYPE_CHECKING:
    from clave.cli._app import App
    from clave.store.people.founding import Founding


@click.command(name="init")
@click.option("--name", metavar="NAME", help="Your name in the team; by default that of your key's address.")
@click.option("--key", "me", metavar="FINGERPRINT", help="Which of your keys signs; by default the first that can.")
@click.option("--sure", is_flag=True, help="Do not ask.")
@pass_app
def command(app: App, name: str | None, me: str | None, sure: bool) -> None:
    """Make a store a team's: who may read and write is signed from now on.

    The first roster says what the .gpg-id files say today: each of their keys is a member's, each of their folders
    keeps its readers, who may write too. You are the first admin. Earlier history is trusted as what it led to,
    nothing more. Everybody else joins with the words that this prints: clave join.
    """
    from clave.store.people import founding
    from clave.store.trust import words

    store = app.store
    plan = founding.plan(store, name, me=me)
    for line in _preview(plan):
        _output.note(line)
    if not sure and not _ask.confirm("Make it so?"):
        raise UsageError("the team was not made", "Without a terminal, say --sure.")
    pinned = founding.found(store, plan)
    _output.note("The store is a team's now. Whoever joins compares these words with you, by voice:")
    _output.line(f"  {words.of_genesis(pinned.genesis, pinned.roster)}")
    if store.has_remote():
        _output.note("1 commit to share: clave sync")


def _preview(plan: Founding) -> list[str]:
    roster = plan.roster
    people = [f"{each.role:7} {each.name}  {', '.join(key.fpr for key in each.keys)}" for each in roster.members]
    folders = [
        f"{each.path or '.'}: read and written by {', '.join(roster.readers(each.path))}" for each in roster.folders
    ]
    return people + folders
