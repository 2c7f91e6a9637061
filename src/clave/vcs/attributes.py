"""The marked block in `.git/info/attributes` that keeps everybody's filters and line ends away from our files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clave.vcs.git import Repository

_BEGIN = "# clave: begin (entries and store files are kept byte for byte)\n"
_END = "# clave: end\n"
_PLAIN = "-text -eol -filter -ident -working-tree-encoding"
# Without a driver of ours git keeps one side of an entry that two people have changed, and says that it is a conflict.
_BLOCK = f"{_BEGIN}*.gpg {_PLAIN} merge=binary\n.gpg-id {_PLAIN}\n{_END}"
_WITH_DRIVERS = f"{_BEGIN}*.gpg {_PLAIN} merge=clave diff=gpg\n.gpg-id {_PLAIN}\n{_END}"


def protect_attributes(repository: Repository) -> None:
    """Keep one marked block in `.git/info/attributes`: no filter or line-end rule of anybody touches our files.

    A block that names our drivers stays.
    """
    text = _read(_path(repository))
    if _BLOCK not in text and _WITH_DRIVERS not in text:
        _write(_path(repository), text, _BLOCK)


def use_drivers(repository: Repository, *, wanted: bool) -> None:
    """Let git merge and show entries by our drivers, or no more. Who configures them comes first."""
    path = _path(repository)
    text = _read(path)
    block = _WITH_DRIVERS if wanted else _BLOCK
    if block not in text:
        _write(path, text, block)


def _path(repository: Repository) -> str:
    return os.path.join(repository.common_dir, "info", "attributes")


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def _write(path: str, text: str, block: str) -> None:
    """Write the file with another block of ours in it."""
    before, begin, rest = text.partition(_BEGIN)
    if begin:
        rest = rest.partition(_END)[2]
    if before and not before.endswith("\n"):
        before += "\n"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    # Ours come last: within one file the last line that sets an attribute wins (gitattributes(5)).
    with open(path + ".clave", "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(before + rest + block)
    os.replace(path + ".clave", path)
