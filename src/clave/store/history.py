"""Looking back: the log of a store, an entry as it was, what changed in it, and bringing it back.

What comes back is a plaintext: it is encrypted to those who read the folder today. Old recipients never return.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from clave.errors import CannotDecrypt, NotFound, StoreDamaged
from clave.model import difference
from clave.model.name import SUFFIX, check
from clave.openpgp.bulk import decrypt_many
from clave.openpgp.message import decrypt
from clave.store import layout
from clave.store.operation import begin
from clave.store.past import past, short
from clave.store.reading import read
from clave.vcs.worktree import Link

if TYPE_CHECKING:
    from clave.model.difference import Difference
    from clave.store.operation import Operation
    from clave.store.past import Past, Version
    from clave.store.store import Store
    from clave.vcs.follow import Place, Step, Touch
    from clave.vcs.history import Signature

NOW = "now"
NOTHING = "nothing"


class Touched(NamedTuple):
    """What an operation did to an entry or another file: added, changed, removed, moved or copied (`source`)."""

    name: str
    change: str
    source: str | None


class Event(NamedTuple):
    """One operation in the log.

    `operation` is a word of `model.change.OPERATIONS`, None for a commit of another kind. `entries` is what it
    did to entries, `others` to other files of the store (`.gpg-id`). `signature` is `unsigned`, `unchecked`, or
    once checked a state of `vcs.history.SIGNATURES`; `key` and `signer` are then fingerprint and user id.
    Author and subject are claims, and not safe to print. `time` is in Unix seconds.
    """

    commit: str
    time: int
    author: str
    email: str
    operation: str | None
    subject: str
    entries: tuple[Touched, ...]
    others: tuple[Touched, ...]
    signature: str
    key: str = ""
    signer: str = ""


class Comparison(NamedTuple):
    """Two versions of an entry: what to call them, their plaintexts (None: there was none), what differs."""

    old_label: str
    new_label: str
    old: bytes | None
    new: bytes | None
    differences: list[Difference]


def log(store: Store, name: str = "", *, limit: int | None = None, verify: bool = False) -> list[Event]:
    """Return the operations on an entry, a folder or (`""`) the whole store, newest first.

    An entry is followed back through renames, moves and copies. With `verify` the signatures are checked. Raises
    UsageError (no name), NotFound (never was there), GitFailed.
    """
    with past(store, name) as then:
        events: list[Event] = []
        for step in then.steps(then.scopes(name)):
            if step.touches:
                events.append(_event(step, then.place))
            if len(events) == limit:
                break
        if not events and name.strip("/"):
            raise _never(name)
        if verify:
            from clave.store.trust.checking import check

            signed = [event.commit for event in events if event.signature != "unsigned"]
            states = check(then.history, signed, store.known_team()) if signed else {}
            events = [_checked(event, states.get(event.commit)) for event in events]
    return events


def at(store: Store, name: str, revision: str) -> bytes:
    """Return the plaintext of an entry as it was.

    `revision` is `-N` or `~N` (N versions of this entry earlier; encrypting anew and moving make no version), a
    date `YYYY-MM-DD` (the end of that day) or `YYYY-MM-DDTHH:MM`, local unless it says a zone, or a commit.
    Raises UsageError, NotFound (naming the versions that there are), GitFailed, CannotDecrypt, StoreDamaged.
    """
    name = check(name)
    with past(store, name) as then:
        return _open(store, then, name, then.find(name, revision))


def compare(store: Store, name: str, old: str | None = None, new: str | None = None) -> Comparison:
    """Compare two versions of an entry: without `new`, with what is there now; without `old`, the last change.

    Raises as `at`.
    """
    name = check(name)
    with past(store, name) as then:
        if old is None:
            first = _before_last_change(store, then, name)
        else:
            version = then.find(name, old)
            first = version.label(), _open(store, then, name, version)
        if new is not None:
            version = then.find(name, new)
            second: tuple[str, bytes | None] = version.label(), _open(store, then, name, version)
        elif layout.is_entry(store.root, name):
            second = NOW, read(store.root, name, options=store.options)
        else:
            second = NOW, None
    return Comparison(first[0], second[0], first[1], second[1], difference.between(first[1], second[1]))


def restore(store: Store, name: str, revision: str) -> list[str]:
    """Bring back an entry, or the entries of a folder, as they were; return the names of those that changed.

    A removed entry comes back; what a folder has gained since stays. `revision` is as for `at`; of a folder, `-N`
    is N operations on it earlier. Raises as `at`, and as every write.
    """
    plain = check(name)
    folder = plain if layout.is_folder(store.root, plain) else plain.rpartition("/")[0]
    with begin(store, folder) as change:
        with past(store, name) as then:
            versions = _to_restore(then, name, revision)
            old = then.contents(versions)
        differ = [(each, content) for each, content in old.items() if change.content(each + SUFFIX) != content]
        restored = []
        for each, plaintext in decrypt_many(differ, options=store.options):
            if isinstance(plaintext, CannotDecrypt):
                raise plaintext
            if _write_back(change, each, plaintext, versions[each].blob or ""):
                restored.append(each)
        if restored:
            change.commit(f"Restore {plain} from {short(versions[restored[0]].commit)}.", "restore")
    return restored


def _event(step: Step, place: Place) -> Event:
    commit, note = step.commit, step.note
    entries, others = [], []
    for touch in step.touches:
        touched = _touched(touch, place)
        name = place.name(touch.path)
        if name.endswith(SUFFIX) and not any(part.startswith(".") for part in name.split("/")):
            entries.append(touched)
        else:
            others.append(touched)
    return Event(
        commit.id,
        commit.time,
        commit.author,
        commit.email,
        note.operation,
        note.subject,
        tuple(entries),
        tuple(others),
        "unchecked" if commit.signed else "unsigned",
    )


def _touched(touch: Touch, place: Place) -> Touched:
    source = place.name(touch.source).removesuffix(SUFFIX) if touch.source else None
    return Touched(place.name(touch.path).removesuffix(SUFFIX), touch.kind, source)


def _checked(event: Event, signature: Signature | None) -> Event:
    if signature is None:
        return event
    return event._replace(signature=signature.state, key=signature.fingerprint, signer=signature.signer)


def _open(store: Store, then: Past, name: str, version: Version) -> bytes:
    return decrypt(then.content(version), name=f"{name} in {short(version.commit)}", options=store.options)


def _before_last_change(store: Store, then: Past, name: str) -> tuple[str, bytes | None]:
    """Return what to call the version before the last change, and its plaintext: None where that added it."""
    versions = then.versions(name)
    if next(versions, None) is None:
        raise _never(name)
    before = next(versions, None)
    return (NOTHING, None) if before is None else (before.label(), _open(store, then, name, before))


def _never(name: str) -> NotFound:
    return NotFound(f"no commit has an entry or folder {name}", "See all names that there were: clave log.")


def _to_restore(then: Past, name: str, revision: str) -> dict[str, Version]:
    """Return the versions that a restore brings back, by name: of an entry, else of the entries of a folder."""
    plain = check(name)
    missing = NotFound(f"{plain} has no version {revision}", f"See what is known of it: clave log {plain}.")
    if not name.endswith("/"):
        try:
            return {plain: then.find(plain, revision)}
        except NotFound as no_entry:
            missing = no_entry
    found = then.find_folder(plain, revision)
    if not found:
        raise missing
    return found


def _write_back(change: Operation, name: str, plaintext: bytes, blob: str) -> bool:
    """Write an old plaintext; false if it is what is there already."""
    now = change.content(name + SUFFIX)
    if isinstance(now, Link):
        raise StoreDamaged(f"{name} is a symlink", "Restore the entry that it points to.")
    try:
        if now is not None and change.read(name) == plaintext:
            return False
    except CannotDecrypt:
        pass  # what cannot be read is replaced by what can be
    change.write_same(name, plaintext, blob)
    return True
