"""`clave team log`: how the team came to be what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _output
from clave.cli._app import pass_app
from clave.model.text import printable

if TYPE_CHECKING:
    from clave.cli._app import App


@click.command(name="log")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_app
def command(app: App, as_json: bool) -> None:
    """How the team came to be what it is.

    A line for each roster, the newest first: its number, when it came, which admin signed it, and what it changed.
    All of them are verified. A date is what the admin's computer said.
    """
    from clave.store.past import moment, utc
    from clave.store.people import overview

    found = overview.rosters_of(app.store)
    if as_json:
        rows = [{**each._asdict(), "time": utc(each.time), "changes": list(each.changes)} for each in found]
        _output.json({"log": rows})
        return
    for each in found:
        _output.line(printable(f"{each.number}  {moment(each.time)}  {each.signer}  {'; '.join(each.changes)}"))
