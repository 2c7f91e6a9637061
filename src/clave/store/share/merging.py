"""Two lines of work brought together, entry by entry and field by field, on plaintext that is in memory alone.

- What one side alone changed is taken as that side has it, byte for byte. Only what both changed is decrypted.
- Both changed an entry: their changes of different fields are both made (`model.threeway`). Where they cannot be, both
  are kept: theirs at the path, ours beside it as `NAME.conflict-<short>`. Never does a mark of a conflict get into one.
- An entry that one side moved and the other changed is moved and changed. One that one side removed and the other
  changed stays.
- Of two re-encryptions of a rotation that is under way one is taken; where one side has ended it, it is ended. Of two
  different ones both are kept. It follows its entry where that was moved.
- What is no entry (in a plain store, `.gpg-id` too) is one side's; both changed it: both are kept. What an admin keeps
  in a team store is not decided by a merge: that is refused. A log that only grows has the lines of both.
- What is taken is encrypted anew, if those who read its folder now are others than when it was written. What is not
  the user's to read or write stays as it is: whoever may, finishes it (`clave rekey`).
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import CannotDecrypt, GitFailed, KeyLocked, StoreDamaged, VerificationFailed
from clave.model import threeway
from clave.model.name import SUFFIX, entry_folder, pending_name, pending_path
from clave.openpgp import bulk
from clave.store import layout
from clave.store.operation import begin
from clave.team import paths
from clave.team.paths import Kind
from clave.vcs import graph, reading
from clave.vcs.trees import FILE, LINK
from clave.vcs.work import content_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clave.model.change import Change
    from clave.store.operation import Operation
    from clave.store.people.membership import Team
    from clave.store.store import Store
    from clave.vcs.git import Repository
    from clave.vcs.graph import File, Files

_PLAIN, _LINK = FILE.decode(), LINK.decode()
CONFLICT = ".conflict-"
_LONGEST = 170  # bytes of a name that has room for that in a team store


class Conflict(NamedTuple):
    """A path where the two sides could not be brought together, and where ours is kept ("": there is none of ours)."""

    path: str
    kept: str


class Merged(NamedTuple):
    """What a merge brought: conflicts, and the entries that are still encrypted to those who read them before.

    `parted` are entries that were moved by one side and begun to be rotated by the other: their old and new names.
    """

    conflicts: tuple[Conflict, ...]
    left: tuple[str, ...]
    parted: tuple[tuple[str, str], ...] = ()


class Taken(NamedTuple):
    """What a path becomes: a file, None for nothing, and the path at which `side` (our files or theirs) has it."""

    file: File | None
    side: Files
    source: str


class Three(NamedTuple):
    """A path that both sides have changed, each in its way: what it was, what each has, and where each has it."""

    base: File | None
    ours: File | None
    theirs: File | None
    here: str
    there: str


class Decision(NamedTuple):
    """What becomes of each path that is not the same on both sides: that of one side, or of both."""

    taken: dict[str, Taken]
    both: dict[str, Three]


def decide(
    base: Files, ours: Files, theirs: Files, our_moves: Mapping[str, str], their_moves: Mapping[str, str]
) -> Decision:
    """Decide for each path by the files alone; the moves are new paths by old ones."""
    taken: dict[str, Taken] = {}
    both: dict[str, Three] = {}

    def is_edit(old: str, new: str, there: Files, moves: Mapping[str, str]) -> bool:
        """Tell whether a side has changed what the other moved, and not put something else in its place."""
        unmoved = new not in there and old not in moves.values()
        return unmoved and there.get(old) not in (None, base[old], base.get(new))

    for old, new in our_moves.items():
        if their_moves.get(old) == new or is_edit(old, new, theirs, their_moves):
            taken[old] = Taken(None, ours, old)
            at = new if new in theirs else old
            both[new] = Three(base[old], ours[new], theirs[at], new, at)
    for old, new in their_moves.items():
        if new not in both and is_edit(old, new, ours, our_moves):
            taken[old] = Taken(None, theirs, old)
            both[new] = Three(base[old], ours[old], theirs[new], old, new)
    for path in sorted({*base, *ours, *theirs} - {*taken, *both}):
        was, here, there = base.get(path), ours.get(path), theirs.get(path)
        if here == there:
            continue
        if was == here:
            taken[path] = Taken(there, theirs, path)
        elif was == there:
            taken[path] = Taken(here, ours, path)
        else:
            both[path] = Three(was, here, there, path, path)
    return Decision(taken, both)


class Merger:
    """A merge of two commits into an operation, whose HEAD (`current`) is one of them.

    `short` tells the files that are kept aside from those of another merge; `notes` are what the commit says that is
    made `again`.
    """

    def __init__(
        self,
        store: Store,
        repository: Repository,
        ours: Files,
        theirs: Files,
        current: Files,
        short: str,
        *,
        notes: Iterable[Change] = (),
        again: bool = False,
    ) -> None:
        self._store = store
        self._repository = repository
        self._ours = ours
        self._theirs = theirs
        self._current = current
        self._short = short
        self._notes = {note.path: note for note in notes}
        self._again = again
        self._conflicts: list[Conflict] = []
        self._taken: dict[str, Taken] = {}
        self._written: dict[str, bytes] = {}  # plaintexts
        self._files: dict[str, bytes] = {}  # what is no message
        self._contents: dict[str, bytes] = {}

    def into(self, change: Operation, decision: Decision) -> Merged:
        """Make the changes part of an operation.

        Raises KeyLocked (no entry could be read), VerificationFailed (admins have to decide), CannotEncrypt.
        """
        self._taken = dict(decision.taken)
        self._read(decision)
        texts = self._opened(decision)
        for path, three in decision.both.items():
            self._join(path, three, texts, change.team)
        for path, taken in self._taken.items():
            self._place(change, path, taken)
        for path, content in self._files.items():
            change.place(path, content)
        for path, plaintext in self._written.items():
            change.write(path.removesuffix(SUFFIX), plaintext)
        left = self._reencrypt(change)
        return Merged(tuple(self._conflicts), tuple(left))

    def _read(self, decision: Decision) -> None:
        """Read the content of every file that is taken or joined."""
        blobs = [each.file.blob for each in decision.taken.values() if each.file]
        blobs += [file.blob for three in decision.both.values() for file in three[:3] if file and file.blob]
        self._contents = dict(reading.objects(self._repository, blobs, "blob"))

    def _opened(self, decision: Decision) -> dict[str, bytes]:
        """Return the plaintexts, by blob, of the entries that both changed, as far as they can be read."""
        wanted: dict[str, str] = {}
        for path, (base, ours, theirs, *_) in decision.both.items():
            both = ours and theirs and base not in (ours, theirs)
            if _ordinary(ours, theirs) and ((both and _is_entry(path)) or _is_pending(path)):
                wanted |= {file.blob: path for file in (base, ours, theirs) if file and file.blob in self._contents}
        blobs = list(wanted)
        items = ((_name(wanted[blob]), self._contents[blob]) for blob in blobs)
        opened = zip(blobs, bulk.decrypt_many(items, options=self._store.options), strict=False)
        return {blob: text for blob, (_, text) in opened if isinstance(text, bytes)}

    def _join(self, path: str, three: Three, texts: Mapping[str, bytes], team: Team | None) -> None:
        base, ours, theirs, here, there = three
        if ours == theirs or (ours and ours == base) or (ours and theirs and ours.blob == theirs.blob):
            self._taken[path] = Taken(theirs, self._theirs, there)
        elif theirs and theirs == base:
            self._taken[path] = Taken(ours, self._ours, here)
        elif _is_pending(path):
            self._join_pending(path, three, texts)
        elif not _is_entry(path):
            self._join_file(path, three, team)
        elif ours and theirs and ours.blob in texts and theirs.blob in texts:
            old = texts.get(base.blob) if base else None
            joined = threeway.merge(old, texts[ours.blob], texts[theirs.blob])
            if joined is None:
                self._keep_both(path, three)
            elif joined == texts[theirs.blob]:
                self._taken[path] = Taken(theirs, self._theirs, there)
            elif joined == texts[ours.blob]:
                self._taken[path] = Taken(ours, self._ours, here)
            else:
                self._written[path] = joined
                self._taken.pop(path, None)
        else:
            self._keep_both(path, three)

    def _join_pending(self, path: str, three: Three, texts: Mapping[str, bytes]) -> None:
        """Take one of two files of the same rotation; where one side has changed or ended it, that is what becomes."""
        base, ours, theirs = (texts.get(file.blob) if file else None for file in three[:3])
        readable = all(text is not None for text, file in zip((base, ours, theirs), three[:3], strict=True) if file)
        if readable and base == ours:
            self._taken[path] = Taken(three.theirs, self._theirs, three.there)
        elif readable and base == theirs:
            self._taken[path] = Taken(three.ours, self._ours, three.here)
        elif readable and ours == theirs:
            self._taken[path] = Taken(three.theirs, self._theirs, three.there)
        else:
            self._keep_both(path, three)

    def _join_file(self, path: str, three: Three, team: Team | None) -> None:
        kind = paths.place(path).kind if team else None
        if kind is Kind.LOG and three.ours and three.theirs:
            theirs, ours = (self._contents[file.blob].splitlines(keepends=True) for file in (three.theirs, three.ours))
            self._files[path] = b"".join([*theirs, *(line for line in ours if line not in set(theirs))])
        elif team and self._again:
            self._conflicts.append(Conflict(path, ""))  # what the others have stays: nothing else may wait for it
        elif team:
            raise VerificationFailed(
                f"{path} was changed here and by somebody else, and a merge may not decide between the two",
                "Take your own change back (clave undo, or clave restore), then: clave sync.",
            )
        else:
            self._keep_both(path, three)

    def _keep_both(self, path: str, three: Three) -> None:
        """Let theirs have the path, and keep ours beside it; what only one of the two still has stays."""
        self._taken[path] = Taken(three.theirs, self._theirs, three.there)
        kept = ""
        if three.ours:
            kept = self._aside(path)
            self._taken[kept] = Taken(three.ours, self._ours, three.here)
        self._conflicts.append(Conflict(path, kept))

    def _aside(self, path: str) -> str:
        end = path[-len(SUFFIX) :] if path.endswith(SUFFIX) or _is_pending(path) else ""
        folder, slash, name = path.removesuffix(end).rpartition("/")
        stem = folder + slash + name.encode("utf-8", "surrogateescape")[:_LONGEST].decode("utf-8", "ignore")
        number = 1
        while True:
            count = f"-{number}" if number > 1 else ""
            aside = f"{stem}{CONFLICT}{self._short}{count}{end}"
            if not any(aside in files for files in (self._ours, self._theirs, self._current, self._taken)):
                return aside
            number += 1

    def _place(self, change: Operation, path: str, taken: Taken) -> None:
        if taken.file == self._current.get(path):
            return
        if taken.file is None:
            change.remove(path)
            return
        content = self._contents.get(taken.file.blob)
        if content is None:
            raise GitFailed(f"git does not have {path}, or it is too large", "See what is lost: clave git fsck.")
        kept_aside = CONFLICT in path and path != taken.source
        change.place(
            path,
            content_of(taken.file.mode, content),
            moved_from=taken.source if kept_aside else None,
            note=self._notes.get(path),
        )

    def _reencrypt(self, change: Operation) -> list[str]:
        """Encrypt anew what is taken from where others read it; return the entries for which the user cannot."""
        result = {**self._current, **{path: taken.file for path, taken in self._taken.items() if taken.file}}
        for path in (path for path, taken in self._taken.items() if not taken.file):
            result.pop(path, None)
        rosters = {id(files): roster_file(files) for files in (self._ours, self._theirs, result)} if change.team else {}
        names: list[str] = []
        left: list[str] = []
        for path, (file, side, source) in self._taken.items():
            message = _is_entry(path) or _is_pending(path)
            if file and file.mode == _PLAIN and message and not self._store.settings.keys:
                if change.team:
                    same = rosters[id(side)] == rosters[id(result)] and _folder(source) == _folder(path)
                else:
                    same = _recipients(side, source) == _recipients(result, path)
                if not same:
                    may = not change.team or paths.may_change(change.team.roster, change.team.require_member(), path)
                    (names if may else left).append(_name(path))
        return [*dict.fromkeys(left), *renew(change, list(dict.fromkeys(names)))]


def merge(store: Store, repository: Repository, change: Operation, ours: str, theirs: str, team: Team | None) -> Merged:
    """Make an operation on HEAD, `ours`, the merge with `theirs`. Raises as `Merger.into`."""
    base = graph.files_before(repository, ours, theirs)
    here, there = graph.files(repository, ours), graph.files(repository, theirs)
    our_moves = graph.moves(repository, base, ours, theirs, here)
    their_moves = graph.moves(repository, base, theirs, ours, there)
    change.merge(theirs, team)
    merger = Merger(store, repository, here, there, here, ours[:7])
    merged = merger.into(change, decide(base, here, there, our_moves, their_moves))
    both = {**our_moves, **their_moves}.items()
    return merged._replace(parted=tuple((_name(old), _name(new)) for old, new in both if _is_parted(change, old, new)))


def _is_parted(change: Operation, old: str, new: str) -> bool:
    """Tell whether one side has begun to rotate an entry that the other has moved: its rotation is where it was."""
    rotation = pending_path(_name(old)), pending_path(_name(new))
    there = [change.content(path) is not None for path in (*rotation, old, new)]
    return there == [True, False, False, True]


def bring_together(store: Store, parted: Iterable[tuple[str, str]]) -> None:
    """Let rotations follow their entries, in a commit of its own: a merge may not set a path back to what it was.

    One that the user cannot read, or may not write, stays where it is: doctor tells.
    """
    from clave.store.lifecycle import pending

    for old, new in parted:
        with begin(store, _folder(new)) as change, suppress(CannotDecrypt, StoreDamaged, VerificationFailed):
            pending.move(change, store, old, new)
            change.commit(f"Let the rotation of {old} follow it to {new}.", "move")


def renew(change: Operation, names: Sequence[str]) -> list[str]:
    """Encrypt entries anew as their readers are now; return those that the user cannot read."""
    try:
        change.reencrypt(names)
    except KeyLocked:
        raise
    except CannotDecrypt:
        if len(names) == 1:
            return list(names)
        return [each for name in names for each in renew(change, [name])]
    return []


def roster_file(files: Files) -> File | None:
    """Return the roster in force, None where there is none."""
    return files.get(max((path for path in files if paths.roster_number(path) is not None), default=""))


def _recipients(files: Files, path: str) -> File | None:
    """Return the nearest `.gpg-id` upwards."""
    folder = _folder(path)
    while True:
        found = files.get(f"{folder}/{layout.RECIPIENTS}" if folder else layout.RECIPIENTS)
        if found or not folder:
            return found
        folder = _folder(folder)


def _folder(path: str) -> str:
    return entry_folder(path)


def _name(path: str) -> str:
    return pending_name(path) or path.removesuffix(SUFFIX)


def _is_entry(path: str) -> bool:
    return paths.place(path).kind is Kind.ENTRY


def _is_pending(path: str) -> bool:
    return paths.place(path).kind is Kind.PENDING and pending_name(path) is not None


def _ordinary(*files: File | None) -> bool:
    return all(file.mode != _LINK for file in files if file)
