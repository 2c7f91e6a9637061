"""What `clave insert` does. Loaded also where click is not."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from clave.cli import _ask, _output
from clave.cli._checks import exclusive, replacing, require_strength
from clave.errors import CannotDecrypt, Finding, Interrupted, NotFound

if TYPE_CHECKING:
    from clave.cli._state import App


def insert(
    app: App,
    name: str,
    *,
    echo: bool = False,
    multiline: bool = False,
    path: str | None = None,
    force: bool = False,
    allow_weak: bool = False,
) -> None:
    """Put an entry into the store; the arguments are those of the command."""
    exclusive(echo=echo, multiline=multiline, file=path)
    store, name = app.split(name)
    replacing(store, name, force=force)
    if path is not None:
        plaintext = _content(path)
    elif multiline:
        plaintext = _everything(name)
    else:
        plaintext = os.fsencode(_password(name, echo=echo)) + b"\n"
    from clave.store import writing

    if not allow_weak:
        require_strength(store, name, plaintext)
    writing.insert(store, name, plaintext, subject=f"Add given password for {name} to store.")


def _password(name: str, *, echo: bool) -> str:
    prompt = f"Enter password for {name}: "
    if echo:
        return _ask.line(prompt)
    first = _ask.hidden(prompt)
    try:
        again = _ask.hidden(f"Retype password for {name}: ")
    except Interrupted:
        if _ask.interactive():
            raise
        return first  # a pipe that ends after one line has said it
    if first != again:
        raise Finding("the entered passwords do not match")
    return first


def _everything(name: str) -> bytes:
    if _ask.interactive():
        _output.note(f"Enter contents of {name} and press Ctrl+D when finished:\n")
    return sys.stdin.buffer.read()


def _content(path: str) -> bytes:
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        with open(path, "rb") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(f"there is no file {path}") from None
    except OSError as error:
        raise CannotDecrypt(f"the file {path} cannot be read: {error.strerror}") from None
