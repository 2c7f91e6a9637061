"""`clave exposure accept`: say that a value stays as it is, though somebody knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _output
from clave.cli._app import pass_app
from clave.errors import Finding, UsageError

if TYPE_CHECKING:
    from clave.cli._app import App


@click.command(name="accept")
@click.option("--reason", metavar="TEXT", required=True, help="Why it cannot be changed; everybody can read it.")
@click.option("--who", metavar="WHO", help="For this one alone, not for all who are gone.")
@click.argument("name")
@pass_app
def command(app: App, name: str, reason: str, who: str | None) -> None:
    """Say that a value stays as it is, though somebody knows it.

    For what cannot be changed. It is a commit as every other, signed in a team's store, by somebody who may write the
    entry. It holds for this value and for those who know it today: a new value, or somebody else who leaves, is listed
    again. The list of exposure shows it with its reason, and due no longer does.
    """
    from clave.store.lifecycle import accepted, ages, exposing

    store, name = app.split(name)
    if "#" in name and not _is_there(store.root, name):
        raise UsageError("it is an entry that is accepted, not a field of it", f"Accept {name.partition('#')[0]}.")
    known = [each.who for each in exposing.exposures(store, who).values if each.name == name]
    if not known:
        raise Finding(f"{name} is known to nobody who is gone", "There is nothing to accept.")
    accepted.accept(store, ages.read(store), name, known, reason)
    _output.note(f"{name} stays as it is, though {', '.join(known)} may know it.")


def _is_there(root: str, name: str) -> bool:
    from clave.store import layout

    return layout.is_entry(root, name)
