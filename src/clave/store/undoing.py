"""Taking back the last operation of a store, as a new commit.

Every file that the operation touched becomes what it was before; what comes back is encrypted to those who read
the folder today. Refused is what would give somebody access that was taken, or a retired value a new life:

* a commit that changed recipients, or anything else that is no entry;
* a rekey, a rotation, and whatever concerns the team;
* a move back to where more people read than read it now;
* a merge: it is no single operation.

An undo is an operation too, and can be undone.
"""

from __future__ import annotations

import os
from functools import cache, partial
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import BadMessage, NotFound, UsageError
from clave.model.name import SUFFIX
from clave.openpgp import packets
from clave.store import layout, recipients
from clave.store.operation import begin
from clave.store.past import past
from clave.vcs.history import SYMLINK
from clave.vcs.worktree import Link

if TYPE_CHECKING:
    from clave.store.operation import Operation
    from clave.store.past import Past
    from clave.store.store import Store
    from clave.vcs.follow import Step
    from clave.vcs.worktree import Content

_UNDO, _REDO = "Undo: ", "Redo: "
_RESTORE = "Bring back what you need: clave restore NAME REV."
# Operations that are not undone: why, and what to do instead.
_REFUSED = {
    "rekey": ("it changed who can read, and undoing it would bring back access", "Set who reads: clave init."),
    "rotate": ("it rotated a value, and undoing it would bring back the retired one", _RESTORE),
    "team": ("it changed the team", "Change the team again."),
    "policy": ("it changed the policy", "Change the policy again."),
    "merge": ("it is a merge, which is more than one operation", _RESTORE),
    "endorse": ("it vouches for the work of somebody else", _RESTORE),
}


class Undone(NamedTuple):
    """What was undone (its subject, who had done it and when: claims, not safe to print), and what that did.

    `results` holds name and what became of it: `removed`, `back` or `as before`.
    """

    subject: str
    author: str
    time: int
    results: list[tuple[str, str]]


def undo(store: Store) -> Undone:
    """Take back the last operation of the store.

    Raises NotFound (there is none), UsageError (it is one that is not undone), and as every write: GitFailed
    where one of its files has changed since, CannotDecrypt where what comes back must be encrypted anew and
    cannot be read.
    """
    with begin(store) as change:
        with past(store) as then:
            step = _last(then)
            before = _before(step, then)
        _require_no_wider(store, change, step, then)
        results = []
        for path, content in before.items():
            name = path.removesuffix(SUFFIX)
            results.append((name, _outcome(change.content(path), content)))
            if content is None:
                change.remove(path)
            else:
                change.place(path, content, moved_from=path)
        change.reencrypt([path.removesuffix(SUFFIX) for path in before])
        change.commit(_subject(step), "undo")
    return Undone(step.note.subject, step.commit.author, step.commit.time, results)


def _last(then: Past) -> Step:
    """Return the last step that touched the store, if it is one that can be undone."""
    for step in then.steps(then.scopes("")):
        if len(step.commit.parents) > 1:
            raise _refused(step, *_REFUSED["merge"])
        if step.touches:
            if step.note.operation in _REFUSED:
                raise _refused(step, *_REFUSED[step.note.operation])
            return step
    raise NotFound("there is no operation to undo")


def _before(step: Step, then: Past) -> dict[str, Content | None]:
    """Return what each path that the step changed held before, by its path in the store; None is nothing."""
    before: dict[str, Content | None] = {}
    for file in step.commit.changes[0]:
        if file.source:
            before[file.source] = _content(then, file.old_mode, file.old_blob)
            before.setdefault(file.path, None)
        else:
            before[file.path] = _content(then, file.old_mode, file.old_blob)
    for path in before:
        _require_entry(step, path, then)
    return {then.place.name(path): content for path, content in before.items()}


def _content(then: Past, mode: str | None, blob: str | None) -> Content | None:
    if blob is None:
        return None
    data = then.history.blob(blob)
    return Link(os.fsdecode(data)) if mode == SYMLINK else data


def _require_entry(step: Step, path: str, then: Past) -> None:
    """Raise UsageError unless a path that the step changed is the file of an entry."""
    name = then.place.name(path)
    base = name.rpartition("/")[2]
    if base in (layout.RECIPIENTS, recipients.SIGNATURE):
        raise _refused(step, *_REFUSED["rekey"])
    if not path.startswith(then.place.below) or not base.endswith(SUFFIX) or "/." in f"/{name}":
        raise _refused(step, f"it changed {name}, which is no entry", _RESTORE)


def _require_no_wider(store: Store, change: Operation, step: Step, then: Past) -> None:
    """Raise UsageError if an entry that was moved would go back to where more people read than read it now."""
    readers = cache(partial(recipients.for_folder, store))
    for touch in step.touches:
        if touch.kind != "moved" or touch.source is None:
            continue
        new, old = (then.place.name(path).removesuffix(SUFFIX) for path in (touch.path, touch.source))
        content = change.content(new + SUFFIX)
        if not isinstance(content, bytes):
            continue
        try:
            now = packets.inspect(packets.dearmor(content)).recipients
        except BadMessage as failure:
            raise BadMessage(f"who reads {new} cannot be told: {failure.message}", failure.hint) from None
        wider = [reader for reader in readers(old.rpartition("/")[0]) if reader.key_id not in now]
        if wider:
            raise UsageError(
                f"undoing 'mv {old} {new}' would give {wider[0].user_id} access to it again",
                f"If you mean it: clave mv {new} {old}.",
            )


def _outcome(now: Content | None, before: Content | None) -> str:
    if before is None:
        return "removed"
    return "back" if now is None else "as before"


def _refused(step: Step, reason: str, hint: str) -> UsageError:
    return UsageError(f"'{step.note.subject}' cannot be undone: {reason}", hint)


def _subject(step: Step) -> str:
    """Return the subject of the undo: that of what it undoes, marked; an undo of an undo is a redo."""
    subject = step.note.subject
    if step.note.operation == "undo":
        for mark, other in ((_UNDO, _REDO), (_REDO, _UNDO)):
            if subject.startswith(mark):
                return other + subject.removeprefix(mark)
    return _UNDO + subject
