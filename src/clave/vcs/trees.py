"""git's trees, read and written as bytes: what a commit holds, and the same with some paths changed.

A tree object is a row of entries `<mode> <name> NUL <binary id>`, sorted by name as if a folder's name ended with
a slash (git's `base_name_compare`). Trees are read through one `git cat-file --batch`, only those of the folders
that were asked for; what is not asked for is carried over by its id, whatever it is.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import GitFailed
from clave.vcs.objects import object_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clave.vcs.git import Repository

FILE, PROGRAM, LINK, FOLDER = b"100644", b"100755", b"120000", b"40000"


class Entry(NamedTuple):
    """What a tree has under a name: git's mode (`100644`, `120000`, `40000`, …) and the object's id in hex."""

    mode: bytes
    id: str


Tree = dict[bytes, Entry]


class Trees:
    """The trees of one commit (None: there is no commit yet), as far as they were asked for."""

    def __init__(self, repository: Repository, commit: str | None) -> None:
        self._repository = repository
        self._commit = commit
        self._known: dict[str, Tree | None] = {}  # by folder, "" for the root; None: there is no such folder

    def files(self, paths: Iterable[str]) -> dict[str, Entry]:
        """Return the file (or symlink) at each of the paths that has one, relative to the work tree."""
        paths = list(paths)
        self._load({os.path.dirname(path) for path in paths})
        found = {}
        for path in paths:
            folder, name = os.path.split(path)
            entry = (self._known[folder] or {}).get(os.fsencode(name))
            if entry is not None and entry.mode != FOLDER:
                found[path] = entry
        return found

    def changed(self, entries: Mapping[str, Entry | None], hash_name: str) -> tuple[str, list[bytes]]:
        """Return the root's id and the new tree objects, if each path had this entry (None: nothing).

        A folder without entries is left out, as git has none. Raises GitFailed where a path is a file in HEAD and
        a folder now, or the reverse, and is not removed by the same change.
        """
        self._load({"", *(os.path.dirname(path) for path in entries)})
        below: dict[str, dict[bytes, Entry | None]] = {"": {}}
        for path, entry in entries.items():
            folder, name = os.path.split(path)
            below.setdefault(folder, {})[os.fsencode(name)] = entry
        for folder in list(below):
            for above in _above(folder):
                below.setdefault(above, {})
        objects: list[bytes] = []
        # The deepest first: a folder's id has to be known before its parent is written.
        for folder in sorted(below, key=lambda folder: folder.count("/") + bool(folder), reverse=True):
            tree = self._changed_folder(folder, below, entries)
            data = write(tree)
            root = object_id(b"tree", data, hash_name)
            if tree or not folder:
                objects.append(data)
            if folder:
                above, name = os.path.split(folder)
                siblings = below[above]
                if tree and siblings.get(os.fsencode(name)) is not None:
                    raise _in_the_way(folder)
                if tree:
                    siblings[os.fsencode(name)] = Entry(FOLDER, root)
                else:
                    siblings.setdefault(os.fsencode(name), None)
        return root, objects

    def _changed_folder(
        self, folder: str, below: Mapping[str, Mapping[bytes, Entry | None]], entries: Mapping[str, Entry | None]
    ) -> Tree:
        tree = dict(self._known.get(folder) or {})
        for key, new in below[folder].items():
            old = tree.pop(key, None)
            if new is None:
                continue
            if old is not None and (old.mode == FOLDER) != (new.mode == FOLDER):
                # One may take the other's place only where that goes in the same change.
                path = os.path.join(folder, os.fsdecode(key))
                if path not in (below if old.mode == FOLDER else entries):
                    raise _in_the_way(path)
            tree[key] = new
        return tree

    def _load(self, folders: Iterable[str]) -> None:
        wanted = {each for folder in folders for each in (folder, *_above(folder))} - self._known.keys()
        if not wanted:
            return
        asked = sorted(wanted)
        if self._commit is None:
            self._known.update(dict.fromkeys(asked))
            return
        if any("\n" in folder for folder in asked):
            raise GitFailed("the path of the store holds a line break", "Move the store to another place.")
        names = "".join(f"{self._commit}:{folder}\n" for folder in asked)
        out = memoryview(self._repository.run("cat-file", "--batch", input=os.fsencode(names)).out)
        for folder in asked:
            line = bytes(out[: _line_end(out)])
            out = out[len(line) + 1 :]
            kind = line.rsplit(b" ", 2)
            if line.endswith(b" missing"):
                self._known[folder] = None
                continue
            size = int(kind[2])
            is_tree = kind[1] == b"tree"
            self._known[folder] = read(bytes(out[:size]), len(self._commit) // 2) if is_tree else None
            out = out[size + 1 :]


def read(data: bytes, width: int) -> Tree:
    """Return the entries of a tree object; `width` is the length of an id in bytes."""
    tree: Tree = {}
    at = 0
    while at < len(data):
        blank = data.index(b" ", at)
        end = data.index(b"\0", blank)
        tree[data[blank + 1 : end]] = Entry(data[at:blank], data[end + 1 : end + 1 + width].hex())
        at = end + 1 + width
    return tree


def write(tree: Tree) -> bytes:
    """Return the entries as a tree object."""
    rows = sorted(tree.items(), key=_sort_key)
    return b"".join(entry.mode + b" " + name + b"\0" + bytes.fromhex(entry.id) for name, entry in rows)


def _in_the_way(path: str) -> GitFailed:
    return GitFailed(f"{path} is both a file and a folder in git", "See: clave git status.")


def _sort_key(row: tuple[bytes, Entry]) -> bytes:
    name, entry = row
    return name + b"/" if entry.mode == FOLDER else name


def _above(folder: str) -> list[str]:
    """Return the folders that hold a folder, the root (`""`) last; none for the root."""
    found = []
    while folder:
        folder = os.path.dirname(folder)
        found.append(folder)
    return found


def _line_end(data: memoryview) -> int:
    # The line of a missing object repeats its name: longer than any other, at most a path.
    head = bytes(data[:8192])
    return head.index(b"\n")
