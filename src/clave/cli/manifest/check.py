"""`clave manifest check`: see whether all that the manifest asks for is there, and readable."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from clave.cli import _output
from clave.cli._app import pass_app
from clave.cli._checks import exclusive
from clave.errors import CannotDecrypt, ClaveError, NotFound
from clave.model.text import printable

if TYPE_CHECKING:
    from clave.cli._app import App
    from clave.delivery.asked import Manifest, Variable
    from clave.store.store import Store


@click.command(name="check")
@click.option("-p", "--profile", metavar="PROFILE", help="Check this profile.")
@click.option("--all", "everything", is_flag=True, help="Check all profiles.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.argument("path", metavar="[FILE]", required=False)
@pass_app
def command(app: App, path: str | None, profile: str | None, everything: bool, as_json: bool) -> None:
    """See whether all that the manifest asks for is there, and readable.

    FILE is a manifest; by default the nearest clave.toml. What cannot be read is told with who can, and whom to ask. No
    value is shown, and the manifest need not be allowed.
    """
    from clave.delivery import choosing, manifest, resolving

    exclusive(profile=profile, all=everything)
    path = path or manifest.find(os.getcwd())
    if path is None:
        raise NotFound(f"there is no {manifest.FILE} here or in a folder above", "Make one: clave manifest init.")
    found = manifest.read(path)
    store = choosing.store_of(app.settings, found, app.store_name)
    checked = {each: _check(store, found.variables(each)) for each in _profiles(found, profile, everything=everything)}
    rows = [(name, *row) for name, rows in checked.items() for row in rows]
    if as_json:
        _output.json({"file": found.path, "variables": [_document(*row) for row in rows]})
    else:
        for name, variable, problem in rows:
            if problem is None:
                asked = ", ".join(sorted(map(str, variable.references))) or "no secret"
                _output.line(printable(f"{_label(name, variable)}: {asked}: good"))
    problems = [(_label(name, variable), problem) for name, variable, problem in rows if problem]
    if problems:
        raise resolving.all_problems(problems, f"{len(problems)} of {len(rows)} variables of {found.path} are not good")


def _profiles(found: Manifest, profile: str | None, *, everything: bool) -> list[str | None]:
    if not everything:
        return [profile]
    return [*([] if found.needs_profile else [None]), *found.profiles]


def _check(store: Store, variables: tuple[Variable, ...]) -> list[tuple[Variable, ClaveError | None]]:
    from clave.delivery import names, resolving

    results = dict(resolving.attempt(store, variables))
    rows: list[tuple[Variable, ClaveError | None]] = []
    for each in variables:
        result = results[each.name]
        try:
            names.check(each.name)
        except ClaveError as refused:
            result = refused
        rows.append((each, result if isinstance(result, ClaveError) else None))
    return rows


def _label(profile: str | None, variable: Variable) -> str:
    return f"{profile}.{variable.name}" if profile else variable.name


def _document(profile: str | None, variable: Variable, problem: ClaveError | None) -> dict[str, object]:
    state = "good"
    if problem:
        state = "unreadable" if isinstance(problem, CannotDecrypt) else problem.code
    return {
        "profile": profile,
        "name": variable.name,
        "references": sorted(map(str, variable.references)),
        "state": state,
        "problem": problem.line() if problem else None,
    }
