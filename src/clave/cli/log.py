"""`clave log`: who changed what, and when."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from clave.cli import _output
from clave.cli._app import pass_app
from clave.model.text import printable

if TYPE_CHECKING:
    from clave.cli._app import App
    from clave.store.history import Event, Touched

_ON_A_TERMINAL = 50  # operations that are shown there unless -n says otherwise
_NAMED = 3  # entries of one operation that a line names
_WIDEST_AUTHOR = 24

_STYLES = {"good": "good", "unsigned": "faint", "unchecked": "faint"}


@click.command(name="log")
@click.option("-n", "--number", metavar="N", type=click.IntRange(min=0),
              help=f"The newest N operations, 0 for all (on a terminal: {_ON_A_TERMINAL}).")  # fmt: skip
@click.option("--verify/--no-verify", default=True, help="Check the signatures, or only say that there is one.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.argument("name", default="")
@pass_app
def command(app: App, name: str, number: int | None, verify: bool, as_json: bool) -> None:
    """Who changed what, and when.

    NAME is an entry, followed back through renames and copies, or a folder; without it, all of the store. The
    newest operation comes first. In a pipe the columns are separated by tabs: commit, time, author, signature,
    and what was done.

    Author and time are what the author's git says; a signature is checked with your keyring. It is good, or
    untrusted (by a key that you have not certified), expired or revoked (the key is so now), unknown-key, or bad.
    """
    from clave.store import history
    from clave.store.past import utc

    store, name = app.split(name)
    on_terminal = sys.stdout.isatty() and not as_json
    limit = _ON_A_TERMINAL if number is None and on_terminal else number or None
    events = history.log(store, name, limit=limit, verify=verify)
    if as_json:
        _output.json({"log": [_document(event) for event in events]})
    elif on_terminal:
        _table(events)
        if number is None and len(events) == limit:
            _output.note(f"These are the newest {limit}; -n 0 shows all.")
    else:
        for event in events:
            who = printable(event.author)
            _output.line("\t".join((event.commit, utc(event.time), who, _signature(event), _what(event))))


def _table(events: list[Event]) -> None:
    from clave.store.past import moment, short

    authors = [printable(event.author)[:_WIDEST_AUTHOR] for event in events]
    width = max(map(len, authors), default=0)
    for event, author in zip(events, authors, strict=True):
        signature = _signature(event)
        style = _STYLES.get(event.signature, "bad")
        columns = (
            _output.paint(short(event.commit), "faint", sys.stdout),
            moment(event.time),
            f"{author:{width}}",
            _what(event),
            "" if event.signature == "unsigned" else _output.paint(f"[{signature}]", style, sys.stdout),
        )
        _output.line("  ".join(columns).rstrip())


def _what(event: Event) -> str:
    """Return what was done to which entries, on one line."""
    touched = (*event.entries, *event.others)
    # What the operation's word says about every entry is not said again.
    plain = event.operation not in (None, "undo", "restore", "merge")
    parts = [_one(each, plain=plain) for each in touched[:_NAMED]]
    if len(touched) > _NAMED:
        parts.append(f"and {len(touched) - _NAMED} more")
    word = event.operation or f"“{printable(event.subject)}”"
    return f"{word} {', '.join(parts)}"


def _one(touched: Touched, *, plain: bool) -> str:
    name = printable(touched.name)
    if touched.source is not None:
        name = f"{printable(touched.source)} → {name}"
    return name if plain else f"{name} ({touched.change})"


def _signature(event: Event) -> str:
    return f"{event.signature}: {printable(event.signer)}" if event.signer else event.signature


def _document(event: Event) -> dict[str, object]:
    from clave.store.past import utc

    return {
        "commit": event.commit,
        "time": utc(event.time),
        "author": event.author,
        "email": event.email,
        "operation": event.operation,
        "subject": event.subject,
        "entries": [touched._asdict() for touched in event.entries],
        "others": [touched._asdict() for touched in event.others],
        "signature": event.signature,
        "key": event.key or None,
        "signer": event.signer or None,
    }
