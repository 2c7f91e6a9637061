"""Encrypting many entries anew: what has to be, whether it can be, and the work itself.

- Looked at is the outside of the files: one is due if its recipients are not exactly those of its folder.
- Before anything is made, every reader has to be one that can be encrypted to, and every file that is due one that
  a key of ours opens. All that is not so is told at once.
- Then one file after the other is decrypted and encrypted, in bounded memory and while the agent works on the next.
- What was made of more than a few files is kept in a file until the commit, so that a process that is stopped has
  not worked for nothing. It holds ciphertext only. What is taken from it is what was made of the very same file,
  under the same name, for the same keys, and is looked at again. Who may write that file may write the store.
- What is kept is in nobody's way: no other command reads it. It goes with the commit, or when nothing in it fits.
"""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import BadMessage, CannotDecrypt, CannotEncrypt, Interrupted, KeyLocked
from clave.model.name import entry_folder
from clave.openpgp import keys, packets
from clave.openpgp.message import not_ours, untrusted
from clave.store.recipients import all_problems

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from clave.openpgp.keys import Recipient
    from clave.store.recipients import Readers, TeamReaders

    # Called with how many of how many are done.
    Progress = Callable[[int, int], None]

FEW = 32  # files of which it is not worth to keep what was made of them
_NAMED = 10  # entries that an error names

_MAGIC = b"clave-rekey 1\n"
_DIGEST = 32  # bytes of a SHA-256


class Due(NamedTuple):
    """An entry to be encrypted anew: its name, what its file holds, and who shall read it.

    Of a rotation that is under way, the name is the path of its file.
    """

    name: str
    ciphertext: bytes
    recipients: list[Recipient]

    @property
    def mark(self) -> bytes:
        """What tells this piece of work from any other: name, file and keys."""
        about = (os.fsencode(self.name), self.ciphertext, *sorted(each.subkey.encode() for each in self.recipients))
        return sha256(b"".join(len(part).to_bytes(8, "big") + part for part in about)).digest()


def due(
    entries: Iterable[tuple[str, bytes]], readers: Readers | TeamReaders, *, options: Sequence[str] = ()
) -> list[Due]:
    """Return those of the entries (name, ciphertext) whose recipients are not the ones that hold.

    Raises CannotEncrypt or CannotDecrypt that names all that stands in the way. No agent is asked.
    """
    wanted: list[tuple[Due, list[str]]] = []
    problems: dict[str, CannotEncrypt] = {}
    damaged: list[tuple[str, CannotDecrypt]] = []
    for name, ciphertext in entries:
        recipients: list[Recipient] = []
        try:
            recipients = readers.of(entry_folder(name))
        except CannotEncrypt as problem:
            problems.setdefault(problem.message, problem)
        try:
            present = packets.inspect(packets.dearmor(ciphertext)).recipients
        except BadMessage as reason:
            damaged.append((name, untrusted(name, reason)))
            continue
        if not fits(present, recipients):
            wanted.append((Due(name, ciphertext, recipients), present))
    unreadable = damaged + (_not_ours(wanted, options) if wanted else [])
    if problems:
        error = all_problems(problems.values())
        if unreadable:
            error.message += f"; and {_names(unreadable)} cannot be decrypted"
        raise error
    if unreadable:
        raise _all_unreadable(unreadable)
    return [each for each, _ in wanted]


def fits(present: Sequence[str], recipients: Sequence[Recipient]) -> bool:
    """Tell whether key ids of a message are exactly those of the recipients."""
    return sorted(present) == sorted(recipient.key_id for recipient in recipients)


def _not_ours(wanted: Iterable[tuple[Due, list[str]]], options: Sequence[str]) -> list[tuple[str, CannotDecrypt]]:
    own = keys.own_key_ids(options=options)
    if not own:
        return []  # there may be no agent: a decryption will say what is the matter
    own.add(packets.HIDDEN)
    return [(each.name, not_ours(each.name, present)) for each, present in wanted if own.isdisjoint(present)]


def renew(
    wanted: Sequence[Due], kept: Kept | None, *, options: Sequence[str] = (), progress: Progress | None = None
) -> Iterator[tuple[str, bytes]]:
    """Yield the name of each entry that is due and its new ciphertext; first those that were kept.

    Raises CannotDecrypt at the end, naming each entry that cannot be read; KeyLocked and CannotEncrypt at once.
    """
    total = len(wanted)
    known = kept.fitting(wanted) if kept else {}
    yield from known.items()
    failed: list[tuple[str, CannotDecrypt]] = []
    try:
        rest = [each for each in wanted if each.name not in known]
        for done, (each, ciphertext) in enumerate(_made(rest, failed, options), len(known) + 1):
            if kept:
                kept.add(each.mark, ciphertext)
            yield each.name, ciphertext
            if progress:
                progress(done, total)
    except (KeyboardInterrupt, Interrupted):
        raise Interrupted("interrupted, and nothing was changed", kept.hint(total) if kept else None) from None
    except KeyLocked as failure:
        failure.hint = " ".join(filter(None, (failure.hint, kept.hint(total) if kept else None)))
        raise
    if failed:
        raise _all_unreadable(failed)


