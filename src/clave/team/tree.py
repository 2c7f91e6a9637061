"""The files of a commit, by path: a value that shares with its neighbours all that did not change."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ORDINARY = "100644"
MAX_DEPTH = 100  # folders within folders; bounds the recursion over a tree of somebody else


class File(NamedTuple):
    """A file as git keeps it: mode (six octal digits) and the id of its content."""

    mode: str
    blob: str


class Change(NamedTuple):
    """What a commit made of a path, seen from its first parent: the file, or None where it was removed."""

    path: str
    file: File | None


class Tree:
    """Files and folders by name (`nodes`). Never changed: `changed` makes another one."""

    __slots__ = ("nodes",)

    def __init__(self, nodes: Mapping[str, File | Tree] | None = None) -> None:
        self.nodes = dict(nodes or {})

    @classmethod
    def of(cls, files: Mapping[str, File]) -> Tree:
        """Return the tree that holds these files."""
        return cls().changed(Change(path, file) for path, file in files.items())

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Tree) and self.nodes == other.nodes)

    __hash__ = None  # type: ignore[assignment]

    def get(self, path: str) -> File | None:
        """Return the file at a path; None also for a folder."""
        folder, _, name = path.rpartition("/")
        node = self.folder(folder)
        found = node.nodes.get(name) if node else None
        return found if isinstance(found, File) else None

    def folder(self, path: str) -> Tree | None:
        """Return the folder at a path (`""`: all)."""
        node: File | Tree | None = self
        for name in path.split("/") if path else ():
            node = node.nodes.get(name) if isinstance(node, Tree) else None
        return node if isinstance(node, Tree) else None

    def names(self) -> Iterable[str]:
        """Return the names of the files and folders in this folder."""
        return self.nodes.keys()

    def files(self, prefix: str = "") -> Iterator[tuple[str, File]]:
        """Yield path and file of all files; each path begins with the prefix."""
        for name, node in self.nodes.items():
            if isinstance(node, Tree):
                yield from node.files(f"{prefix}{name}/")
            else:
                yield prefix + name, node

    def changed(self, changes: Iterable[Change]) -> Tree:
        """Return the tree after the changes. Raises ValueError for what is no path, too deep, or file and folder."""
        removed_first = sorted(changes, key=lambda change: change.file is not None)
        top = Tree(self.nodes)
        copied = {"": top}
        for path, file in removed_first:
            folder, _, name = path.rpartition("/")
            if path.startswith("/") or folder.count("/") >= MAX_DEPTH:
                raise ValueError(f"{path[:40]} is no path, or deeper than {MAX_DEPTH} folders")
            node = _open(top, folder, copied)
            if isinstance(node.nodes.get(name), Tree):
                raise ValueError(f"{path} is a folder and a file")
            if file is None:
                node.nodes.pop(name, None)
                _close_empty(folder, copied)
            else:
                node.nodes[name] = file
        return top

    def difference(self, other: Tree, prefix: str = "") -> Iterator[str]:
        """Yield the paths of the files that are not the same here and in the other tree."""
        for name in {**self.nodes, **other.nodes}:
            ours, theirs = self.nodes.get(name), other.nodes.get(name)
            if ours is theirs or ours == theirs:
                continue
            if isinstance(ours, File) or isinstance(theirs, File):
                yield prefix + name
            yield from _tree(ours).difference(_tree(theirs), f"{prefix}{name}/")


def _tree(node: File | Tree | None) -> Tree:
    return node if isinstance(node, Tree) else Tree()


def _open(top: Tree, folder: str, copied: dict[str, Tree]) -> Tree:
    """Return a folder that may be changed, a copy of what was there or a new one."""
    if folder not in copied:
        above, _, name = folder.rpartition("/")
        parent = _open(top, above, copied)
        there = parent.nodes.get(name)
        if isinstance(there, File):
            raise ValueError(f"{folder} is a file and a folder")
        copied[folder] = parent.nodes[name] = Tree(there.nodes if there else None)
    return copied[folder]


def _close_empty(folder: str, copied: dict[str, Tree]) -> None:
    """Remove a folder that holds nothing any more, and those above it: git does not know of empty ones."""
    while folder and not copied[folder].nodes:
        above, _, name = folder.rpartition("/")
        del copied[folder]
        copied[above].nodes.pop(name)
        folder = above
