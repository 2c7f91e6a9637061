"""`clave access`: who can read and write what."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from clave.cli import _output
from clave.cli._app import pass_app
from clave.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clave.cli._app import App
    from clave.store.people.access import Access, Held, Place

_WIDEST = 8  # people that a table has columns for


@click.command(name="access")
@click.option("--who", metavar="WHO", help="Only what this member, or @group, may.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.argument("name", default="")
@pass_app
def command(app: App, name: str, who: str | None, as_json: bool) -> None:
    """Who can read and write what.

    Three things say who reads: the roster of a team, .gpg-id (which pass obeys), and the files, which are encrypted to
    somebody's key or are not. They are held against each other for every folder that has rights of its own, at and
    below NAME, and each difference is told. Nothing is decrypted.
    """
    from clave.store.people import access

    store, path = app.split(name) if name else (app.store, "")
    if who is not None:
        access.require_team(store)
        _print_held(access.held(store, who, path), who, as_json=as_json)
        return
    places = access.look(store, path)
    if as_json:
        _output.json({"team": store.is_team, "places": [_document(each) for each in places]})
        return
    people = sorted({each.who for place in places for each in place.people})
    if sys.stdout.isatty() and len(people) <= _WIDEST:
        _matrix(places, people)
    else:
        for place in places:
            _output.line(printable(f"{place.path or '.'}: {', '.join(map(_one, place.people)) or 'nobody'}"))
    for place in places:
        for difference in place.differences:
            _output.line(printable(f"{place.path or '.'}: {difference}"))


def _one(each: Access) -> str:
    return f"{each.who} ({_rights(each) or 'no right'})"


def _rights(each: Access) -> str:
    return ", ".join(right for right, has in (("read", each.read), ("write", each.write)) if has)


def _matrix(places: Sequence[Place], people: Sequence[str]) -> None:
    """Print a table: folders down, people across; `r`, `w`, and `!` where roster, .gpg-id and files differ."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("folder", "entries", box=None, pad_edge=False)
    for who in people:
        table.add_column(Text(printable(who)))
    for place in places:
        known = {each.who: each for each in place.people}
        cells = [_cell(known.get(who), place) for who in people]
        styles = ["yellow" if cell.endswith("!") else "" for cell in cells]
        row = [Text(cell, style=style) for cell, style in zip(cells, styles, strict=True)]
        table.add_row(Text(printable(place.path or ".")), str(place.entries), *row)
    Console(no_color=not _output.coloured(sys.stdout), highlight=False).print(table)


def _cell(each: Access | None, place: Place) -> str:
    if each is None:
        return "-"
    rights = ("r" if each.read else "") + ("w" if each.write else "")
    whole = place.entries - len(place.flaws)
    differs = each.read != each.listed or (each.opens < whole if each.read else each.opens > 0)
    return (rights or "-") + ("!" if differs else "")


def _document(place: Place) -> dict[str, object]:
    return {
        "path": place.path,
        "folder": place.folder,
        "entries": place.entries,
        "people": [each._asdict() for each in place.people],
        "due": list(place.due),
        "flaws": list(place.flaws),
        "differences": place.differences,
    }


def _print_held(found: Sequence[Held], who: str, *, as_json: bool) -> None:
    from clave.cli._team import entries

    if as_json:
        rows = [
            {
                "path": each.path,
                "entries": each.entries,
                "rights": {right: [way._asdict() for way in ways] for right, ways in each.rights.items()},
            }
            for each in found
        ]
        _output.json({"who": who, "places": rows})
        return
    for each in found:
        ways = {right: ways[0] for right, ways in each.rights.items() if ways}
        said = [f"{right} ({_way(way.folder, way.who, each.path, who)})" for right, way in ways.items()]
        _output.line(printable(f"{each.path or '.'} ({entries(each.entries)}): {', '.join(said)}"))
    if not found:
        _output.note(f"{who} may read and write nothing here.")


def _way(folder: str, through: str, path: str, who: str) -> str:
    """Say how a right is held: granted here, on a folder above, through a group."""
    parts = ["granted here" if folder == path else f"from {folder or '.'}"]
    if through != who:
        parts.append(f"through {through}")
    return ", ".join(parts)
