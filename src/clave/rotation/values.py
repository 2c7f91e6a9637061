"""What became of the values in a store, as its history tells without decrypting: how old each is, and what carries it.

A file's content, its blob, has one plaintext for ever. So what is known is known of blobs: which came to be when, and
of which earlier ones it carries on secrets. A commit says so by its trailers (`model.change`), or by the subject of
pass or gopass; what a trailer says of a path counts only where the commit changed it against its first parent.

    value    all secrets are new                   nothing is carried on
    part     some are                              so are the others of the version before
    meta     none is                               all are
    rekey    the same text, for other readers      all are
    same     the text of a blob that is named      all of that are
    unknown  another program wrote it              perhaps all of the version before are, and that is what counts

A trailer counts as none if what it carries on is in no commit before. A new file of which nobody says anything holds
new values, unless its path had another one once, or the commit removed one: it may be that, encrypted anew. In a merge
only what none of its parents has is its own; that may carry on what each of them has.

The end that an entry has of its own stands in the commit that wrote it; another program's text is taken to have the end
that the one before had.

A rotation that is under way is kept in a file of its own, which has readers too: what becomes of it carries it on.

Where the age is asked for, the oldest secret counts: a value that is known to be young in part is as old as the rest.
Dates are claims of those who committed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from clave.model.name import SUFFIX, entry_folder, pending_name, pending_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from clave.model.change import Change, Note

VALUE, PART, META, REKEY, SAME, UNKNOWN = "value", "part", "meta", "rekey", "same", "unknown"
_RECIPIENTS, _CERTIFICATES, _ACCEPTED = ".gpg-id", ".public-keys", ".clave/accepted/"
_MOST = 20  # removed files of one name that a new one may be


class Step(NamedTuple):
    """One commit: its time in Unix seconds, what it says, and what it changed, seen from each of its parents.

    `author` is the address of who made it.
    A change is a path and the blobs before and after, "" for none. A commit without a parent has one side, of all.
    """

    commit: str
    time: int
    note: Note
    sides: Sequence[Sequence[tuple[str, str, str]]]
    author: str = ""


class Origin(NamedTuple):
    """How a blob came to be: in which commit, when, of which kind, and of which blobs it carries on secrets.

    `due` is the end that the entry has of its own, as a date (ISO 8601), "" for none; `recipients` the blob of the
    `.gpg-id` that held for it, "" for none.
    """

    commit: str
    time: int
    kind: str
    before: tuple[str, ...] = ()
    due: str = ""
    recipients: str = ""


class Value(NamedTuple):
    """What is known of the value in a blob.

    `since` (Unix seconds) is when the oldest of its secrets came to be, `changed` when one of them last did; `partly`:
    some are younger than `since`. Not `known`: another program has changed the text since, and may have changed all.
    """

    since: int
    changed: int
    partly: bool = False
    known: bool = True


class Trace:
    """The origins of all blobs of entries, in the order in which they came to be; grown commit by commit.

    `last` is the newest blob that was seen at each path, `authors` are the addresses of who made each commit,
    `pending` the blobs of rotations that were under way, `certificates` all that were in the store, with the names of
    their files, `recipients` the `.gpg-id` files that are there now, by folder. `accepted` are all files that ever said
    that a value stays as it is, with the commits that brought them.
    """

    def __init__(
        self,
        origins: Mapping[str, Origin] | None = None,
        last: Mapping[str, str] | None = None,
        authors: Mapping[str, str] | None = None,
        pending: Iterable[str] = (),
        certificates: Mapping[str, str] | None = None,
        recipients: Mapping[str, str] | None = None,
        accepted: Mapping[str, str] | None = None,
    ) -> None:
        self.origins = dict(origins or {})
        self.last = dict(last or {})
        self.authors = dict(authors or {})
        self.pending = set(pending)
        self.certificates = dict(certificates or {})
        self.recipients = dict(recipients or {})
        self.accepted = dict(accepted or {})

    def add(self, steps: Iterable[Step], below: str = "") -> None:
        """Add commits, parents before children. The store's own paths begin with `below`."""
        for step in steps:
            self.authors[step.commit] = step.author
            self._add(step, below)

    def values(self) -> dict[str, Value]:
        """Return what is known of the value in each blob."""
        found: dict[str, Value] = {}
        for blob, origin in self.origins.items():
            carried = [found[each] for each in origin.before if each in found]
            found[blob] = _value(origin, carried)
        return found

    def sharing(self) -> Sharing:
        """Return which blobs hold the same secrets as others, as far as is known by now."""
        return Sharing(self.origins)

    def _add(self, step: Step, below: str) -> None:
        first, *others = ({path: (old, new) for path, old, new in side} for side in step.sides)
        self._add_files(step.commit, first, below)
        own = {path: blobs for path, blobs in first.items() if all(path in each for each in others)}
        rotations = {path: blobs for path, blobs in own.items() if pending_name(path.removeprefix(below))}
        ended = {path: old for path, (old, new) in rotations.items() if not new}
        own = {path: blobs for path, blobs in own.items() if path.endswith(SUFFIX)}
        said = {change.path: change for change in step.note.changes}
        dues = {path: day for day, path in step.note.dues}
        removed = {path: old for path, (old, new) in own.items() if not new}
        for path, (_, new) in [*rotations.items(), *own.items()]:
            if new and new not in self.origins:
                olds = tuple(dict.fromkeys(old for side in (first, *others) if (old := side[path][0])))
                found = self._by_trailer(said[path], olds) if path in said else None
                if path in rotations:
                    before = olds or tuple(ended.values())
                    kind, before = found or (REKEY if before else VALUE, before)
                    self.pending.add(new)
                else:
                    kind, before = found or self._by_subject(step.note, path, below, olds, removed)
                    rotation = below + pending_path(path.removeprefix(below).removesuffix(SUFFIX))
                    before = (*before, ended[rotation]) if rotation in ended else before
                due = dues.get(path) or ("" if kind in (VALUE, PART, META) else self._due(before))
                self.origins[new] = Origin(step.commit, step.time, kind, before, due, self._recipients_of(path, below))
        self.last.update((path, new) for path, (_, new) in own.items() if new)

    def _add_files(self, commit: str, changed: Mapping[str, tuple[str, str]], below: str) -> None:
        """Remember which certificates there are, which `.gpg-id` holds, and what was accepted."""
        for path, (_, new) in changed.items():
            folder, _, base = path.rpartition("/")
            if base == _RECIPIENTS:
                self.recipients.pop(folder, None)
                if new:
                    self.recipients[folder] = new
            elif new and folder == f"{below}{_CERTIFICATES}":
                self.certificates[new] = base
            elif new and path.startswith(f"{below}{_ACCEPTED}"):
                self.accepted.setdefault(new, commit)

    def _recipients_of(self, path: str, below: str) -> str:
        """Return the `.gpg-id` that holds for an entry, or for one that is rotated."""
        folder = below + entry_folder(path.removeprefix(below))
        while folder not in self.recipients and folder:
            folder = folder.rpartition("/")[0]
        return self.recipients.get(folder, "")

    def _due(self, before: Iterable[str]) -> str:
        """Return the end that blobs had, the first of several."""
        return min(filter(None, (self.origins[each].due for each in before if each in self.origins)), default="")

    def _by_trailer(self, change: Change, olds: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
        """Return kind and sources of a new blob, None for a trailer that says what cannot be."""
        if change.kind == VALUE:
            return VALUE, ()
        before = olds if change.kind != SAME else (change.source,) if change.source in self.origins else ()
        return (change.kind, before) if before else None

    def _by_subject(
        self, note: Note, path: str, below: str, olds: tuple[str, ...], removed: Mapping[str, str]
    ) -> tuple[str, tuple[str, ...]]:
        """Return kind and sources of a new blob that no trailer speaks of."""
        name = path.removeprefix(below).removesuffix(SUFFIX)
        if note.operation in ("move", "copy"):
            sources = self._sources(note, name, below, removed)
            if sources:
                return SAME, sources
        if note.operation == "rekey" and olds:
            return REKEY, olds
        if note.operation in ("insert", "generate") and note.name == name:
            # pass's insert and generate replace all but for `generate -i`; gopass keeps what stands below line 1.
            keeps = note.subject.startswith(("Replace generated ", "Save secret "))
            return (PART, olds) if keeps and olds else (VALUE, ())
        if olds or path in self.last:
            return UNKNOWN, olds or (self.last[path],)
        base = path.rpartition("/")[2]
        same_name = [old for gone, old in removed.items() if gone.rpartition("/")[2] == base]
        perhaps = (same_name or [*removed.values()])[:_MOST]
        return (UNKNOWN, tuple(perhaps)) if perhaps else (VALUE, ())

    def _sources(self, note: Note, name: str, below: str, removed: Mapping[str, str]) -> tuple[str, ...]:
        """Return the blobs that a subject of pass or gopass may mean as the source of an entry."""
        found: dict[str, None] = {}
        for old, new in note.moves:
            for target in (f"{new}/{old.rpartition('/')[2]}", new):  # a folder that is there takes it under its name
                if name == target or name.startswith(f"{target}/"):
                    path = f"{below}{old}{name[len(target) :]}{SUFFIX}"
                    blob = removed.get(path) or self.last.get(path)
                    if blob:
                        found[blob] = None
        return tuple(found)


class Sharing:
    """Which blobs share secrets: what came before one carries them, and so does whatever else came of that.

    A copy in another folder has readers of its own, so it counts as much as the versions before.
    """

    def __init__(self, origins: Mapping[str, Origin]) -> None:
        self._origins = origins
        self._after: dict[str, list[str]] = {}
        for blob, origin in origins.items():
            for each in origin.before:
                self._after.setdefault(each, []).append(blob)
        self._found: dict[str, dict[str, bool]] = {}  # it is asked of each entry once for each person

    def of(self, blob: str) -> Mapping[str, bool]:
        """Return the blobs that share, or may share, secrets with one, itself too: True where not all of them."""
        if blob not in self._found:
            earlier = self._spread({blob: False}, self._before)
            self._found[blob] = self._spread(earlier, self._later)
        return self._found[blob]

    def _before(self, blob: str) -> Iterable[tuple[str, bool]]:
        origin = self._origins.get(blob)
        return [(each, origin.kind == PART) for each in origin.before] if origin and origin.before else ()

    def _later(self, blob: str) -> Iterable[tuple[str, bool]]:
        after = self._after.get(blob)
        return [(each, self._origins[each].kind == PART) for each in after] if after else ()

    @staticmethod
    def _spread(found: Mapping[str, bool], step: Callable[[str], Iterable[tuple[str, bool]]]) -> dict[str, bool]:
        reached = dict(found)
        queue = [*reached]
        while queue:
            here = queue.pop()
            for each, in_part in step(here):
                partly = reached[here] or in_part
                if each not in reached or (reached[each] and not partly):
                    reached[each] = partly
                    queue.append(each)
        return reached


def _value(origin: Origin, carried: Sequence[Value]) -> Value:
    if not carried or origin.kind == VALUE:
        return Value(origin.time, origin.time)
    since = min(each.since for each in carried)
    known = origin.kind != UNKNOWN and all(each.known for each in carried)
    if origin.kind == PART:
        return Value(since, origin.time, partly=True, known=known)
    return Value(since, max(each.changed for each in carried), any(each.partly for each in carried), known)
