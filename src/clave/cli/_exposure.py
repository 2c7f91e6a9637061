"""How exposed values are shown: as lines, as JSON, as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clave.cli import _output
from clave.model.text import printable
from clave.store.past import moment, utc

if TYPE_CHECKING:
    from clave.store.lifecycle.exposing import Exposure, Found
    from clave.store.store import Store

LIMITS = "What no history knows is not here: other clones, screenshots, what others gave away. Dates are claims."


def tell(found: Found, *, what: str, most: int | None = None) -> None:
    """Print a line for each value, at `most` so many, then how much that is and what it cannot say."""
    several = len({each.who for each in found.values}) > 1 or not found.who
    for each in found.values[:most]:
        _output.line(printable(line(each, with_name=several)))
    if most is not None and len(found.values) > most:
        _output.note(f"… and {len(found.values) - most} more")
    open_ones = [each for each in found.values if not each.accepted]
    count = len({each.name for each in open_ones})
    if found.values:
        rest = len(found.values) - len(open_ones)
        accepted = f"; {rest} {'is' if rest == 1 else 'are'} accepted" if rest else ""
        _output.note(f"{count} {'entry has a value' if count == 1 else 'entries have values'} to change{accepted}.")
    else:
        _output.note(printable(f"No value in use is known to {what}."))
    for note in notes(found):
        _output.note(note)


def line(each: Exposure, *, with_name: bool) -> str:
    """Return a value as a line: its name, who knows it and how, since when."""
    how = {"read": "could read it", "wrote": "wrote it", "possibly": "may be one who can read it"}[each.how]
    partly = ", some of it is new since" if each.partly else ""
    who = f"{each.who} " if with_name else ""
    accepted = f" (accepted: {each.accepted})" if each.accepted else ""
    charged = ", ".join(filter(None, (each.owner, f"driver {each.driver}" if each.driver else "")))
    end = f" [{charged}]" if charged else ""
    return f"{each.name}  {who}{how} since {moment(each.since)}{partly}{accepted}{end}"


def notes(found: Found) -> list[str]:
    """Return what has to stand under a list."""
    told = []
    if found.unnamed:
        told.append(f"{found.unnamed} more that they could open: in no commit here, so nobody can say what they are.")
    if found.unread:
        told.append(f"{found.unread} versions could not be opened to compare them; of these the commits are believed.")
    if found.by_recipients:
        told.append("Not all of their keys are here: by old .gpg-id files, some of this was made for them.")
    if found.claims:
        told.append("Who wrote what is what unsigned commits say.")
    return [*told, LIMITS]


def document(found: Found) -> dict[str, object]:
    """Return what is printed with --json."""
    return {
        "who": list(found.who),
        "values": [{**each._asdict(), "since": utc(each.since)} for each in found.values],
        "unnamed": found.unnamed,
        "claims": found.claims,
        "unread": found.unread,
        "by_recipients": found.by_recipients,
    }


def page(store: Store, found: Found) -> str:
    """Return a page of HTML, of nothing but itself."""
    from html import escape

    who = ", ".join(found.who) or "everybody who is gone"
    rows = [
        (each.name, each.who, each.how, moment(each.since), each.partly, each.accepted, each.owner, each.driver)
        for each in found.values
    ]
    cells = "".join(
        "<tr>" + "".join(f"<td>{escape(printable(_text(cell)))}</td>" for cell in row) + "</tr>\n" for row in rows
    )
    head = "".join(
        f"<th>{each}</th>" for each in ("entry", "who", "how", "since", "partly", "accepted", "owner", "driver")
    )
    under = "".join(f"<p>{escape(each)}</p>\n" for each in notes(found))
    title = escape(printable(f"Exposed to {who}: {store.root}"))
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{title}</title>\n'
        "<style>body{font-family:sans-serif}td,th{text-align:left;padding:.2em 1em .2em 0}</style>\n"
        f"<h1>{title}</h1>\n<table>\n<tr>{head}</tr>\n{cells}</table>\n{under}</html>\n"
    )


def _text(cell: str | bool) -> str:
    return {True: "yes", False: ""}[cell] if isinstance(cell, bool) else cell
