"""Changes of a team: who belongs to it, and who may read and write which folder.

- A change is an edit of the roster, all that follows from it (`.gpg-id`, certificates), and the entries whose readers
  it changes, encrypted anew: one signed commit, made by an admin, and shared with the others.
- An entry that the admin cannot decrypt or may not write stays as it is. That is told, and who may both read and write
  it finishes the work: clave rekey.
- What was shown is what is done: where the roster has changed meanwhile so that somebody else would gain or lose
  anything, nothing is done.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import Busy, CannotEncrypt, NotFound, UsageError, VerificationFailed
from clave.model.name import SUFFIX, check_new, pending_path
from clave.openpgp import certificates
from clave.store import layout, rekeying
from clave.store.lifecycle import pending
from clave.store.operation import begin
from clave.store.recipients import TeamReaders
from clave.store.trust import wronghands
from clave.team.roster import Key, upwards
from clave.team.wording import words
from clave.vcs import remote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from clave.store.people.membership import Team
    from clave.store.renewal import Progress
    from clave.store.store import Store
    from clave.team.roster import Roster


class Change(NamedTuple):
    """A change that is wanted: the edit of the roster, the commit's subject, the certificates that are new.

    `endorses` are commits of a key in wrong hands that the admin has looked at, and stands for. `answers` are requests
    at the remote, by their refs, that it answers: they go with it, and have to be the commits that were looked at.
    """

    edit: Callable[[Roster], Roster]
    subject: str
    certificates: Mapping[str, bytes] = {}
    endorses: tuple[str, ...] = ()
    answers: Mapping[str, str] = {}


class Shift(NamedTuple):
    """Somebody who gains or loses a right (read or write) on a folder with so many entries."""

    who: str
    gains: bool
    right: str
    folder: str
    entries: int


class Preview(NamedTuple):
    """What a change would do.

    `lines` is what it changes of the roster, in words; `shifts` what that means; `renewed` the entries that are
    encrypted anew, `left` those that should be and that the user cannot. No `lines`: there is nothing to do.
    """

    before: Roster
    after: Roster
    lines: tuple[str, ...]
    shifts: tuple[Shift, ...]
    renewed: tuple[str, ...]
    left: tuple[str, ...]


class Done(NamedTuple):
    """What a change did: its last preview, what was encrypted anew, where HEAD is then.

    `unshared` says why the others do not have it yet, if they do not.
    """

    preview: Preview
    renewed: tuple[str, ...]
    commit: str
    unshared: Busy | None = None


def preview(store: Store, change: Change) -> Preview:
    """Return what a change would do.

    Raises UsageError for what cannot be done, VerificationFailed for a store that is not verified or somebody who is
    no admin, CannotEncrypt for a reader who cannot be encrypted to.
    """
    team = store.team()
    team.require_admin()
    return _preview(store, team, change)


def make(
    store: Store,
    change: Change,
    seen: Preview,
    *,
    progress: Progress | None = None,
    told: Callable[[str], object] | None = None,
) -> Done:
    """Make a change that was previewed, and share it; `told` is called with what the remote says meanwhile.

    Raises as `preview`, Busy where it would do something else than what was seen, and VerificationFailed where a
    request is another one than was seen; nothing is changed then.
    """
    from clave.store.share.sharing import NotShared, share

    made: list[Done] = []

    def work() -> None:
        with begin(store) as operation:
            team = operation.team
            assert team is not None
            team.require_admin()
            now = _preview(store, team, change)
            _require_seen(now, seen)
            _require_asked(store, change)
            renewed: list[str] = []
            if now.lines:
                # Also one that is for the new readers already, here and not in HEAD, would be no help to anybody.
                operation.require_unchanged(
                    path for each in now.renewed for path in (each + SUFFIX, pending_path(each))
                )
                operation.set_roster(now.after, change.certificates)
                operation.endorse(change.endorses)
                renewed = operation.reencrypt(now.renewed, progress)
                operation.commit(change.subject, "team")
        made[:] = [Done(now, tuple(renewed), store.team_repository().head() or "")]

    try:
        share(store, work, told=told, answered=change.answers)
    except NotShared as failure:
        return made[0]._replace(unshared=failure)
    return made[0]


def key_of(certificate: bytes) -> Key:
    """Return how a roster names a certificate. Raises CannotEncrypt for one that cannot be encrypted to."""
    found = certificates.read(certificate)
    subkey = certificates.encryption_subkey(found) if found else None
    if found is None or subkey is None:
        problem = certificates.problem(found) if found else "is none"
        raise CannotEncrypt(
            f"the key {found.fingerprint if found else ''} {problem}", "Ask its owner for a renewed one."
        )
    return Key(found.fingerprint, (subkey.id,), tuple(found.encryption - {subkey.id}))


def folder(store: Store, path: str, *, new: bool = False) -> str:
    """Return the plain name of a folder on which there may be rights; `.` is the store's own.

    Raises UsageError for an entry or what is no name, NotFound for a folder that is neither in the store nor in the
    roster, unless it may be `new`.
    """
    plain = path.strip("/")
    if plain == ".":
        return ""
    if not plain:  # a variable of a script that is not set must not be the whole store
        raise UsageError("which folder?", "The whole store is '.'.")
    plain = check_new(plain)
    known = {each.path for each in store.team().roster.folders}
    if plain in known or layout.is_folder(store.root, plain):
        return plain
    if layout.is_entry(store.root, plain):
        parent = _folder_of(plain)
        raise UsageError(f"{plain} is an entry, and rights are given on folders", f"Its folder is {parent or '.'}")
    if not new:
        raise _no_folder(store, plain, known)
    return plain


def _no_folder(store: Store, path: str, known: Iterable[str]) -> NotFound:
    from difflib import get_close_matches

    folders = {above for name in layout.entries(store.root) for above in upwards(_folder_of(name)) if above}
    close = get_close_matches(path, sorted({*folders, *known} - {""}), n=1)
    hint = f"Did you mean {close[0]}?" if close else "For one that is not there yet: --new."
    return NotFound(f"there is no folder {path}", hint)


def _require_seen(now: Preview, seen: Preview) -> None:
    """Raise Busy if a change would do something else than what was seen. More or fewer entries are no difference."""
    effects = [(each.lines, {shift[:4] for shift in each.shifts}) for each in (now, seen)]
    if now.lines and effects[0] != effects[1]:
        raise Busy(
            f"the roster has changed meanwhile (it is number {now.before.seq} now), and this would do something else",
            "Run it again to see what.",
        )


def _require_asked(store: Store, change: Change) -> None:
    """Raise VerificationFailed if a request that a change answers is not what the remote has."""
    repository = store.team_repository()
    there = remote.remote_of(repository) if change.answers else None
    now = remote.branches(repository, there) if there else {}
    for ref, commit in change.answers.items():
        if now.get(ref) != commit:
            what = "another one than was shown" if ref in now else "not there any more: it was taken back"
            raise VerificationFailed(f"the request is {what}", "Look at it again, and compare the words anew.")


def _preview(store: Store, team: Team, change: Change) -> Preview:
    before = team.roster
    after = change.edit(before)
    if after is before:
        return Preview(before, after, (), (), (), ())
    wronghands.require_looked_at(store, team, after, change.endorses, change.certificates)
    entries = pending.with_entries(store)
    folders = {"", *(each.path for each in after.folders), *map(_folder_of, entries)}
    other = {each for each in folders if before.recipients(each) != after.recipients(each)}
    readers = TeamReaders(team, after, {**team.certificates, **change.certificates})
    for each in sorted(other):
        readers.of(each)  # who cannot be encrypted to is told before anybody is asked
    renewed, left = rekeying.able(store, team, (each for each in entries if _folder_of(each) in other))
    return Preview(before, after, tuple(words(before, after)), _shifts(before, after, entries), renewed, left)


def _shifts(before: Roster, after: Roster, entries: Iterable[str]) -> tuple[Shift, ...]:
    """Return who gains and loses what, by the nearest folder with rights of its own."""
    counts = {each.path: 0 for roster in (before, after) for each in roster.folders}
    for entry in entries:
        nearest = next((each for each in upwards(_folder_of(entry)) if each in counts), "")
        counts[nearest] = counts.get(nearest, 0) + 1
    found: list[Shift] = []
    for path, count in sorted(counts.items()):
        for right, old, new in (
            ("read", before.readers(path), after.readers(path)),
            ("write", before.writers(path), after.writers(path)),
        ):
            differing = sorted(set(old) ^ set(new))
            found += [Shift(who, who in new, right, path, count) for who in differing]
    return tuple(sorted(found, key=lambda shift: (shift.who, not shift.gains, shift.folder)))


def _folder_of(entry: str) -> str:
    return os.path.dirname(entry)
