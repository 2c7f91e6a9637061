"""Putting files into a folder such that a crash leaves each one old or new, never half.

A file is first written beside its place under a name of its own and synced; `put` then only renames. The
name is a function of the file's own name and the content's id, so that whoever cleans up after a crash can find it.
"""

from __future__ import annotations

import os
import zlib
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from clave.errors import CannotWrite

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Above this many files one sync of everything is cheaper than one of each.
_SYNC_EACH = 32


class Link(str):
    """The target of a symlink, where other content is bytes."""

    __slots__ = ()


class Program(bytes):
    """The content of a file that may be executed, as another program has committed it."""

    __slots__ = ()


Content = bytes | Link


def content_at(path: str) -> Content | None:
    """Return what stands at `path`: a file's bytes, a symlink's target, or None for nothing or a folder."""
    try:
        return Link(os.readlink(path))
    except OSError:
        pass
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def _open_at_once(path: str, flags: int) -> int:
    """Open a file; a FIFO in its place must not make us wait for a writer."""
    return os.open(path, flags | os.O_NONBLOCK)


def is_folder(path: str) -> bool:
    """Tell whether a folder stands at `path`, not a symlink to one."""
    return os.path.isdir(path) and not os.path.islink(path)


def staged_name(path: str, content_id: str) -> str:
    """Return where the new content of `path` waits to be renamed into place."""
    folder, name = os.path.split(path)
    mark = zlib.crc32(os.fsencode(name))  # two files of one content may wait in one folder
    return os.path.join(folder, f".clave-{mark:08x}-{content_id[:32]}")


def stage(items: Iterable[tuple[str, str, Content]]) -> None:
    """Write each (path, content id, content) beside its place and make it durable; folders are made."""
    staged = []
    folders = set()
    for path, content_id, content in items:
        waiting = staged_name(path, content_id)
        folder = os.path.dirname(path)
        if folder not in folders:
            folders.add(folder)
            os.makedirs(folder, exist_ok=True)
        try:
            _write(waiting, content)
        except FileExistsError:
            os.unlink(waiting)
            _write(waiting, content)
        if not isinstance(content, Link):
            staged.append(waiting)
    if len(staged) > _SYNC_EACH:
        os.sync()
    else:
        for waiting in staged:
            _sync(waiting)


def _write(path: str, content: Content) -> None:
    if isinstance(content, Link):
        os.symlink(content, path)
    else:
        with open(path, "xb", opener=_open_program if isinstance(content, Program) else None) as file:
            file.write(content)


def _open_program(path: str, flags: int) -> int:
    return os.open(path, flags, 0o777)


def put(path: str, content_id: str) -> None:
    """Rename the staged content of `path` into its place."""
    os.replace(staged_name(path, content_id), path)


def drop(path: str, content_id: str, *, keep: str) -> None:
    """Remove the staged content of `path`, and folders that were made for it."""
    with suppress(FileNotFoundError, NotADirectoryError):
        os.unlink(staged_name(path, content_id))
    prune(os.path.dirname(path), keep=keep)


def remove(path: str, *, keep: str) -> None:
    """Remove a file and the folders that this leaves empty, up to but without `keep`."""
    with suppress(FileNotFoundError, NotADirectoryError):
        os.unlink(path)
    prune(os.path.dirname(path), keep=keep)


def prune(folder: str, *, keep: str) -> None:
    """Remove `folder` and its parents as long as they are empty, up to but without `keep`."""
    while folder != keep and folder.startswith(os.path.join(keep, "")):
        try:
            os.rmdir(folder)
        except FileNotFoundError:
            pass
        except OSError:
            return
        folder = os.path.dirname(folder)


def sync_folders(paths: Iterable[str]) -> None:
    """Make the renames and removals in the folders of `paths` durable."""
    folders = {os.path.dirname(path) for path in paths}
    if len(folders) > _SYNC_EACH:
        os.sync()
        return
    for folder in folders:
        with suppress(FileNotFoundError, NotADirectoryError):
            _sync(folder)


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn an OSError of writing into CannotWrite (full disk, read-only, permissions)."""
    try:
        yield
    except (FileExistsError, NotADirectoryError) as error:
        place = os.fsdecode(error.filename or what)
        raise CannotWrite(f"{place} is in the way of a folder", "Move it out of the store.") from None
    except OSError as error:
        raise CannotWrite(
            f"{what} cannot be written: {error.strerror or error}",
            "Free some space or check the permissions, and try again; nothing was lost.",
        ) from None
