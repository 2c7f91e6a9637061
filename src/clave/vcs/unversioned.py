"""A store without git, written with the same care: a change of many files is there whole or not at all.

The new files are staged in a folder of their own; renaming the list of them into place is the commit point.
Then each is renamed into the store. A crash after the commit point: the next command does the rest.

The list lies in the store, which others may write (a shared disk): no path in it leads out of the store.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from clave.errors import StoreDamaged
from clave.vcs import worktree
from clave.vcs.lock import exclusive
from clave.vcs.worktree import Content, Link

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FOLDER = ".clave-journal"
_LIST = "list"


class Unversioned:
    """A write under way to a store without git: holds its lock. Made by `begin`."""

    def __init__(self, top: str) -> None:
        self._top = os.path.realpath(top)
        self._folder = os.path.join(self._top, _FOLDER)

    def commit(self, changes: Mapping[str, Content | None]) -> None:
        """Write the content (None removes) of each path, relative to the store. Raises CannotWrite."""
        with worktree.explained("the store"):
            try:
                self._prepare(changes)
            except BaseException:
                _remove_tree(self._folder)
                raise
            self.carry_on()

    def carry_on(self) -> None:
        """Do what the list says and has not been done; without a list, drop what was staged.

        Raises StoreDamaged for a list that is none of ours: nothing is done then.
        """
        try:
            with open(os.path.join(self._folder, _LIST), "rb") as file:
                fields = [os.fsdecode(field) for field in file.read().split(b"\0")[:-1]]
        except FileNotFoundError:
            fields = []
        if os.path.islink(self._folder) or len(fields) % 2:
            raise StoreDamaged(f"{_FOLDER} in the store is not what clave writes there", "Look at it and remove it.")
        paths = [self._path(relative) for relative in fields[1::2]]
        for number, (action, path) in enumerate(zip(fields[::2], paths, strict=True)):
            if action == "remove":
                worktree.remove(path, keep=self._top)
                continue
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with suppress(FileNotFoundError):  # it was renamed before the crash
                os.replace(os.path.join(self._folder, str(number)), path)
        worktree.sync_folders(paths)
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(self._folder, _LIST))
        _remove_tree(self._folder)

    def _prepare(self, changes: Mapping[str, Content | None]) -> None:
        for path in changes:
            self._path(path)
        os.mkdir(self._folder)
        rows = []
        for number, (path, content) in enumerate(sorted(changes.items())):
            staged = os.path.join(self._folder, str(number))
            if isinstance(content, Link):
                os.symlink(content, staged)
            elif content is not None:
                _write(staged, content)
            rows.append(b"remove\0" if content is None else b"put\0")
            rows.append(os.fsencode(path) + b"\0")
        unfinished = os.path.join(self._folder, _LIST + ".new")
        _write(unfinished, b"".join(rows))
        os.replace(unfinished, os.path.join(self._folder, _LIST))
        worktree.sync_folders([unfinished])

    def _path(self, relative: str) -> str:
        """Return where a path relative to the store is. Raises StoreDamaged if that is not in the store."""
        path = os.path.join(self._top, relative)
        folder = os.path.realpath(os.path.dirname(path))
        parts = relative.split("/")
        if ".." in parts or ".git" in parts or not f"{folder}/".startswith(f"{self._top}/"):
            raise StoreDamaged(f"{relative} leads out of the store", "Remove the symlink that does it.")
        return path


@contextmanager
def begin(top: str) -> Iterator[Unversioned]:
    """Begin a write to the store at `top`: lock it, and end what a dead process left. Raises Busy, CannotWrite."""
    with exclusive(top):
        work = Unversioned(top)
        with worktree.explained("the store"):
            work.carry_on()
        yield work


def recover(top: str) -> None:
    """End what a dead process left, if it left anything; waits for one that lives."""
    if os.path.isdir(os.path.join(top, _FOLDER)):
        with begin(top):
            pass


def _remove_tree(folder: str) -> None:
    from shutil import rmtree  # every write of a store with git loads this module too

    rmtree(folder, ignore_errors=True)


def _write(path: str, content: bytes) -> None:
    with open(path, "xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
