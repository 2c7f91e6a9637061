"""`clave allow`: allow a manifest the secrets that it asks for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from clave.cli import _allowed, _ask, _output
from clave.cli._app import pass_app
from clave.cli._checks import exclusive
from clave.delivery import allowing, choosing, manifest
from clave.errors import NotFound, UsageError, VerificationFailed
from clave.model.text import printable

if TYPE_CHECKING:
    from clave.cli._app import App
    from clave.delivery.asked import Manifest


@click.command(name="allow")
@click.option("--list", "as_list", is_flag=True, help="List what has been allowed.")
@click.option("--remove", "removes", is_flag=True, help="Take back what the file has been allowed.")
@click.option("--sure", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="With --list: print JSON.")
@click.argument("path", metavar="[FILE]", required=False)
@pass_app
def command(app: App, path: str | None, as_list: bool, removes: bool, sure: bool, as_json: bool) -> None:
    """Allow a manifest the secrets that it asks for.

    FILE is a manifest, or a .env file with references in it; by default the nearest clave.toml. What it asks for is
    shown first. A file that comes with a clone could name any secret of yours, so nothing hands out what it asks for
    before this; what it may ask for then is exactly that. Whether its program is to be trusted nobody can tell but you.
    """
    exclusive(list=as_list, remove=removes)
    if as_json and not as_list:
        raise UsageError("--json is for --list", "Say both.")
    if as_list:
        _list(path, as_json=as_json)
        return
    path = path or manifest.find(os.getcwd())
    if path is None:
        raise NotFound(f"there is no {manifest.FILE} here or in a folder above", "Name a file.")
    if removes:
        if not allowing.remove(path):
            raise NotFound(f"{path} has not been allowed anything", "See what has: clave allow --list.")
        return
    _allow(app, path, sure=sure)


def _allow(app: App, path: str, *, sure: bool) -> None:
    found = _read(path)
    store = choosing.store_of(app.settings, found, app.store_name)
    asking = choosing.Asking(found.path, tuple(found.everything()), found=_is_manifest(path))
    for line in _allowed.asked(asking, store):
        _output.note(line)
    if not sure and not _ask.confirm("Allow it?"):
        raise VerificationFailed(
            f"{found.path} was not allowed anything", None if _ask.interactive() else "Without a terminal, say --sure."
        )
    allowing.allow(path, store, asking.references)


def _read(path: str) -> Manifest:
    """Return what a file says, which is a manifest by its name, and else a .env file."""
    return manifest.read(path) if _is_manifest(path) else choosing.read_env_file(path)


def _is_manifest(path: str) -> bool:
    return path.endswith((".toml", *manifest.SUMMON))


def _list(path: str | None, *, as_json: bool) -> None:
    known = [each for each in allowing.listed() if path is None or each.path == os.path.realpath(path)]
    if as_json:
        _output.json(
            {
                "allowed": [
                    {"file": each.path, "store": store, "references": sorted(map(str, references))}
                    for each in known
                    for store, references in each.stores.items()
                ]
            }
        )
        return
    for each in known:
        for store, references in each.stores.items():
            _output.line(printable(f"{each.path}: {len(references)} of {store}"))
            for reference in sorted(map(str, references)):
                _output.line(printable(f"  {reference}"))
