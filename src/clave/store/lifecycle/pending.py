"""Rotations under way: where they are kept, how one is read, who began it.

A pending file is read like an entry: from the store's folder, and in a team's store only as the verified HEAD has it.
It is encrypted to those who read its entry, so each of them can end what one of them has begun.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import CannotDecrypt, StoreDamaged, UsageError, VerificationFailed
from clave.model.name import PENDING, check, pending_name, pending_path
from clave.openpgp import packets
from clave.rotation import pending
from clave.store import layout

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clave.rotation.pending import Pending
    from clave.store.operation import Operation
    from clave.store.store import Store
    from clave.vcs.git import Repository


class UnderWay(NamedTuple):
    """A rotation under way: its entry, since when (Unix seconds) and by whom, as its commit says; 0 and "": no commit.

    In a team's store `who` is the roster's name of the signer, else a claim.
    """

    name: str
    since: int
    who: str


def names(store: Store, folder: str = "") -> list[str]:
    """Return the entries below a folder of which a rotation is kept, sorted. The entry itself may be gone."""
    inside = f"{PENDING}{folder}/" if folder else PENDING
    paths = _files(os.path.join(store.root, inside), inside)
    return sorted(name for name in map(pending_name, paths) if name)


def with_entries(store: Store, folder: str = "") -> list[str]:
    """Return all that is encrypted to the readers of a folder and those below: entries, and what is kept of them."""
    return sorted({*layout.own_entries(store.root, folder), *names(store, folder)})


def under_way(store: Store) -> list[UnderWay]:
    """Return the rotations under way; nothing is decrypted."""
    return [about(store, name) for name in names(store)]


def about(store: Store, name: str) -> UnderWay:
    """Return who has begun the rotation of an entry, and when: of the commit that has added its file."""
    repository = store.repository()
    if repository is None or repository.head() is None:
        return UnderWay(name, 0, "")
    from clave.vcs import graph

    path = repository.relative(os.path.join(store.root, pending_path(name)))
    options = ("--format=%H", "--diff-filter=A", "--no-renames", "--no-ext-diff", "--max-count=1")
    commit = repository.run("log", *options, "HEAD", "--", path).out.decode().strip()
    if not commit:
        return UnderWay(name, 0, "")
    told = graph.commit(repository, commit)
    return UnderWay(name, told.time, _signer(store, repository, commit) or told.author)


def _signer(store: Store, repository: Repository, commit: str) -> str:
    """Return the roster's name for who signed a commit, "" in a plain store."""
    from clave.vcs import reading

    team = store.known_team()
    return team.signer(dict(reading.objects(repository, [commit], "commit"))[commit]) if team else ""


def is_under_way(store: Store, name: str) -> bool:
    """Tell whether a rotation of an entry is kept."""
    return os.path.lexists(_file(store, name))


def read(store: Store, name: str) -> Pending | None:
    """Return the rotation of an entry, None where there is none.

    Raises StoreDamaged for a file that is none, or is another entry's, CannotDecrypt, and VerificationFailed where it
    is not what a team's HEAD has.
    """
    data = content(store, name)
    if data is None:
        return None
    if store.is_team:
        from clave.store.trust.verification import verify_head

        repository = store.team_repository()
        _require_committed(repository, verify_head(repository).local, pending_path(name), data)
    return opened(store, name, data)


def opened(store: Store, name: str, data: bytes) -> Pending:
    """Return the rotation of an entry that a ciphertext holds. Raises StoreDamaged, CannotDecrypt."""
    from clave.openpgp.message import decrypt

    return pending.load(name, decrypt(data, name=f"the rotation of {name}", options=store.options))


def read_in(change: Operation, store: Store, name: str) -> Pending | None:
    """Return the rotation of an entry as an operation finds it. Raises as `read`, GitFailed for an uncommitted one."""
    change.require_unchanged([pending_path(name)])
    data = content(store, name)
    return None if data is None else opened(store, name, data)


def content(store: Store, name: str) -> bytes | None:
    """Return the ciphertext of a rotation, None where there is none. Raises StoreDamaged, CannotDecrypt."""
    path = _file(store, name)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise CannotDecrypt(f"the rotation of {name} cannot be read: {error.strerror}") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or not layout.inside(store.root, path) or status.st_size > layout.MAX_FILE:
            raise StoreDamaged(f"{pending_path(name)} is not an ordinary file of the store", "Remove it.")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)


def present(store: Store, name: str) -> list[str] | None:
    """Return the key ids that a rotation is encrypted to, None for what is no message that may be opened."""
    try:
        data = content(store, name)
        return None if data is None else packets.inspect(packets.dearmor(data)).recipients
    except (CannotDecrypt, StoreDamaged):
        return None


def is_for_its_readers(store: Store, name: str) -> bool:
    """Tell whether a rotation is encrypted to those who read its entry now. Raises as `recipients.for_folder`."""
    from clave.store.recipients import for_folder
    from clave.store.renewal import fits

    ids = present(store, name)
    return ids is not None and fits(ids, for_folder(store, name.rpartition("/")[0]))


def require_none(store: Store, entries: Iterable[str], what: str) -> None:
    """Raise UsageError if one of the entries is being rotated, and so may not be removed or replaced (`what`)."""
    begun = set(names(store))
    for name in entries:
        if name in begun:
            raise UsageError(
                f"{name} is being rotated{by(about(store, name))}, and would be {what}",
                f"End that first: clave rotate --resume {name}, or --abort {name}.",
            )


def move(change: Operation, store: Store, old: str, new: str) -> None:
    """Let the rotation of an entry that is moved follow it, if there is one. Raises as `read_in`."""
    change.require_unchanged([pending_path(old)])
    data = content(store, old)
    if data is not None:
        carry(change, store, data, old, new)


def carry(change: Operation, store: Store, data: bytes, old: str, new: str) -> None:
    """Let a rotation, whose ciphertext is `data`, be that of another entry. Raises StoreDamaged, CannotDecrypt."""
    found = opened(store, old, data)
    change.remove(pending_path(old))
    change.write_pending(new, pending.dump(found._replace(entry=new)))


def by(each: UnderWay) -> str:
    """Return in words who has begun a rotation, and when: ` by alice since 2026-11-25 09:00`."""
    from clave.store.past import moment

    who = f" by {each.who}" if each.who else ""
    return f"{who} since {moment(each.since)}" if each.since else who


def _file(store: Store, name: str) -> str:
    return os.path.join(store.root, pending_path(check(name)))


def _require_committed(repository: Repository, commit: str, path: str, data: bytes) -> None:
    from clave.vcs import reading
    from clave.vcs.objects import hash_of, object_id

    blob = object_id(b"blob", data, hash_of(commit))
    if not any(row.path == path and row.blob == blob for row in reading.files(repository, commit, (path,))):
        raise VerificationFailed(
            f"{path} is not what was committed last", f"Bring it back: clave git checkout HEAD -- {path}, or remove it."
        )


def _files(folder: str, prefix: str) -> list[str]:
    """Return the paths of the files below a folder; no symlink is followed."""
    found: list[str] = []
    try:
        items = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return found
    for item in items:
        if item.is_dir(follow_symlinks=False):
            found += _files(item.path, f"{prefix}{item.name}/")
        elif not item.is_symlink():
            found.append(prefix + item.name)
    return found
