"""What a format is, which ones there are, and which one a file is in.

A format turns bytes into items and items into bytes; it knows nothing of stores, gpg or git. Rules:

1. Nothing is silently dropped: each part of the source that is not empty is in an item, in `lost` or in `skipped`.
2. What `write` would not carry, `losses` has told; read again, what was written is the items without that.
3. Any bytes at all end in a result, BadFile or CannotDecrypt, in bounded time and memory: see `exchange.limits`.
4. No value stands in an error, in a Lost or in an origin.
5. The same items give the same bytes (but for salts and random ids where the format wants them).

Our formats are the modules of `exchange.formats`, each with a tuple FORMATS. Others come from installed packages, by
the entry point group `clave.formats`; their names may not be ours. One that cannot be loaded is told in one line when
it is asked for, and does not keep the others from working.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from clave.errors import UsageError
from clave.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from clave.errors import CannotDecrypt
    from clave.exchange.item import Item, Lost, Parsed

GROUP = "clave.formats"  # of entry points
HEAD = 1 << 16  # bytes of a file by which a format is recognised
MAX_READ = 256 << 20  # bytes of a file, unless a format takes less


class BadFile(UsageError):
    """A file that is not of the format, or damaged, or beyond what we read. The message says where, never a value."""

    code = "bad-file"


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the user asked of a reader; each format takes what means something to it."""

    mapping: Sequence[tuple[str, str]] = ()  # --map: our part, the file's column
    include_deleted: bool = False  # the recycle bin, the archive, the trash
    split: bool = False  # one entry a variable (dotenv)
    convert: bool = False  # read bodies that are otherwise kept byte for byte (gopass)
    skip_unreadable: bool = False  # leave out messages that cannot be decrypted (pass, gopass)


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """What the user asked of a writer. `password` asks once, None where nobody was asked for one."""

    password: Callable[[], str] | None = None
    key_file: bytes | None = None  # the content of one


class Source(Protocol):
    """The file, or the folder, that is read; `exchange.limits` makes them."""

    path: str  # as the user gave it; "-" is standard input
    key_file: str | None  # path of a key file, if one was given
    options: ReadOptions

    def head(self, size: int = HEAD) -> bytes:
        """Return the first bytes; of a folder, the names in it, one a line."""

    def read(self, limit: int = MAX_READ) -> bytes:
        """Return all bytes. Raises BadFile for more than `limit`, NotFound, UsageError (it cannot be read)."""

    def password(self) -> str:
        """Return the file's password, asked for once. Raises UsageError if there is nobody to ask."""

    def files(self) -> Iterator[tuple[str, bytes | str]]:
        """Yield, of a folder, each file's relative path and its bytes; the target (str) of a symlink inside of it."""

    def decrypt(self, messages: Sequence[tuple[str, bytes]]) -> Iterator[tuple[str, bytes | CannotDecrypt]]:
        """Yield name and plaintext of OpenPGP messages, or why there is none."""


@runtime_checkable
class Format(Protocol):
    """One format. Subclass it for the defaults, or write a class with the same members."""

    name: str  # what the user types: lower case, digits, dashes
    title: str  # what people call it: "KeePass (KDBX 3.1 and 4)"
    plaintext: bool = True  # whether what it writes is readable by anybody
    reads: bool = True
    writes: bool = False
    folder: bool = False  # it is a folder of files, not a file: see `files`
    carries_plain: bool = False  # it carries `Item.plain`: what is written is read again as the same plaintexts

    def recognise(self, head: bytes, name: str) -> bool:  # noqa: ARG002 - a default
        """Tell whether a file that begins so and has this name (without folders) is of this format, and no other."""
        return False

    def read(self, source: Source) -> Parsed:
        """Return what a file holds. Raises BadFile, CannotDecrypt (a wrong password)."""
        raise UsageError(f"{source.path} is not read: clave only writes {self.name}")

    def losses(self, items: Sequence[Item]) -> list[Lost]:  # noqa: ARG002 - a default
        """Return what `write` would not carry of the items, without writing."""
        return []

    def write(self, items: Sequence[Item], options: WriteOptions) -> bytes:  # noqa: ARG002 - a default
        """Return the file. Raises UsageError (no password for a format that wants one)."""
        raise UsageError(f"clave does not write {self.name}")

    def files(self, items: Sequence[Item], options: WriteOptions) -> Iterator[tuple[str, bytes]]:  # noqa: ARG002
        """Yield, for a folder of OpenPGP messages, the name of each (without `.gpg`) and its plaintext."""
        raise UsageError(f"clave does not write {self.name}")


@cache
def _ours() -> dict[str, Format]:
    from pkgutil import iter_modules

    from clave.exchange import formats

    found: dict[str, Format] = {}
    for module in iter_modules(formats.__path__):
        if not module.name.startswith("_"):
            for each in import_module(f"{formats.__name__}.{module.name}").FORMATS:
                found[each.name] = each
    return dict(sorted(found.items()))


@cache
def _others() -> dict[str, Format | UsageError]:
    """Return the formats of installed packages; in the place of one that cannot be used, why."""
    from importlib.metadata import entry_points

    found: dict[str, Format | UsageError] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda each: each.name):
        if point.name in _ours():
            continue
        package = printable(point.dist.name if point.dist else point.module)
        try:
            loaded = point.load()
        except Exception as error:  # noqa: BLE001 - whatever another's module raises
            problem = UsageError(
                f"the format '{printable(point.name)}' of the package '{package}' cannot be loaded: "
                f"{type(error).__name__}: {printable(str(error))}",
                "Update or remove that package.",
            )
            found[point.name] = problem
            continue
        if isinstance(loaded, Format) and loaded.name == point.name:
            found[point.name] = loaded
        else:
            found[point.name] = UsageError(
                f"the format '{printable(point.name)}' of the package '{package}' is not one: "
                "it lacks a member of clave.exchange.format.Format, or has another name",
                "Update or remove that package.",
            )
    return found


def all_formats() -> dict[str, Format]:
    """Return every format that can be used, by name; ours first."""
    others = {name: each for name, each in _others().items() if not isinstance(each, UsageError)}
    return {**_ours(), **others}


def find(name: str) -> Format:
    """Return a format by name. Raises UsageError for one that is not there, or broken."""
    found = _ours().get(name) or _others().get(name)
    if isinstance(found, UsageError):
        raise found
    if found is None:
        from difflib import get_close_matches

        close = get_close_matches(name, all_formats(), 1)
        hint = f"Did you mean {close[0]}?" if close else f"There are: {', '.join(all_formats())}."
        raise UsageError(f"'{printable(name)}' is no format", hint)
    return found


def detect(source: Source, *, folder: bool = False) -> Format:
    """Return the one format that a file is in. Raises BadFile if it looks like none, or like several."""
    head, name = source.head(), os.path.basename(os.path.normpath(source.path))
    candidates = [each for each in all_formats().values() if each.reads and each.folder == folder]
    found = [each for each in candidates if each.recognise(head, name)]
    if len(found) == 1:
        return found[0]
    what = printable(source.path)
    if found:
        names = " or ".join(each.name for each in found)
        raise BadFile(f"{what} may be {names}", f"Say which: clave import {found[0].name} …")
    hint = "Name the format: clave import --formats lists them."
    if name.lower().endswith(".csv"):
        hint = "Say what its columns are: clave import csv FILE --map title=COLUMN,password=COLUMN,…"
    raise BadFile(f"{what} is in no format that clave recognises", hint)
