"""`clave grep`: entries by their decrypted text."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from clave.cli import _output
from clave.cli._app import pass_app
from clave.cli._checks import exclusive
from clave.cli._options import OptionalValue, OptionalValues
from clave.cli._progress import Progress
from clave.errors import CannotDecrypt, Finding, StoreDamaged, UsageError
from clave.model.text import printable
from clave.store import search
from clave.store.search import GrepOptions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from clave.cli._app import App
    from clave.store.search import Line, Searched

# GNU grep's colours (mt, ln and se of its GREP_COLORS), which pass asks for; so is the second sequence of each.
_MATCH = "\x1b[01;31m\x1b[K%s\x1b[m\x1b[K"
_NUMBER = "\x1b[32m\x1b[K%s\x1b[m\x1b[K"
_SEPARATOR = "\x1b[36m\x1b[K%s\x1b[m\x1b[K"
_HEADING = "\x1b[94m%s\x1b[1m%s\x1b[0m:\n"

_BINARY = "binary content matches"
_LINES = click.IntRange(min=0)


@click.command(name="grep", cls=OptionalValues, context_settings={"help_option_names": ["--help"]})
@click.option("-e", "--regexp", "patterns", multiple=True, metavar="PATTERN", help="A pattern; may be given twice.")
@click.option("-G", "--basic-regexp", "syntax", flag_value="basic", help="Read patterns as grep does (default).")
@click.option("-E", "--extended-regexp", "syntax", flag_value="extended", help="Read patterns as `grep -E` does.")
@click.option("-F", "--fixed-strings", "syntax", flag_value="fixed", help="Take patterns as plain text.")
@click.option("-P", "--perl-regexp", "syntax", flag_value="perl", help="Read patterns as Python does.")
@click.option("-i", "-y", "--ignore-case", is_flag=True, help="Ignore case.")
@click.option("-v", "--invert-match", "invert", is_flag=True, help="Select lines that do not match.")
@click.option("-w", "--word-regexp", "whole_words", is_flag=True, help="Match whole words only.")
@click.option("-x", "--line-regexp", "whole_lines", is_flag=True, help="Match whole lines only.")
@click.option("-a", "--text", "as_text", is_flag=True, help="Show the lines of binary entries too.")
@click.option("-m", "--max-count", "most", type=_LINES, metavar="N", help="Stop after N lines of an entry.")
@click.option("-A", "--after-context", "after", type=_LINES, metavar="N", help="Show N lines after each.")
@click.option("-B", "--before-context", "before", type=_LINES, metavar="N", help="Show N lines before each.")
@click.option("-C", "--context", "around", type=_LINES, metavar="N", help="Show N lines before and after each.")
@click.option("-n", "--line-number", "numbers", is_flag=True, help="Show line numbers.")
@click.option("-o", "--only-matching", "only_matching", is_flag=True, help="Show only what matched.")
@click.option("-h", "--no-filename", "bare", is_flag=True, help="Show lines without the names of the entries.")
@click.option("-c", "--count", is_flag=True, help="Show how many lines match.")
@click.option("-l", "--files-with-matches", "matching", is_flag=True, help="Show the names of matching entries.")
@click.option("-L", "--files-without-match", "others", is_flag=True, help="Show the names of the other entries.")
@click.option("-q", "--quiet", "--silent", is_flag=True, help="Show nothing: the exit code tells.")
@click.option("-s", "--no-messages", is_flag=True, help="Do not name the entries that cannot be decrypted.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--color",
    "--colour",
    "colour",
    cls=OptionalValue,
    bare="auto",
    metavar="WHEN",
    type=click.Choice(("auto", "always", "never")),
    default="auto",
    help="Colours: always, never, or auto (on a terminal).",
)
@click.argument("arguments", metavar="PATTERN [FOLDER]", nargs=-1)
@pass_app
@click.pass_context
def command(
    ctx: click.Context,
    app: App,
    /,
    arguments: tuple[str, ...],
    patterns: tuple[str, ...],
    matching: bool,
    others: bool,
    quiet: bool,
    no_messages: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Search the decrypted text of all entries.

    PATTERN is a basic regular expression, as with grep. With FOLDER only what is in it is searched.
    Exit code 1: nothing matched; 4: an entry could not be decrypted (it is named, the others are searched).
    """
    exclusive(
        count=options["count"],
        files_with_matches=matching,
        files_without_match=others,
        quiet=quiet,
        json=as_json,
    )
    patterns, folder = _arguments(patterns, arguments)
    store, where = app.look(folder, below=True)
    style = _style(options)
    total = search.count_entries(store, where)
    found: list[Searched] = []
    failed: list[Searched] = []
    with Progress("Searching") as progress:
        for number, entry in enumerate(search.grep(store, _grep_options(patterns, options), where)):
            progress(number, total)
            if entry.error:
                failed.append(entry)
            elif bool(entry.count) != others:
                found.append(entry)
                if not (quiet or as_json):
                    progress.clear()
                    text = f"{printable(entry.name)}\n" if matching or others else _text(entry, style)
                    _output.value(text.encode("utf-8", "surrogateescape"))
    if as_json:
        _output.json({"matches": [_document(entry) for entry in found], "failed": [each.name for each in failed]})
    if failed:
        raise _failure(failed, total, name_them=not no_messages)
    if not found:
        ctx.exit(Finding.exit_code)


