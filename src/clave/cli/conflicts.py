"""`clave conflicts`: what could not be brought together, and is kept twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _output
from clave.cli._app import pass_app
from clave.errors import Finding
from clave.model.text import printable

if TYPE_CHECKING:
    from clave.cli._app import App


@click.command(name="conflicts")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_app
def command(app: App, *, as_json: bool) -> None:
    """List what two people have changed in ways that could not be brought together.

    Both versions are kept, one at the entry, the other beside it. Exits with 1 if there is any.
    """
    from clave.store.share import conflicts

    found = conflicts.find(app.store)
    if as_json:
        rows = [{"name": each.name, "kept": each.kept, "entry": each.is_entry, "there": each.there} for each in found]
        _output.json({"conflicts": rows})
    else:
        for each in found:
            gone = "" if each.there else ", which is gone"
            _output.line(f"{printable(each.name)}{gone}: the other version is {printable(each.kept)}")
    if found:
        entry = next((each.name for each in found if each.is_entry), None)
        hint = f"Choose: clave resolve {entry}." if entry else "They are files: compare them, and remove one."
        raise Finding(f"{len(found)} {'conflict' if len(found) == 1 else 'conflicts'}", hint)
