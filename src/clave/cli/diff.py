"""`clave diff`: what changed in an entry."""

from __future__ import annotations

import sys
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

import click

from clave.cli import _output
from clave.cli._app import pass_app
from clave.errors import Finding
from clave.model.text import printable

if TYPE_CHECKING:
    from clave.cli._app import App
    from clave.model.difference import Difference
    from clave.store.history import Comparison

_STYLES = {"added": "good", "removed": "bad", "changed": "warning"}


@click.command(name="diff", context_settings={"ignore_unknown_options": True})
@click.option("--reveal", is_flag=True, help="Show the values, line by line.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.argument("name")
@click.argument("old", metavar="[REV", required=False)
@click.argument("new", metavar="[REV]]", required=False)
@pass_app
@click.pass_context
def command(
    ctx: click.Context, app: App, name: str, old: str | None, new: str | None, reveal: bool, as_json: bool
) -> None:
    """What changed in an entry, field by field.

    With two REVs, from one to the other; with one, from it to what is there now; without, by the last change. Values
    that are secret are not shown without --reveal.

    REV is -N (N versions of the entry earlier), a date (YYYY-MM-DD) or a commit. Exits with 1 if something
    differs, with 0 if nothing does.
    """
    from clave.store import history

    store, name = app.look(name)
    found = history.compare(store, name, old, new)
    if as_json:
        _output.json(_document(name, found, reveal=reveal))
    elif found.differences:
        _output.line(f"{printable(name)}: {found.old_label} → {found.new_label}")
        if reveal:
            _lines(found)
        else:
            for each in found.differences:
                _output.line(f"  {_masked(each)}")
    if found.differences:
        ctx.exit(Finding.exit_code)


def _masked(each: Difference) -> str:
    """Return one part that differs; its values only if they are not secret."""
    part = printable(each.part)
    if each.part == "content":
        sizes = " → ".join("nothing" if data is None else f"{len(data):,} bytes" for data in (each.old, each.new))
        return f"{part}: {sizes}, they differ"
    if each.secret:
        return f"{part}: {_output.paint(each.change, _STYLES[each.change], sys.stdout)}"
    return f"{part}: {' → '.join(_text(value) for value in (each.old, each.new))}"


def _lines(found: Comparison) -> None:
    """Write the lines that differ, as `diff` does."""
    if any(each.part == "content" for each in found.differences):
        for each in found.differences:
            _output.line(f"  {_masked(each)}")
        return
    old, new = ((plaintext or b"").split(b"\n") for plaintext in (found.old, found.new))
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            for line in old[a:b]:
                _output.line(_output.paint(f"- {_text(line)}", "bad", sys.stdout))
            for line in new[c:d]:
                _output.line(_output.paint(f"+ {_text(line)}", "good", sys.stdout))


def _text(value: bytes | None) -> str:
    return "(nothing)" if value is None else printable(value.decode("utf-8", "surrogateescape"))


def _document(name: str, found: Comparison, *, reveal: bool) -> dict[str, object]:
    rows = []
    for each in found.differences:
        row: dict[str, object] = {"part": each.part, "change": each.change, "secret": each.secret}
        if reveal or not each.secret:
            row |= {"old": _json_text(each.old), "new": _json_text(each.new)}
        rows.append(row)
    return {"name": name, "old": found.old_label, "new": found.new_label, "differences": rows}


def _json_text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "backslashreplace")