def _arguments(patterns: tuple[str, ...], arguments: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Return the patterns, of which the first argument is one if none was given with -e, and the folder."""
    if not patterns:
        patterns, arguments = arguments[:1], arguments[1:]
    if not patterns or len(arguments) > 1:
        raise UsageError("grep takes one PATTERN and at most one FOLDER", "Quote a PATTERN that has blanks.")
    return patterns, arguments[0] if arguments else ""


def _grep_options(patterns: tuple[str, ...], options: dict[str, Any]) -> GrepOptions:
    around = options["around"] or 0
    return GrepOptions(
        patterns,
        syntax=options["syntax"] or "basic",
        ignore_case=options["ignore_case"],
        invert=options["invert"],
        whole_words=options["whole_words"],
        whole_lines=options["whole_lines"],
        as_text=options["as_text"],
        most=options["most"],
        before=around if options["before"] is None else options["before"],
        after=around if options["after"] is None else options["after"],
    )


@dataclass(frozen=True)
class _Style:
    """How matches are shown. `terminal`: what could control one is escaped. `groups`: with context."""

    colour: bool
    terminal: bool
    bare: bool
    count: bool
    numbers: bool
    only_matching: bool
    groups: bool


def _style(options: dict[str, Any]) -> _Style:
    return _Style(
        colour=options["colour"] == "always" or (options["colour"] == "auto" and _output.coloured(sys.stdout)),
        terminal=sys.stdout.isatty(),
        bare=options["bare"],
        count=options["count"],
        numbers=options["numbers"],
        only_matching=options["only_matching"],
        groups=any(options[name] is not None for name in ("before", "after", "around")),
    )


def _text(entry: Searched, style: _Style) -> str:
    """Return an entry's matches as pass shows grep's."""
    folder, slash, last = printable(entry.name).rpartition("/")
    heading = "" if style.bare else _HEADING % (folder + slash, last) if style.colour else f"{folder}{slash}{last}:\n"
    if style.count:
        return f"{heading}{entry.count}\n"
    if entry.binary:
        return f"{heading}{_BINARY}\n"
    return heading + "".join(f"{line}\n" for line in _lines(entry, style))


def _lines(entry: Searched, style: _Style) -> Iterator[str]:
    last = 0
    for line in entry.lines:
        if style.groups and 0 < last < line.number - 1:
            yield _SEPARATOR % "--" if style.colour else "--"
        last = line.number
        prefix = _prefix(line, style) if style.numbers else ""
        if style.only_matching:
            for start, end in line.spans:
                yield prefix + _matched(line.text[start:end], style)
        else:
            yield prefix + _highlighted(line, style)


def _prefix(line: Line, style: _Style) -> str:
    separator = ":" if line.selected else "-"
    return _NUMBER % line.number + _SEPARATOR % separator if style.colour else f"{line.number}{separator}"


def _highlighted(line: Line, style: _Style) -> str:
    parts, at = [], 0
    for start, end in line.spans:
        parts += [_plain(line.text[at:start], style), _matched(line.text[start:end], style)]
        at = end
    return "".join(parts) + _plain(line.text[at:], style)


def _matched(text: str, style: _Style) -> str:
    return _MATCH % _plain(text, style) if style.colour else _plain(text, style)


def _plain(text: str, style: _Style) -> str:
    return printable(text, keep="\t") if style.terminal else text


def _document(entry: Searched) -> dict[str, object]:
    lines = [{"number": line.number, "text": line.text, "match": line.selected} for line in entry.lines]
    return {"name": entry.name, "count": entry.count, "binary": entry.binary, "lines": lines}


def _failure(failed: list[Searched], total: int, *, name_them: bool) -> CannotDecrypt | StoreDamaged:
    """Return the error for entries that could not be searched, after naming each of them."""
    if name_them:
        for entry in failed:
            assert entry.error is not None
            _output.warn(f"{entry.name}: {entry.error.message}")
    kind = CannotDecrypt if any(isinstance(entry.error, CannotDecrypt) for entry in failed) else StoreDamaged
    return kind(f"{len(failed)} of {total} entries could not be searched")
