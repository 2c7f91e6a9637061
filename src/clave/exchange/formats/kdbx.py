"""KeePass databases: KDBX 3.1 and 4 in (password, key file or both), KDBX 4 out.

`_kdbx` is the envelope, `_keepass` what lies in it. An empty password beside a key file means that there is none.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from clave.errors import UsageError
from clave.exchange.format import BadFile, Format
from clave.exchange.formats import _kdbx, _keepass
from clave.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clave.exchange.format import Source, WriteOptions
    from clave.exchange.item import Item, Lost, Parsed


class Kdbx(Format):
    """A database, encrypted by a password, a key file, or both."""

    name = "kdbx"
    title = "KeePass, KeePassXC (KDBX 3.1 and 4)"
    plaintext = False
    writes = True

    def recognise(self, head: bytes, name: str) -> bool:  # noqa: ARG002 - the beginning says it
        """Tell whether a file begins as all of KeePass do: version 1 too, so that `read` says what to do with it."""
        return head[:4] == _kdbx.SIGNATURE[:4]

    def read(self, source: Source) -> Parsed:
        """Return what a database holds."""
        opened = _kdbx.open_file(source.read(), lambda: _kdbx.composite(*_credentials(source)))
        root = _keepass.parse(opened.xml)
        said = root.findtext("Meta/HeaderHash")
        if opened.header_hash and said and said.strip() != base64.b64encode(opened.header_hash).decode():
            raise BadFile("the header of the database was changed by somebody without its key", "Take a backup.")
        _keepass.unprotect(root, opened.unprotect)
        return _keepass.read(root, opened.binaries, include_deleted=source.options.include_deleted)

    def losses(self, items: Sequence[Item]) -> list[Lost]:
        """Return what reading the XML, which is not encrypted for that, does not give back."""
        written = _keepass.write(items, inner=True)
        back = _keepass.read(_keepass.parse(written.xml), written.binaries).items
        return _keepass.losses(items, back)

    def write(self, items: Sequence[Item], options: WriteOptions) -> bytes:
        """Return a fresh database."""
        password = (options.password() if options.password else "") or None
        if password is None and not options.key_file:
            raise UsageError("a database of KeePass wants a password or a key file", "Use --password-file.")
        written = _keepass.write(items, inner=True)
        return _kdbx.seal(written.xml, written.binaries, password, options.key_file)


def _credentials(source: Source) -> tuple[str | None, bytes | None]:
    if not source.key_file:
        return source.password(), None
    try:
        with open(source.key_file, "rb") as file:
            key = file.read(_kdbx.MAX_KEY_FILE + 1)
    except OSError as error:
        raise UsageError(f"the key file {printable(source.key_file)} cannot be read: {error.strerror}") from None
    if not key:
        raise UsageError(f"the key file {printable(source.key_file)} is empty", "Name the right one.")
    return source.password() or None, key


FORMATS = (Kdbx(),)
