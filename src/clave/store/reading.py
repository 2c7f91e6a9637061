"""Reading one entry. Imported by the fast path: nothing heavy may be imported here."""

from __future__ import annotations

from clave.errors import NotFound
from clave.openpgp.message import decrypt
from clave.store.layout import is_entry, read_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def read(root: str, name: str, *, options: Sequence[str] = ()) -> bytes:
    """Return the plaintext of an entry, byte for byte; `options` are the user's own for gpg.

    Raises UsageError (no name), NotFound, StoreDamaged, CannotDecrypt.
    """
    if not is_entry(root, name):
        raise NotFound(f"{name} is not in the password store")
    return decrypt(read_file(root, name), name=name, options=options)
