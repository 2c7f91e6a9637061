"""Reading one entry. Imported by the fast path: nothing heavy may be imported here."""

from __future__ import annotations

from clave.openpgp.message import decrypt
from clave.store.layout import read_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def read(root: str, name: str, *, options: Sequence[str] = ()) -> bytes:
    """Return the plaintext of an entry, byte for byte; `options` are the user's own for gpg.

    Raises UsageError (no name), NotFound, StoreDamaged, CannotDecrypt.
    """
    return decrypt(read_file(root, name), name=name, options=options)
