"""Stores of pass and gopass: a folder of OpenPGP messages, one an entry.

1. Plaintexts are kept byte for byte, whatever they are: YAML, key files, data.
2. Who reads the folder does not count: the entries are encrypted for the readers of the store that they come to.
3. A symlink to an entry inside of the folder becomes an entry of its own; one to a folder of it is left out; any other
   is never followed.
4. So are gopass's older bodies; with `--convert` they are read (see `_gopass`).

Written is a folder that both read: each entry as it stands in the store, encrypted for whom the user names.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from clave.errors import CannotDecrypt
from clave.exchange import mapping
from clave.exchange.format import Format, Source, WriteOptions
from clave.exchange.formats._gopass import convert
from clave.exchange.item import Item, Lost, Parsed
from clave.model.name import SUFFIX, check
from clave.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


class Pass(Format):
    """The format `pass`."""

    name = "pass"
    title = "pass"
    plaintext = False
    writes = True
    folder = True
    carries_plain = True

    def recognise(self, head: bytes, name: str) -> bool:  # noqa: ARG002 - what it is called says nothing
        """Recognise the list of recipients, where there is nothing of gopass."""
        names = head.split(b"\n")
        return b".gpg-id" in names and not self._is_gopass(names)

    def read(self, source: Source) -> Parsed:
        """Return an item an entry."""
        messages: list[tuple[str, bytes]] = []
        links: list[tuple[str, str]] = []
        skipped: list[Lost] = []
        for path, content in source.files():
            if any(part.startswith(".") for part in path.split("/")):
                skipped.append(Lost(path, "the file", "it is no entry"))
            elif isinstance(content, str):
                target = posixpath.normpath(posixpath.join(posixpath.dirname(path), content))
                links.append((path.removesuffix(SUFFIX), target.removesuffix(SUFFIX)))
            elif path.endswith(SUFFIX):
                messages.append((path.removesuffix(SUFFIX), content))
            else:
                skipped.append(Lost(path, "the file", "it is no entry"))
        plaintexts, lost = self._decrypted(source, messages)
        folders = {folder for name in plaintexts for folder in _folders(name)}
        for name, target in links:
            if target in plaintexts:
                plaintexts.setdefault(name, plaintexts[target])
                skipped.append(Lost(name, "the alias", f"it is an entry of its own now, as {target} is"))
            elif target in folders:
                skipped.append(Lost(name, "the alias", f"what it leads to is there in {target}"))
            else:
                lost.append(Lost(name, "the alias", "it leads to nothing in the folder"))
        items = [_item(name, plaintext) for name, plaintext in sorted(plaintexts.items())]
        if source.options.convert:
            items = [convert(item) for item in items]
        return Parsed(tuple(items), tuple(lost), tuple(skipped))

    def files(self, items: Sequence[Item], options: WriteOptions) -> Iterator[tuple[str, bytes]]:  # noqa: ARG002 - it has none
        """Yield the entries of a store under the names that they have there."""
        for item in items:
            name = mapping.default_name(item) if item.plain is None else check("/".join((*item.folder, item.title)))
            yield from mapping.entries(item, name).items()

    def _decrypted(self, source: Source, messages: Sequence[tuple[str, bytes]]) -> tuple[dict[str, bytes], list[Lost]]:
        """Return the plaintexts by name. Raises CannotDecrypt for the first message that cannot be opened."""
        plaintexts: dict[str, bytes] = {}
        lost: list[Lost] = []
        for name, plaintext in source.decrypt(messages):
            if not isinstance(plaintext, CannotDecrypt):
                plaintexts[name] = plaintext
            elif source.options.skip_unreadable:
                lost.append(Lost(name, "the entry", "you cannot decrypt it"))
            else:
                raise CannotDecrypt(
                    f"{printable(name)}: {plaintext.message}", "Leave out what you cannot read: --skip-unreadable."
                )
        return plaintexts, lost

    def _is_gopass(self, names: Iterable[bytes]) -> bool:
        return any(name in (b".public-keys", b".gopass.yml", b".gopass") for name in names)


class Gopass(Pass):
    """The format `gopass`. It writes what pass reads, and so does pass's: only one of them is offered."""

    name = "gopass"
    title = "gopass"
    writes = False

    def recognise(self, head: bytes, name: str) -> bool:  # noqa: ARG002 - what it is called says nothing
        """Recognise a store with the keys of its recipients."""
        names = head.split(b"\n")
        return b".gpg-id" in names and self._is_gopass(names)


def _folders(name: str) -> Iterator[str]:
    while name := name.rpartition("/")[0]:
        yield name


def _item(name: str, plaintext: bytes) -> Item:
    *folder, title = name.split("/")
    return Item(title, tuple(folder), origin=name, plain=plaintext)


FORMATS = (Pass(), Gopass())
