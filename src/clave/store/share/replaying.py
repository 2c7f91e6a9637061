"""Own commits made again on top of those of others, where the two cannot be merged: both sides made a next roster.

Rosters are never merged. So HEAD goes to what the others have, and each of the user's own commits is made again on top
of it, oldest first: changes of entries by the same rules as in a merge (`merging`), a change of the roster as the same
change of theirs. Where that is not possible, the change is told, and has to be made by its command again; the entries
of that commit are brought over all the same.

The commits wait in a queue until they are made again, so none is lost with a process that dies: the next sync goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from clave.errors import NotFound, UsageError, VerificationFailed
from clave.model.change import parse
from clave.model.name import SUFFIX, pending_path
from clave.store.lifecycle import pending
from clave.store.operation import begin
from clave.store.share.merging import Merger, decide, renew, roster_file
from clave.store.trust import pins, verification
from clave.team import editing, paths
from clave.team import roster as rosters
from clave.team.paths import Kind
from clave.vcs import graph, queue, reading, transaction

if TYPE_CHECKING:
    from clave.store.operation import Operation
    from clave.store.share.merging import Conflict
    from clave.store.store import Store
    from clave.vcs.git import Repository
    from clave.vcs.graph import Files

# What follows from a roster is not brought over, but made again with it; the certificates that came with it, too.
_FROM_ROSTER = (Kind.RECIPIENTS, Kind.ROSTER)


class Replayed(NamedTuple):
    """What could not be brought over: entries that are kept twice or not encrypted anew, and changes of the team."""

    conflicts: tuple[Conflict, ...] = ()
    left: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


def is_needed(ours: Files, theirs: Files) -> bool:
    """Tell whether two commits have different rosters of one number, or the same one signed by two people."""
    made = [path for path in ours if paths.place(path).kind is Kind.ROSTER]
    return any(path in theirs and theirs[path] != ours[path] for path in made)


def start(store: Store, repository: Repository, tip: str) -> None:
    """Let HEAD be `tip`, which is verified, and the user's own commits wait to be made again."""
    with transaction.begin(repository, store.root) as write:
        own = graph.between(repository, tip, write.head or tip)
        queue.put_first(repository, [each.id for each in own if len(each.parents) == 1])
        write.advance(tip)
    pinned = verification.pinned_or_refuse(repository)
    pins.write(repository, pinned.replace(local=tip))


def go_on(store: Store, repository: Repository) -> Replayed:
    """Make every commit that waits again on HEAD. Raises as every write: what is not made yet goes on waiting."""
    done = Replayed()
    for name, commit in queue.waiting(repository):
        one = _again(store, repository, commit)
        done = Replayed(done.conflicts + one.conflicts, done.left + one.left, done.refused + one.refused)
        queue.drop(repository, name)
    return done


def _again(store: Store, repository: Repository, commit: str) -> Replayed:
    told = graph.commit(repository, commit)
    note = parse(told.message)
    parent = told.parents[0]
    before, after = graph.files(repository, parent), graph.files(repository, commit)
    head = reading.require_commit(repository, "HEAD")
    now = graph.files(repository, head)
    left_out = _FROM_ROSTER if roster_file(before) == roster_file(after) else (*_FROM_ROSTER, Kind.CERTIFICATE)
    ours = _movable(after, left_out)
    moves = graph.moves(repository, before, commit, parent, ours), graph.moves(repository, before, head, parent, now)
    refused: tuple[str, ...] = ()
    with begin(store) as change:
        if roster_file(before) != roster_file(after):
            try:
                _redo(change, repository, before, after)
            except (UsageError, VerificationFailed, NotFound) as reason:
                refused = (f"'{note.subject}' was not made again: {reason.line()}",)
        base, theirs = _movable(before, left_out), _movable(now, left_out)
        merger = Merger(store, repository, ours, theirs, now, commit[:7], notes=note.changes, again=True)
        merged = merger.into(change, decide(base, ours, theirs, *moves))
        left = list(merged.left)
        if roster_file(before) != roster_file(after) and not refused:
            left += renew(change, [name for name in pending.with_entries(store) if _may_write(change, name)])
        change.commit(note.subject or "Change the store.", note.operation or "edit")
    return Replayed(merged.conflicts, tuple(left), refused)


def _may_write(change: Operation, name: str) -> bool:
    assert change.team is not None
    path = name + SUFFIX
    own = paths.may_change(change.team.roster, change.team.require_member(), path)
    return own and any(isinstance(change.content(each), bytes) for each in (path, pending_path(name)))


def _redo(change: Operation, repository: Repository, before: Files, after: Files) -> None:
    """Make the change of a roster again on the one in force. Raises UsageError where it does not fit."""
    assert change.team is not None
    files = [file for file in (roster_file(before), roster_file(after)) if file]
    changed = {
        path.rpartition("/")[2]: file.blob
        for path, file in after.items()
        if paths.place(path).kind is Kind.CERTIFICATE and before.get(path) != file
    }
    blobs = dict(reading.objects(repository, [*(file.blob for file in files), *changed.values()], "blob"))
    base, mine = (rosters.parse(blobs[file.blob]) for file in files)
    new = editing.redo(base, mine, change.team.roster)
    if new != change.team.roster:
        change.set_roster(new, {fpr: blobs[blob] for fpr, blob in changed.items()})


def _movable(files: Files, left_out: tuple[Kind, ...]) -> Files:
    """Return the files that are brought over as they are."""
    return {path: file for path, file in files.items() if paths.place(path).kind not in left_out}