def _made(
    wanted: Sequence[Due], failed: list[tuple[str, CannotDecrypt]], options: Sequence[str]
) -> Iterator[tuple[Due, bytes]]:
    """Yield each with its new ciphertext; what cannot be decrypted is added to `failed`."""
    if not wanted:
        return
    from clave.openpgp import bulk

    by_name = {each.name: each for each in wanted}

    def opened() -> Iterator[tuple[str, bytes, Sequence[Recipient]]]:
        for name, plaintext in bulk.decrypt_many(((each.name, each.ciphertext) for each in wanted), options=options):
            if isinstance(plaintext, CannotDecrypt):
                failed.append((name, plaintext))
            else:
                yield name, plaintext, by_name[name].recipients

    for name, ciphertext in bulk.encrypt_many(opened(), options=options):
        yield by_name[name], ciphertext


def _names(failed: Sequence[tuple[str, CannotDecrypt]]) -> str:
    return ", ".join(name for name, _ in failed[:_NAMED]) + (", …" if len(failed) > _NAMED else "")


def _all_unreadable(failed: Sequence[tuple[str, CannotDecrypt]]) -> CannotDecrypt:
    first = failed[0][1]
    if len(failed) == 1:
        return first
    text = f"{len(failed)} entries cannot be decrypted ({_names(failed)}): {first.message}"
    return type(first)(text, first.hint)


class Kept:
    """What a re-encryption has made so far, in a file that is only added to.

    A piece is a mark (see `Due`), the length of a ciphertext, its checksum, and the ciphertext. A process that is
    killed may leave a piece cut off, a machine that dies any nonsense: what is not whole is not there.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: int | None = None
        self._count = 0

    def fitting(self, wanted: Iterable[Due]) -> dict[str, bytes]:
        """Return the ciphertexts that were made of these entries as they are now, by name; open the file to add."""
        pieces, end = self.pieces()
        found: dict[str, bytes] = {}
        for each in wanted:
            ciphertext = pieces.get(each.mark)
            if ciphertext is not None and _is_for(ciphertext, each.recipients):
                found[each.name] = ciphertext
        self._count = len(found)
        self._open(end if found else 0)
        return found

    def add(self, mark: bytes, ciphertext: bytes) -> None:
        """Keep one more. A disk that is full, or read-only, is no reason to stop: the commit will meet it."""
        if self._file is None:
            return
        piece = mark + len(ciphertext).to_bytes(8, "big") + sha256(ciphertext).digest() + ciphertext
        try:
            whole = os.write(self._file, piece) == len(piece)
        except OSError:
            whole = False
        if whole:
            self._count += 1
        else:
            self.close()

    def hint(self, total: int) -> str | None:
        """Say what running the same command again has the good of."""
        if not self._count:
            return None
        return f"Run it again: it goes on after {self._count} of {total}."

    def close(self) -> None:
        """Close the file, which stays if there is something in it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
            if not self._count:
                self.drop()

    def drop(self) -> None:
        """Remove the file."""
        self.close()
        with suppress(OSError):
            os.unlink(self._path)

    def pieces(self) -> tuple[dict[bytes, bytes], int]:
        """Return the whole pieces, ciphertexts by their marks, and where the last of them ends in the file."""
        try:
            with open(os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
                data = file.read()
        except OSError:
            data = b""
        pieces: dict[bytes, bytes] = {}
        if not data.startswith(_MAGIC):
            return pieces, 0
        at = len(_MAGIC)
        while True:
            start = at + 2 * _DIGEST + 8
            length = int.from_bytes(data[at + _DIGEST : at + _DIGEST + 8], "big")
            ciphertext = data[start : start + length]
            if start > len(data) or len(ciphertext) < length or sha256(ciphertext).digest() != data[start - 32 : start]:
                return pieces, at
            pieces[data[at : at + _DIGEST]] = ciphertext
            at = start + length

    def _open(self, end: int) -> None:
        """Open the file for what follows its first `end` bytes."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        with suppress(OSError):
            self._file = os.open(self._path, flags, 0o600)
            os.ftruncate(self._file, end)
            if not end:
                os.write(self._file, _MAGIC)


def _is_for(ciphertext: bytes, recipients: Sequence[Recipient]) -> bool:
    try:
        return fits(packets.inspect(ciphertext).recipients, recipients)
    except BadMessage:
        return False
