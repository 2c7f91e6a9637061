"""`clave import`: what another manager has exported becomes entries, in one commit."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from clave.cli import _ask, _exchange, _output
from clave.cli._app import pass_app
from clave.cli._progress import Progress
from clave.errors import NotFound, UsageError
from clave.model.text import printable

if TYPE_CHECKING:
    from clave.cli._app import App
    from clave.exchange.format import Format, ReadOptions, Source
    from clave.exchange.planning import Plan, Policy

_WORDS = {
    "new": "new",
    "equal": "equal",
    "conflict": "conflict",
    "skip": "skip",
    "replace": "replace",
    "keep-both": "keep both",
    "merge": "merge",
}
_MANY = 40  # lines of new entries; more are counted, unless the list is what was asked for


@click.command(name="import")
@click.argument("source", metavar="[FORMAT] FILE", nargs=-1, required=True)
@click.option("--into", default="", metavar="FOLDER", help="Put them below this folder.")
@click.option("-n", "--dry-run", is_flag=True, help="Only show what would be done.")
@click.option("--on-conflict", "policy", type=click.Choice(["skip", "replace", "keep-both", "merge"]),
              help="What to do with entries that are there with another content.")  # fmt: skip
@click.option("--lossy", is_flag=True, help="Go on although something is not carried.")
@click.option("--map", "mapping", multiple=True, metavar="PART=COLUMN,…", help="With csv: which column is what.")
@click.option("--no-history", is_flag=True, help="Leave out older versions.")
@click.option("--deleted", is_flag=True, help="Bring in also what is in the bin or the archive.")
@click.option("--split", is_flag=True, help="With dotenv: an entry a variable.")
@click.option("--convert", is_flag=True, help="With gopass: read old bodies instead of keeping them as they are.")
@click.option("--skip-unreadable", is_flag=True, help="With pass and gopass: leave out what you cannot decrypt.")
@click.option("--password-file", metavar="FILE", help="Read the file's password from the first line of FILE.")
@click.option("--password-fd", type=int, metavar="N", help="Read it from file descriptor N.")
@click.option(
    "--key-file", metavar="FILE", help="The key file of a KeePass database; with an empty password, all its key."
)
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
@_exchange.formats
@pass_app
def command(
    app: App,
    /,
    source: tuple[str, ...],
    *,
    into: str,
    dry_run: bool,
    policy: Policy | None,
    lossy: bool,
    no_history: bool,
    password_file: str | None,
    password_fd: int | None,
    key_file: str | None,
    as_json: bool,
    **chosen: object,
) -> None:
    """Bring in the entries of another manager, or of a file.

    The format is found by the content, or named; `-` is standard input. First the plan is shown: what is new, what is
    in the store already with the same content, what is there with another one, and what is not carried. Then all of it
    is one commit, or nothing is changed. Nothing of the file is dropped without a word: each part of it is found in the
    store, or in that list.

    \b
    clave import export.json                 the format is found
    clave import kdbx team.kdbx --into old/keepass
    clave import csv list.csv --map title=Name,password=Pwd,url=Site
    clave import pass ~/.password-store-old  a folder of another store
    clave import dotenv .env --into app      one entry; with --split one a variable
    clave import keyring                     the keyring of this desktop

    In --map, PART is title, folder, user, password, url, notes, otp, tags, created, modified, expires, or skip; other
    columns become fields.
    """
    from clave.cli import _desktop
    from clave.exchange import importing, limits, planning

    store, into = app.split(into)
    if source == (_desktop.NAME,) and not os.path.lexists(_desktop.NAME):
        form: Format = _desktop.Desktop()
        parsed = _desktop.Desktop().read()
    else:
        name, path = (None, *source) if len(source) == 1 else source if len(source) == 2 else (None, None)
        if path is None:
            raise UsageError("import takes a FILE, and before it at most the FORMAT", "Quote a name that has blanks.")
        opened = limits.open_source(
            path,
            _options(chosen),
            password=_exchange.password(
                password_file,
                password_fd,
                f"Password of {path}",
                from_input=path == limits.STANDARD_INPUT,
                key_file=key_file is not None,
            ),
            key_file=key_file,
            gpg_options=store.options,
        )
        form = _format(name, opened)
        parsed = form.read(opened)
    plan = planning.plan(store, parsed, into=into, policy=policy, history=not no_history)
    _show(plan, form, as_json=as_json, full=dry_run)
    if dry_run:
        return
    count = plan.count("conflict")
    if count:
        there = f"{_exchange.plural(count)} {'is' if count == 1 else 'are'} in the store with another content"
        raise UsageError(f"{there}: nothing was imported", "Choose: --on-conflict skip, replace, keep-both or merge.")
    _exchange.require_losses_accepted(list(plan.lost), lossy=lossy)
    writes = plan.count("new", "replace", "keep-both", "merge")
    if not writes:
        skipped = plan.count("skip")
        there = "The store has it all." if plan.steps else "There is nothing in it."
        _output.note(f"Nothing to import. {f'{_exchange.plural(skipped)} skipped.' if skipped else there}")
        return
    if _ask.interactive() and not _agreed(writes, plan.count("replace")):
        raise UsageError("nothing was imported")
    with Progress("encrypted") as progress:
        importing.carry_out(store, plan, form.title, progress=progress)
    _output.note(f"{_exchange.plural(writes)} imported")


def _agreed(writes: int, replaced: int) -> bool:
    """Ask; where entries are replaced that is the question that --yes answers, and nothing else is at stake."""
    more = f", {replaced} of them in place of what is there" if replaced else ""
    return os.environ.get("CLAVE_YES") == "1" or _ask.confirm(f"Import {_exchange.plural(writes)}{more}?")


def _options(chosen: dict[str, object]) -> ReadOptions:
    from clave.exchange.format import ReadOptions

    return ReadOptions(
        mapping=_mapping(chosen["mapping"]),
        include_deleted=bool(chosen["deleted"]),
        split=bool(chosen["split"]),
        convert=bool(chosen["convert"]),
        skip_unreadable=bool(chosen["skip_unreadable"]),
    )


def _mapping(given: object) -> tuple[tuple[str, str], ...]:
    """Return the pairs of --map; a column whose name holds a comma stands in quotes."""
    import csv

    assert isinstance(given, tuple)
    pairs = [pair.partition("=") for row in csv.reader(given) for pair in row]
    if not all(part and column for part, _, column in pairs):
        raise UsageError("--map takes PART=COLUMN", "For instance --map title=Name,password=Pwd.")
    return tuple((part.strip(), column) for part, _, column in pairs)


def _format(name: str | None, source: Source) -> Format:
    from clave.exchange import format as formats
    from clave.exchange.limits import FolderSource

    folder = isinstance(source, FolderSource)
    if name is None:
        try:
            return formats.detect(source, folder=folder)
        except NotFound as missing:
            if source.path in formats.all_formats():
                raise UsageError(
                    f"{source.path} is a format, and the file is missing", "clave import FORMAT FILE"
                ) from None
            raise missing
    form = formats.find(name)
    if not form.reads:
        raise UsageError(f"clave does not read {form.name}", "It only writes it.")
    if form.folder != folder:
        what = "a folder" if form.folder else "a file"
        raise UsageError(f"{form.name} is {what}, and {printable(source.path)} is not", "Name another one.")
    return form


def _show(plan: Plan, form: Format, *, as_json: bool, full: bool) -> None:
    if as_json:
        _output.json(_document(plan, form))
        return
    new = plan.count("new")
    for step in plan.steps:
        if step.action == "new" and new > _MANY and not full:
            continue
        why = f"  ({printable(step.why)})" if step.why else ""
        _output.line(f"{_WORDS[step.action]:<9}  {printable(step.name)}{why}")
    if new > _MANY and not full:
        _output.line(f"{_WORDS['new']:<9}  {new} entries; --dry-run lists them")
    for line in _exchange.lines(plan.skipped, "left out ") + _exchange.lines(plan.lost, "lost     "):
        _output.line(line)


def _document(plan: Plan, form: Format) -> dict[str, object]:
    steps = [
        {"name": step.name, "action": step.action, "origin": step.item.origin, "why": step.why or None}
        for step in plan.steps
    ]
    lost, skipped = _exchange.documents(plan.lost), _exchange.documents(plan.skipped)
    return {"format": form.name, "entries": steps, "lost": lost, "skipped": skipped}
