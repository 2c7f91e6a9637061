"""Reading what is to be exported, and writing the file: a new one, for its owner alone, complete or not at all.

The entries are those that are files of their own below the paths, so each is there once; an alias (a symlink) is told
as not carried. What cannot be opened stops the export, unless the user leaves it out.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import CannotDecrypt, CannotWrite, NotFound, UsageError
from clave.exchange import mapping, naming
from clave.exchange.item import Lost
from clave.model.name import SUFFIX, check_folder
from clave.openpgp import bulk
from clave.store import layout
from clave.store.search import missing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clave.exchange.format import Format, WriteOptions
    from clave.exchange.item import Item
    from clave.openpgp.keys import Recipient
    from clave.store.renewal import Progress
    from clave.store.store import Store


class Exported(NamedTuple):
    """The items below some paths; what of the store or of them is not carried; what is there under another name."""

    items: list[Item]
    lost: list[Lost]
    skipped: list[Lost]


def collect(
    store: Store,
    paths: Sequence[str],
    form: Format,
    *,
    skip_unreadable: bool = False,
    progress: Progress | None = None,
) -> Exported:
    """Return what is to be exported; no paths are all of the store.

    Raises NotFound (also where there is nothing), CannotDecrypt (what cannot be opened, if it is not to be skipped),
    StoreDamaged, KeyLocked.
    """
    names, aliases = _names(store, paths or [""])
    plaintexts: dict[str, bytes] = {}
    failed: list[str] = []
    messages = ((name, layout.read_own(store.root, name)) for name in names)
    for number, (name, plaintext) in enumerate(bulk.decrypt_many(messages, options=store.options), 1):
        if isinstance(plaintext, CannotDecrypt):
            failed.append(name)
        else:
            plaintexts[name] = plaintext
        if progress:
            progress(number, len(names))
    if failed and not skip_unreadable:
        raise CannotDecrypt(
            f"{len(failed)} of {len(names)} entries cannot be opened",
            "Export the folders that you can read, or leave these out: --skip-unreadable.",
            tuple(failed[:20]),
        )
    if not plaintexts:
        raise NotFound("there is nothing to export")
    plaintexts = {name: plaintexts[name] for name in sorted(plaintexts, key=naming.order)}
    items = mapping.items(plaintexts, exact=form.carries_plain)
    lost = [Lost(name, "all of it", "it cannot be opened") for name in failed]
    skipped: list[Lost] = []
    for alias in aliases:
        target = _target(store, alias)
        if target in plaintexts:
            skipped.append(Lost(alias, "the alias", f"it is there as {target}"))
        else:
            lost.append(Lost(alias, "the alias", "it leads to nothing that is exported"))
    return Exported(items, lost + list(form.losses(items)), skipped)


def _target(store: Store, alias: str) -> str:
    """Return the entry that an alias leads to, as far as it lies in the store."""
    real = os.path.realpath(layout.entry_file(store.root, alias))
    return os.path.relpath(real, os.path.realpath(store.root)).removesuffix(SUFFIX)


def _names(store: Store, paths: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the entries at and below some paths with what belongs to them, and the aliases among them."""
    own = layout.own_entries(store.root)
    chosen: dict[str, None] = {}
    aliases: dict[str, None] = {}
    every = set(own)
    for path in paths:
        plain = check_folder(path)
        below = f"{plain}/" if plain else ""
        found = [name for name in own if name.startswith(below)] if layout.is_folder(store.root, plain) else []
        if plain in every:
            found += [name for name in own if name in (plain, plain + naming.HISTORY)]
            found += [name for name in own if name.startswith(f"{plain}{naming.FILES}/")]
        links = [name for name in layout.entries(store.root, plain) if name not in every] if not plain else []
        links += [plain] if plain not in every and plain and layout.is_entry(store.root, plain) else []
        if not found and not links:
            raise missing(store, path) if plain else NotFound("there is nothing to export")
        chosen.update(dict.fromkeys(found))
        aliases.update(dict.fromkeys(links))
    return [name for name in own if name in chosen], list(aliases)


