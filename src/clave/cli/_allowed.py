"""Choosing variables, and the question whether a file may have what it asks for. Loaded also where click is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clave.cli import _ask, _output
from clave.delivery import allowing, choosing
from clave.errors import VerificationFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clave.cli._state import App
    from clave.delivery.choosing import Asking, Chosen
    from clave.store.store import Store


def choose(
    app: App,
    *,
    profile: str | None = None,
    manifest: str | None = None,
    entries: Sequence[str] = (),
    env_files: Sequence[str] = (),
    folders: Sequence[str] = (),
    only: Sequence[str] = (),
    without: Sequence[str] = (),
    allow: bool = False,
    allow_names: Sequence[str] = (),
) -> Chosen:
    """Return what the options choose, all of it allowed.

    Raises UsageError, NotFound, and VerificationFailed for a file that is not allowed what it asks for.
    """
    wish = choosing.Wish(
        profile, manifest, entries, env_files, folders, _words(only), _words(without), _words(allow_names)
    )
    found = choosing.choose(app.settings, wish, app.store_name)
    for asking in found.asking if not allow else ():
        require(found.store, asking)
    return found


def _words(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(word.strip() for text in texts for word in text.split(",") if word.strip())


def require(store: Store, asking: Asking, hint: str = "See what: clave allow; or say --allow.") -> None:
    """Ask whether a file may have what it asks for, unless that is known. Raises VerificationFailed.

    `hint` is the next step where there is no terminal to ask on.
    """
    lacking = allowing.lacking(asking.path, store, asking.references)
    if not lacking and (not asking.found or allowing.is_known(asking.path, store)):
        return
    lines = asked(asking, store)
    if _ask.interactive():
        for line in lines:
            _output.note(line)
        if _ask.confirm("Allow it?"):
            allowing.allow(asking.path, store, asking.references, keep=True)
            return
    raise VerificationFailed(
        f"{asking.path} asks for {len(lacking)} secrets that it has not been allowed"
        if lacking
        else f"{asking.path} is new, and has not been allowed",
        None if _ask.interactive() else hint,
    )


def asked(asking: Asking, store: Store) -> list[str]:
    """Say what a file asks for, what is new first, with a mark before it; and what it sets besides."""
    lacking = allowing.lacking(asking.path, store, asking.references)
    known = allowing.is_known(asking.path, store)
    lines = [f"{asking.path} asks for these secrets of the store {store.name or store.root}:"]
    for variable in sorted(asking.variables, key=lambda each: (not each.references & lacking, not each.references)):
        if variable.references:
            new = "+" if variable.references & lacking else " "
            lines.append(f"{new} {variable.name}: {', '.join(sorted(map(str, variable.references)))}")
        elif asking.found:  # what a .env file sets may be secret itself
            lines.append(f"{' ' if known else '+'} {variable.name} = {variable.value}")
    return lines
