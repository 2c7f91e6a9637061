"""`clave rekey`: encrypt anew what has other recipients than its folder says, or list it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _output
from clave.cli._app import pass_app
from clave.cli._progress import Progress
from clave.errors import Finding, NotFound, UsageError
from clave.model.name import check_folder
from clave.store.search import missing

if TYPE_CHECKING:
    from clave.cli._app import App
    from clave.store.audience import Compared
    from clave.store.store import Store


@click.command(name="rekey")
@click.option("--check", is_flag=True, help="Only list what differs, without decrypting anything.")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON; with --check.")
@click.argument("name", default="")
@pass_app
def command(app: App, name: str, check: bool, as_json: bool) -> None:
    """Encrypt anew what has other recipients than its .gpg-id says.

    That is so after somebody has edited a .gpg-id by hand, moved files, or has a new encryption key. Without NAME
    all of the store is looked at. All entries are encrypted anew in one commit, or nothing is changed; if it is
    stopped, the same command goes on where it was. --check lists, for each such entry, whom it is not for, and who
    can read it though they are no reader of its folder.
    """
    if as_json and not check:
        raise UsageError("--json is for a list", "Add --check.")
    store, name = app.split(name)
    name = check_folder(name)
    try:
        if check:
            _check(store, name, as_json=as_json)
        else:
            _rekey(store, name)
    except NotFound:
        from clave.store import layout

        if name and not layout.is_folder(store.root, name) and not layout.is_entry(store.root, name):
            raise missing(store, name) from None
        raise


def _rekey(store: Store, name: str) -> None:
    from clave.store import rekeying

    with Progress("re-encrypted") as progress:
        done = rekeying.rekey(store, name, progress=progress)
    count = len(done.names)
    if count:
        _output.note(f"{count} {'entry' if count == 1 else 'entries'} encrypted anew")
    else:
        _output.note("Every entry is encrypted as it should be." if not done.left else "Nothing was encrypted anew.")
    if done.left:
        from clave.cli._team import left

        raise left(store, done.left)


def _check(store: Store, name: str, *, as_json: bool) -> None:
    from clave.model.name import pending_path
    from clave.store import audience, rekeying
    from clave.store.lifecycle import pending

    names = rekeying.below(store, name)
    begun = {*pending.names(store, name), *(each for each in names if pending.is_under_way(store, each))}
    found = audience.compare(store, [*names, *map(pending_path, sorted(begun))])
    if as_json:
        _print_json(found)
    else:
        from clave.cli._readers import difference_line

        for each in found.differences:
            _output.line(difference_line(each))
    if found.problem:
        raise found.problem
    if found.differences:
        count = len(found.differences)
        entries = f"{count} of {found.total} entries {'has' if count == 1 else 'have'}"
        raise Finding(f"{entries} other recipients than the .gpg-id says", "Encrypt them anew: clave rekey.")


def _print_json(found: Compared) -> None:
    from clave.cli._readers import holder_rows, recipient_rows

    rows = [
        {
            "name": each.name,
            "lacking": recipient_rows(each.lacking),
            "extra": holder_rows(each.extra),
            "hidden": each.hidden,
            "flaw": each.flaw,
        }
        for each in found.differences
    ]
    problem = found.problem.message if found.problem else None
    _output.json({"entries": found.total, "differences": rows, "problem": problem})
