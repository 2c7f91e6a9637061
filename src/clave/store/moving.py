"""Moving and copying entries and folders.

What arrives in a folder is encrypted for that folder's recipients, or nothing is moved: a file is never left
with the readers of the place that it came from. A rotation that is under way goes with the entry that is moved, and
stays where its entry is copied; an entry that is being rotated is not overwritten.

From one store into another go entries alone, each encrypted anew for its readers there; symlinks, `.gpg-id` files
and what else lies in a folder stay. It is there before it is gone here: two stores cannot have one commit.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import CannotDecrypt, NotFound, StoreDamaged, UsageError
from clave.model.name import SUFFIX, check, check_folder, check_new
from clave.openpgp.bulk import decrypt_many
from clave.store import layout
from clave.store.lifecycle import pending
from clave.store.operation import Operation, begin

if TYPE_CHECKING:
    from clave.store.renewal import Progress
    from clave.store.store import Store


class Move(NamedTuple):
    """What a move or copy will do.

    `old` and `new` are the names that it goes from and to; `files` the paths, in pairs; `replaced` the names of
    the entries that it would overwrite.
    """

    old: str
    new: str
    files: list[tuple[str, str]]
    replaced: list[str]


def plan(store: Store, old: str, new: str) -> Move:
    """Say what moving or copying `old` to `new` means, by the rules of pass.

    An entry goes before a folder of the same name, unless `old` ends with a slash. Into an existing folder,
    or where `new` ends with a slash, it goes under its own last component. Raises NotFound and UsageError.
    """
    source = check(old)
    is_folder = layout.is_folder(store.root, source)
    if not layout.has_file(store.root, source + SUFFIX) or (is_folder and old.endswith("/")):
        if not is_folder:
            raise NotFound(f"{source} is not in the password store")
        return _plan_folder(store, source, new)
    return _plan_entry(store, source, new)


def _target(store: Store, source: str, new: str) -> str:
    """Return the name that `source` gets in a store where `new` was said."""
    target = check_folder(new)
    if new.endswith("/") or not target or layout.is_folder(store.root, target):
        target = os.path.join(target, os.path.basename(source))
    return check_new(target)


def _plan_entry(store: Store, source: str, new: str) -> Move:
    target = _target(store, source, new)
    if target == source:
        raise UsageError(f"'{source}' and '{target}' are the same entry")
    replaced = [target] if layout.has_file(store.root, target + SUFFIX) else []
    return Move(source, target, [(source + SUFFIX, target + SUFFIX)], replaced)


def _plan_folder(store: Store, source: str, new: str) -> Move:
    target = _target(store, source, new)
    if f"{target}/".startswith(f"{source}/"):
        raise UsageError(f"'{source}' cannot go into itself, '{target}'", "Name another place for it.")
    if layout.has_file(store.root, target):
        raise UsageError(f"'{target}' is a file that is no entry", "Name another place, or remove the file.")
    files = [(path, target + path[len(source) :]) for path in layout.files(store.root, source)]
    if not files:
        raise UsageError(f"the folder {source} is empty", "There is nothing to move or copy.")
    replaced = [path.removesuffix(SUFFIX) for _, path in files if layout.has_file(store.root, path)]
    return Move(source, target, files, replaced)


def plan_across(store: Store, old: str, other: Store, new: str) -> Move:
    """Like `plan`, where `new` is a name in another store."""
    source = check(old)
    is_folder = layout.is_folder(store.root, source)
    as_entry = layout.is_entry(store.root, source) and not (is_folder and old.endswith("/"))
    if not as_entry and not is_folder:
        raise NotFound(f"{source} is not in the password store")
    target = _target(other, source, new)
    names = [source] if as_entry else layout.own_entries(store.root, source)
    if not names:
        raise UsageError(f"the folder {source} has no entries", "There is nothing to move or copy.")
    files = [(name + SUFFIX, target + name[len(source) :] + SUFFIX) for name in names]
    replaced = [path.removesuffix(SUFFIX) for _, path in files if layout.has_file(other.root, path)]
    return Move(source, target, files, replaced)


def carry(store: Store, planned: Move, other: Store, *, keep: bool, progress: Progress | None = None) -> None:
    """Carry out a plan of `plan_across`; with `keep` what is here stays.

    Raises CannotDecrypt where an entry cannot be read, VerificationFailed where it may not be what a team has written,
    and as every write: nothing is changed then, unless it is the removal here that failed.
    """
    doubt = store.doubt(planned.old, below=True)
    if doubt is not None:
        raise doubt
    names = {old.removesuffix(SUFFIX): new.removesuffix(SUFFIX) for old, new in planned.files}
    if not keep:
        pending.require_none(store, names, "left behind")
    pending.require_none(other, names.values(), "replaced")
    ciphertexts = ((name, layout.read_file(store.root, name)) for name in names)
    with begin(other, os.path.dirname(planned.files[0][1])) as change:
        opened = decrypt_many(ciphertexts, options=store.options)
        for done, (name, plaintext) in enumerate(opened, 1):
            if isinstance(plaintext, CannotDecrypt):
                raise plaintext
            change.write(names[name], plaintext)
            if progress:
                progress(done, len(names))
        change.commit(f"Add {planned.new} from another store.", "import")
    if not keep:
        with begin(store, os.path.dirname(planned.files[0][0])) as change:
            for path, _ in planned.files:
                change.remove(path)
            change.commit(f"Remove {planned.old}.", "move")
        layout.remove_empty(store.root, planned.old)


def move(store: Store, planned: Move, progress: Progress | None = None) -> None:
    """Carry out a planned move; what it replaces is replaced.

    Raises CannotDecrypt where an entry must be re-encrypted and cannot be read: nothing is moved then.
    """
    subject = f"Rename {planned.old} to {planned.new}."
    if _one_repository(store, planned):
        with begin(store, os.path.dirname(planned.files[0][1])) as change:
            _place(change, store, planned, progress)
            for path, _ in planned.files:
                change.remove(path)
            for old, new in _entries(planned):
                pending.move(change, store, old, new)
            change.commit(subject, "move")
    else:
        # Two repositories cannot have one commit: first it is there, then it is gone here (as in pass).
        pending.require_none(store, (old for old, _ in _entries(planned)), "left behind")
        copy(store, planned, progress)
        with begin(store, os.path.dirname(planned.files[0][0])) as change:
            for path, _ in planned.files:
                change.remove(path)
            change.commit(f"Remove {planned.old}.", "move")
    layout.remove_empty(store.root, planned.old)


def copy(store: Store, planned: Move, progress: Progress | None = None) -> None:
    """Carry out a planned copy. Raises as `move`."""
    with begin(store, os.path.dirname(planned.files[0][1])) as change:
        _place(change, store, planned, progress)
        change.commit(f"Copy {planned.old} to {planned.new}.", "copy")


def _one_repository(store: Store, planned: Move) -> bool:
    folders = [os.path.dirname(path) for path in planned.files[0]]
    return store.repository(folders[0]) == store.repository(folders[1])


def _entries(planned: Move) -> list[tuple[str, str]]:
    """Return the entries of a plan: old and new names."""
    return [(old.removesuffix(SUFFIX), new.removesuffix(SUFFIX)) for old, new in planned.files if old.endswith(SUFFIX)]


def _place(change: Operation, store: Store, planned: Move, progress: Progress | None) -> None:
    """Put the files at their new paths, with the recipients of their new folders."""
    pending.require_none(store, (new for _, new in _entries(planned)), "replaced")
    for old, new in planned.files:
        content = change.content(old)
        if content is None:
            raise StoreDamaged(f"{old} cannot be read", "Try again: another program may be at work.")
        change.place(new, content, moved_from=old)
    names = [new.removesuffix(SUFFIX) for _, new in planned.files if new.endswith(SUFFIX)]
    change.reencrypt(names, progress)