# Writing


def check_target(store: Store, path: str) -> None:
    """Raise UsageError for a place where `write_file` would not write: nothing need be decrypted for it."""
    folder = os.path.dirname(path) or "."
    if os.path.lexists(path):
        raise UsageError(f"{path} is there already", "Name a new file, or remove that one.")
    if not os.path.isdir(folder):
        raise UsageError(f"there is no folder {folder}", "Make it first.")
    if layout.inside(store.root, os.path.join(folder, "x")):
        raise UsageError(f"{path} is in the store", "Name a file somewhere else: it would be shared with the store.")


def write_file(path: str, data: bytes) -> None:
    """Make a new file of mode 0600, complete or not at all; a link at its place is not followed.

    Raises UsageError if there is something by now, CannotWrite.
    """
    try:
        if not _write_nameless(path, data):
            _write_aside(path, data)
    except FileExistsError:
        raise UsageError(f"{path} is there already", "Name a new file, or remove that one.") from None
    except OSError as error:
        raise CannotWrite(f"cannot write {path}: {error.strerror}") from None


def _write_nameless(path: str, data: bytes) -> bool:
    """Write a file that has no name before it is complete: a killed one leaves nothing. False: it cannot be done."""
    try:
        descriptor = os.open(os.path.dirname(path) or ".", os.O_WRONLY | os.O_TMPFILE | os.O_CLOEXEC, 0o600)
    except (AttributeError, OSError):  # not Linux, or a file system that cannot
        return False
    with open(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
        try:
            # Without a folder's descriptor Python would link the link in /proc.
            os.link(f"/proc/self/fd/{descriptor}", path, src_dir_fd=descriptor, follow_symlinks=True)
        except FileExistsError:
            raise
        except OSError:  # there is no /proc
            return False
    return True


def _write_aside(path: str, data: bytes) -> None:
    descriptor, temporary = tempfile.mkstemp(prefix=".clave-export-", dir=os.path.dirname(path) or ".")
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        _place(temporary, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)


def _place(temporary: str, path: str) -> None:
    """Give a complete file its name, if nothing has that name."""
    try:
        os.link(temporary, path, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError:  # a file system without links: the name is taken first, then what stands there is our own
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
        os.replace(temporary, path)


def encrypt(data: bytes, recipients: Sequence[Recipient], store: Store) -> bytes:
    """Return a file as an OpenPGP message. Raises CannotEncrypt."""
    from clave.openpgp.message import encrypt as encrypt_one

    return encrypt_one(data, recipients, options=store.options)


def write_folder(
    path: str,
    form: Format,
    items: Sequence[Item],
    options: WriteOptions,
    recipients: Sequence[Recipient],
    store: Store,
) -> None:
    """Make a new folder of OpenPGP messages, complete or not at all. Raises UsageError, CannotEncrypt, CannotWrite."""
    messages = ((name, plaintext, recipients) for name, plaintext in form.files(items, options))
    try:
        temporary = tempfile.mkdtemp(prefix=".clave-export-", dir=os.path.dirname(path) or ".")
        try:
            for name, ciphertext in bulk.encrypt_many(messages, options=store.options):
                _write_below(temporary, name + SUFFIX, ciphertext)
            ids = "".join(f"{each.fingerprint}\n" for each in recipients)
            _write_below(temporary, layout.RECIPIENTS, ids.encode())
            os.rename(temporary, path)  # fails for what is there, but an empty folder
        except BaseException:
            _remove(temporary)
            raise
    except FileExistsError:
        raise UsageError(f"{path} is there already", "Name a new folder.") from None
    except OSError as error:
        raise CannotWrite(f"cannot write {path}: {error.strerror}") from None


def _write_below(folder: str, name: str, data: bytes) -> None:
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "xb") as file:
        file.write(data)


def _remove(folder: str) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
