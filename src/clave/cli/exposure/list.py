"""`clave exposure list`: which values in use somebody could ever read, or wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _output
from clave.cli._app import pass_app
from clave.cli._exposure import document, page, tell
from clave.errors import Finding, UsageError

if TYPE_CHECKING:
    from clave.cli._app import App
    from clave.store.lifecycle.exposing import Found
    from clave.store.store import Store


@click.command(name="list")
@click.option("--former", is_flag=True, help="Everybody who could once read an entry, and cannot today.")
@click.option("--deep", is_flag=True, help="Decrypt and compare, in the place of believing what commits say.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--html", "path", metavar="FILE", help="Write a page to hand on, which may not be there yet.")
@click.argument("who", required=False)
@pass_app
def command(app: App, who: str | None, former: bool, deep: bool, as_json: bool, path: str | None) -> None:
    """Which values in use somebody could ever read, or wrote.

    WHO is a member of the team, now or before, or a key: its fingerprint, or a part of its user id. Works on every
    store that git keeps, also one that pass alone has written.

    It goes by the history: each version of each entry, whom it was encrypted to, by every subkey that they ever had,
    and who committed it. A value leaves the list when a new one is in its place; encrypting anew, renaming, copying and
    bringing back leave it there, and so does an edit with another program, of which nobody knows what it changed.
    --deep decrypts what they could open and looks whether its secrets are still in use.

    What it cannot know: other clones, screenshots, what others gave away. Dates, and in a store without a team also who
    wrote what, are the claims of those who committed.
    """
    if (who is None) != former:
        raise UsageError("exposure is of somebody, or of everybody who is gone", "Name them, or say --former.")
    store = app.store
    found = _find(store, who, deep=deep)
    if path is not None:
        from clave.exchange.exporting import write_file

        write_file(path, page(store, found).encode())
    if as_json:
        _output.json(document(found))
    else:
        tell(found, what=who or "anybody who is gone")
    if any(not each.accepted for each in found.values):
        raise Finding("values in use are known to somebody else", "Change them: clave rotate NAME, or clave edit NAME.")


def _find(store: Store, who: str | None, *, deep: bool) -> Found:
    from clave.cli._progress import Progress
    from clave.store.lifecycle import exposing

    if not deep:
        return exposing.exposures(store, who)
    with Progress("Comparing") as progress:
        return exposing.exposures(store, who, deep=True, progress=progress)
