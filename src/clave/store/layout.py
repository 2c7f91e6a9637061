"""Where things are in a store's folder: entries, folders, recipients.

The folder is input from other people. A symlink inside of it may point to another place inside of it (pass
users make such aliases); one that leads out is never followed.

Imported by the fast path: nothing heavy may be imported here.
"""

from __future__ import annotations

import os
import stat

from clave.errors import CannotDecrypt, NotFound, StoreDamaged
from clave.model.name import SUFFIX, check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    # A line of a listing: what to show, the target of a symlink or None, and the lines below a folder or None.
    Node = tuple[str, str | None, list["Node"] | None]

RECIPIENTS = ".gpg-id"
POLICY = ".clave/policy.toml"
# A store without git keeps the journal of a write here; one with git, in its git directory.
UNVERSIONED_JOURNAL = ".clave-journal"
GIT_JOURNAL = "clave/journal"
# What a re-encryption that was stopped has made so far: in the git directory, or in a store without git.
GIT_REKEY = "clave-rekey"
UNVERSIONED_REKEY = ".clave-rekey"

# Secrets are small; a larger file is a mistake or an attempt to fill our memory.
MAX_FILE = 256 << 20  # bytes


def entry_file(root: str, name: str) -> str:
    """Return the path of an entry's file. Raises UsageError for what is no name."""
    return os.path.join(root, check(name) + SUFFIX)


def is_entry(root: str, name: str) -> bool:
    """Tell whether there is an entry of that name (an alias that leads nowhere is none)."""
    return os.path.isfile(entry_file(root, name))


def is_folder(root: str, name: str) -> bool:
    """Tell whether there is a folder of that name; `""` is the store's own."""
    return os.path.isdir(os.path.join(root, check(name))) if name.strip("/") else os.path.isdir(root)


def inside(root: str, path: str) -> bool:
    """Tell whether `path`, all symlinks resolved, lies in the store."""
    return os.path.realpath(path).startswith(os.path.join(os.path.realpath(root), ""))


def read_file(root: str, name: str) -> bytes:
    """Return the ciphertext of an entry.

    Raises UsageError (no name), NotFound, StoreDamaged (a symlink out of the store, not a plain file, too
    large), CannotDecrypt (the file may not be read).
    """
    return reader(root)(name)


def reader(root: str) -> Callable[[str], bytes]:
    """Return a `read_file` for many entries of a store, which looks once at each folder's place."""
    inside_folder: dict[str, bool] = {}

    def is_inside(path: str) -> bool:
        if os.path.islink(path):
            return inside(root, path)
        folder = os.path.dirname(path)
        if folder not in inside_folder:
            inside_folder[folder] = inside(root, path)
        return inside_folder[folder]

    def read(name: str) -> bytes:
        path = entry_file(root, name)
        try:
            # O_NONBLOCK: a FIFO in the place of an entry must not make us wait.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound(f"{name} is not in the password store") from None
        except OSError as error:
            raise CannotDecrypt(f"the file of {name} cannot be read: {error.strerror}") from None
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise StoreDamaged(f"{name} is not an ordinary file", "Remove it from the store.")
            if not is_inside(path):
                raise StoreDamaged(f"{name} is a symlink that leads out of the store", "Remove it from the store.")
            if status.st_size > MAX_FILE:
                raise StoreDamaged(f"the file of {name} is larger than {MAX_FILE >> 20} MiB", "It is no secret.")
            with open(descriptor, "rb", closefd=False) as file:
                return file.read()
        finally:
            os.close(descriptor)

    return read


def tree(root: str, folder: str = "") -> list[Node]:
    """Return what `pass ls` shows of a folder: every visible file and folder, sorted by file name.

    Names come without `.gpg`. Symlinks carry their target; those that lead to a folder inside of the
    store are entered, unless that would go round in a circle.
    """
    top = os.path.join(root, folder) if folder else root
    return _nodes(os.path.realpath(root), top, (os.path.realpath(top),))


def _nodes(root: str, path: str, above: tuple[str, ...]) -> list[Node]:
    nodes: list[Node] = []
    try:
        found = sorted((item for item in os.scandir(path) if item.name[0] != "."), key=_file_name)
    except PermissionError:
        return nodes
    for item in found:
        target, below = None, None
        if item.is_symlink():
            target = os.readlink(item.path)
            real = os.path.realpath(item.path)
            if os.path.isdir(real) and real not in above and inside(root, real):
                below = _nodes(root, item.path, (*above, real))
        elif item.is_dir():
            below = _nodes(root, item.path, above)
        nodes.append((item.name if below is not None else item.name.removesuffix(SUFFIX), target, below))
    return nodes


def _file_name(item: os.DirEntry[str]) -> str:
    return item.name


def entries(root: str, folder: str = "") -> list[str]:
    """Return the names of all entries below a folder, in the order of the tree; hidden folders are left out."""
    names: list[str] = []
    base = os.path.realpath(root)
    top = os.path.join(root, folder) if folder else root
    _collect(base, top, f"{folder}/" if folder else "", (os.path.realpath(top),), names)
    return names


def _collect(root: str, path: str, prefix: str, above: tuple[str, ...], names: list[str]) -> None:
    try:
        found = sorted(os.scandir(path), key=_file_name)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
    for item in found:
        name = item.name
        if name[0] == ".":
            continue
        if item.is_symlink():
            real = os.path.realpath(item.path)
            if not os.path.isdir(real):
                if name.endswith(SUFFIX):
                    names.append(prefix + name[: -len(SUFFIX)])
            elif real not in above and inside(root, real):
                _collect(root, item.path, f"{prefix}{name}/", (*above, real), names)
        elif item.is_dir():
            _collect(root, item.path, f"{prefix}{name}/", above, names)
        elif name.endswith(SUFFIX):
            names.append(prefix + name[: -len(SUFFIX)])


def own_entries(root: str, folder: str = "") -> list[str]:
    """Return the names of the entries that are files of their own below a folder: no symlink is taken or entered.

    So each is there once, under the name whose folder says who reads it (pass re-encrypts these).
    """
    names: list[str] = []
    _collect_own(os.path.join(root, folder) if folder else root, f"{folder}/" if folder else "", names)
    return names


def _collect_own(path: str, prefix: str, names: list[str]) -> None:
    try:
        found = sorted(os.scandir(path), key=_file_name)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
    for item in found:
        name = item.name
        if name[0] == "." or item.is_symlink():
            continue
        if item.is_dir():
            _collect_own(item.path, f"{prefix}{name}/", names)
        elif name.endswith(SUFFIX):
            names.append(prefix + name[: -len(SUFFIX)])


def read_own(root: str, name: str) -> bytes:
    """Return the ciphertext of one of `own_entries`, with no more looking than these need.

    Raises StoreDamaged for what is no ordinary file any more, or too large, CannotDecrypt for one that may not
    be read.
    """
    try:
        descriptor = os.open(f"{root}/{name}{SUFFIX}", os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError as error:
        raise CannotDecrypt(f"the file of {name} cannot be read: {error.strerror}") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_FILE:
            raise StoreDamaged(f"the file of {name} is not an ordinary file, or too large", "It is no secret.")
        data = os.read(descriptor, status.st_size + 1)
        while len(data) < status.st_size and (more := os.read(descriptor, status.st_size - len(data))):
            data += more
        return data
    finally:
        os.close(descriptor)


def files(root: str, folder: str = "") -> list[str]:
    """Return the paths of all files and symlinks below a folder, relative to the store, sorted.

    Hidden ones too, but not those of git, of a repository of its own inside of the folder, or of a write
    that is under way.
    """
    found: list[str] = []
    for item in sorted(os.scandir(os.path.join(root, folder)), key=_file_name):
        path = f"{folder}/{item.name}" if folder else item.name
        if item.name == ".git" or item.name.startswith(".clave-"):
            continue
        if not item.is_dir(follow_symlinks=False):
            found.append(path)
        elif not os.path.lexists(os.path.join(item.path, ".git")):
            found += files(root, path)
    return found


def has_file(root: str, path: str) -> bool:
    """Tell whether there is a file or a symlink (to whatever) at a path relative to the store."""
    absolute = os.path.join(root, path)
    return os.path.islink(absolute) or os.path.isfile(absolute)


def remove_empty(root: str, folder: str) -> None:
    """Remove a folder and those below it that hold nothing: git does not know of folders."""
    for path, _, _ in os.walk(os.path.join(root, folder), topdown=False):
        try:
            os.rmdir(path)
        except OSError:
            continue


def parse_recipients(data: bytes) -> list[str]:
    """Return the ids of a `.gpg-id`: one a line, `#` begins a comment, blanks around are ignored (pass 1.7.4).

    Unlike pass, the last line counts also without a newline, and CR LF is read as a line's end: other
    programs write both, and pass then drops a reader silently.
    """
    lines = data.decode("utf-8", "surrogateescape").removeprefix("\ufeff").split("\n")
    ids = (line.partition("#")[0].strip() for line in lines)
    return [each for each in ids if each]


def folders_with_recipients(root: str, folder: str = "") -> Iterator[str]:
    """Yield the folders at and below `folder` that have a `.gpg-id` of their own."""
    path = os.path.join(root, folder) if folder else root
    if os.path.isfile(os.path.join(path, RECIPIENTS)):
        yield folder
    for item in sorted(os.scandir(path), key=_file_name):
        if item.name[0] != "." and item.is_dir(follow_symlinks=False):
            yield from folders_with_recipients(root, f"{folder}/{item.name}" if folder else item.name)


def kept_file(root: str, git_dir: str | None) -> str:
    """Return where a re-encryption keeps what it has made; None: the store is not in git."""
    return os.path.join(root, UNVERSIONED_REKEY) if git_dir is None else os.path.join(git_dir, GIT_REKEY)


def pending(root: str) -> bool:
    """Tell whether a write was begun and not ended: it is under way, or its process died."""
    if os.path.exists(os.path.join(root, UNVERSIONED_JOURNAL)):
        return True
    folder = os.path.realpath(root)
    while True:
        git = os.path.join(folder, ".git")
        if os.path.exists(os.path.join(git, "HEAD")):
            return os.path.exists(os.path.join(git, GIT_JOURNAL))
        if os.path.isfile(git):
            return True  # a linked work tree or a submodule: the full program looks where its repository is
        if folder == "/":
            return False
        folder = os.path.dirname(folder)
