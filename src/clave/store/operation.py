"""One operation on a store: changes are collected under its lock and become one commit, or nothing.

Every command that changes anything goes through here. Paths are relative to the store's folder. Content that
is to be encrypted is encrypted at the end, for the recipients that hold *after* the operation: a move of a
folder with its `.gpg-id`, or a new `.gpg-id`, is seen by the entries below it.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from clave.errors import CannotDecrypt, CannotEncrypt, KeyLocked, StoreDamaged, UsageError, VerificationFailed
from clave.model import due, notices
from clave.model.change import Change, compose
from clave.model.name import SUFFIX, entry_folder, pending_name, pending_path
from clave.model.secret import compare
from clave.openpgp import keys
from clave.openpgp.command import start_decrypting
from clave.openpgp.message import decrypt_with, encrypt
from clave.store import layout, recipients
from clave.store.share import unshared
from clave.vcs import transaction, unversioned, worktree
from clave.vcs.identity import Identity
from clave.vcs.worktree import Content, Link

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from clave.openpgp.keys import Recipient
    from clave.process import Running
    from clave.store.people.membership import Team
    from clave.store.renewal import Kept, Progress
    from clave.store.store import Store
    from clave.team.roster import Roster
    from clave.vcs.git import Repository


class Operation:
    """Changes being collected; made by `begin`."""

    def __init__(
        self,
        store: Store,
        repository: Repository | None,
        write: transaction.Transaction | unversioned.Unversioned,
        team: Team | None = None,
    ) -> None:
        self._store = store
        self._repository = repository
        self._write = write
        self._raw: dict[str, Content | None] = {}
        self._plain: dict[str, bytes] = {}
        self._pending: dict[str, bytes] = {}  # plaintexts too: rotations under way
        self._kinds: dict[str, tuple[str, str | None]] = {}
        self._known: dict[str, bytes] = {}  # what was read, by the path that it was read from
        self._sources: set[str] = set()  # paths whose content goes to another one
        self.team = team
        self._has_roster = False  # whether the roster is changed
        self._readers: recipients.Readers | recipients.TeamReaders = (
            recipients.TeamReaders(team) if team else recipients.Readers(store, self._bytes_at)
        )
        self._kept: Kept | None = None
        self._prefixes: dict[str, str] = {}  # folders as the repository names them
        self._merged: str | None = None  # the commit that this one merges
        self._endorsed: Sequence[str] = ()

    # What is there now

    def content(self, path: str) -> Content | None:
        """Return what stands at a path, with the changes so far."""
        if path in self._raw:
            return self._raw[path]
        return worktree.content_at(os.path.join(self._store.root, path))

    def read(self, name: str) -> bytes:
        """Return the plaintext of an entry. Raises NotFound, CannotDecrypt, StoreDamaged."""
        from clave.store.reading import read

        path = name + SUFFIX
        if path not in self._known:
            self._known[path] = read(self._store.root, name, options=self._store.options)
        return self._known[path]

    # What shall be

    def write(self, name: str, plaintext: bytes, *, kind: str | None = None) -> None:
        """Store a plaintext under a name; `kind` (see model.change) is found by comparing, if not given."""
        path = name + SUFFIX
        if isinstance(self.content(path), Link):
            raise StoreDamaged(f"{name} is a symlink", "Change the entry that it points to, or remove it first.")
        self._kinds.pop(path, None)
        if kind is not None:
            self._kinds[path] = (kind, None)
        self._plain[path] = plaintext

    def write_same(self, name: str, plaintext: bytes, source: str) -> None:
        """Store a plaintext that was in the store before, in the blob `source` (restored, undone)."""
        self._plain[name + SUFFIX] = plaintext
        self._kinds[name + SUFFIX] = ("same", source)

    def write_pending(self, name: str, plaintext: bytes) -> None:
        """Keep a rotation of an entry that is under way (`rotation.pending`), encrypted to the entry's readers."""
        self._pending[pending_path(name)] = plaintext

    def place(self, path: str, content: Content, *, moved_from: str | None = None, note: Change | None = None) -> None:
        """Put content at a path as it is: a `.gpg-id`, an alias, a ciphertext moved from another path.

        `note` is what the commit that made it has said of it.
        """
        self._raw[path] = content
        self._readers.forget_folders()
        if moved_from is not None:
            self._sources.add(moved_from)
        if moved_from is not None and path.endswith(SUFFIX) and not isinstance(content, Link):
            blob = self._blob_id(content)
            self._kinds[path] = ("same", blob) if blob else ("rekey", None)
        elif note is not None:
            self._kinds[path] = (note.kind, note.source)

    def remove(self, path: str) -> None:
        """Remove the file at a path."""
        self._raw[path] = None
        self._readers.forget_folders()
        self._plain.pop(path, None)
        self._pending.pop(path, None)
        self._kinds.pop(path, None)

    def set_roster(self, roster: Roster, certificates: Mapping[str, bytes] | None = None) -> None:
        """Make `roster` the one in force: its file and signature, every `.gpg-id`, the certificates that are new.

        From now on its readers are those of the entries. Raises VerificationFailed for somebody who is no admin.
        """
        from clave.store.people import rostering

        assert self.team is not None
        known = {**self.team.certificates, **(certificates or {})}
        for path, content in rostering.files(self.team, roster, certificates or {}).items():
            if content is None:
                self.remove(path)
            else:
                self.place(path, content)
        self._readers = recipients.TeamReaders(self.team, roster, known)
        self._has_roster = True

    def merge(self, commit: str, team: Team | None) -> None:
        """Make this operation a merge with a commit; `team` is the one that judges it, and says who reads after it.

        Its changes are not only the user's own: in a team store the rules say whether they may be brought in.
        """
        self._merged = commit
        self.team = team
        if team:
            self._readers = recipients.TeamReaders(team)

    def endorse(self, commits: Sequence[str]) -> None:
        """Stand for commits that come before this one, in its message."""
        self._endorsed = commits

    def reencrypt(self, names: Iterable[str], progress: Progress | None = None) -> list[str]:
        """Encrypt anew those of the entries whose recipients are not the ones that hold; return their names.

        A rotation of such an entry that is under way is a part of it. Aliases (symlinks) are left alone, as in pass.
        Raises CannotEncrypt and CannotDecrypt that name everything that stands in the way, GitFailed for an uncommitted
        change: nothing is changed then.
        """
        from clave.store import renewal

        options = self._store.options
        files = (each for name in names for each in (name, pending_path(name)))
        contents = ((each, self.content(_file(each))) for each in files)
        entries = ((each, content) for each, content in contents if isinstance(content, bytes))
        due = renewal.due(entries, self._readers, options=options)
        self._require_same({_file(each.name): each.ciphertext for each in due})
        self._kept = renewal.Kept(self._kept_path()) if len(due) > renewal.FEW else None
        try:
            for name, ciphertext in renewal.renew(due, self._kept, options=options, progress=progress):
                self._raw[_file(name)] = ciphertext
                if not pending_name(name):
                    self._kinds.setdefault(_file(name), ("rekey", None))
        finally:
            if self._kept:
                self._kept.close()
        return list(dict.fromkeys(pending_name(each.name) or each.name for each in due))

    def forget_kept(self) -> None:
        """Drop what an earlier re-encryption has kept: every entry is encrypted as it should be."""
        from clave.store.renewal import Kept

        Kept(self._kept_path()).drop()

    def commit(self, subject: str, operation: str, *, adopt: bool = False, progress: Progress | None = None) -> None:
        """Encrypt what is to be encrypted, and make it all one commit; `progress` hears of each that is encrypted.

        `adopt` is for content that stands in the store already and is to be committed as it is. Raises
        CannotEncrypt, CannotDecrypt, NotFound (no `.gpg-id`), GitFailed (an uncommitted change at one of the
        paths), CannotWrite, Busy, VerificationFailed: the store is then as it was.
        """
        if not adopt:
            self.require_unchanged((*self._raw, *self._plain, *self._pending))
        if self.team and not self._merged:
            self.require_unchanged(self._sources.union(self._known))
            self._require_right(self.team)
        changes: dict[str, Content | None] = dict(self._raw)
        with self._old() as old:
            items = [
                (path, plaintext, self._readers.of(entry_folder(path)))
                for path, plaintext in (*self._plain.items(), *self._pending.items())
            ]
            for number, (path, ciphertext) in enumerate(self._encrypted(items), 1):
                changes[path] = ciphertext
                if progress:
                    progress(number, len(items))
            self._compare(old())
        if not (changes or self._merged):
            return
        if isinstance(self._write, unversioned.Unversioned):
            self._write.commit(changes)
        else:
            notes = [
                Change(kind, self._in_repository(path), source) for path, (kind, source) in sorted(self._kinds.items())
            ]
            message = compose(subject, operation, notes, endorses=self._endorsed, dues=self._dues())
            in_repository = {self._in_repository(path): content for path, content in changes.items()}
            self._commit(self._write, in_repository, message, adopt=adopt)
            unshared.note(self._store)
        if self._kept:
            self._kept.drop()

    # Inside

    def _require_right(self, team: Team) -> None:
        """Check that the user may change these paths, and what says who reads only by a roster."""
        paths = (*self._raw, *self._plain, *self._pending)
        if not self._has_roster:
            own = next((path for path in paths if os.path.basename(path) == layout.RECIPIENTS), None)
            if own is not None:
                raise UsageError(
                    f"{own} would be moved, copied or changed, and in a team the roster says who reads",
                    "Move or copy the entries of the folder; who reads it: clave grant, clave restrict.",
                )
        team.require_right(paths)

    def _commit(
        self, write: transaction.Transaction, changes: Mapping[str, Content | None], message: str, *, adopt: bool
    ) -> None:
        """Make the commit; in a team store signed, judged before HEAD moves, and known to be good after that."""
        parents = [self._merged] if self._merged else []
        if self.team is None:
            write.commit(changes, message, parents=parents, identity=own_identity, adopt=adopt)
            return
        from clave.store.trust import judging, verification
        from clave.team.verdict import Rule

        assert self._repository is not None
        repository, team, head = self._repository, self.team, write.head

        def judged(commit: str) -> None:
            verdict = judging.judge_new(repository, team.pinned, head or "", commit)
            if verdict.refusals:
                refusal = verdict.refusals[0]
                advice = refusal.advice if refusal.rule is Rule.WRONG_HANDS else "Nothing was changed."
                if self._merged:
                    mend = (
                        "Rename yours: clave mv" if refusal.rule is Rule.TREE else "See what you may do: clave access"
                    )
                    advice = f"What you did stays here, unshared. {mend}."
                raise VerificationFailed(f"the team would refuse this: {refusal.problem}", advice)

        new = write.commit(
            changes,
            message,
            sign=team.require_signer(),
            parents=parents,
            check=judged,
            identity=own_identity,
        )
        if new and new != head:
            verification.made(repository, team.pinned, new)
            self._warn(changes)

    def _warn(self, changes: Iterable[str]) -> None:
        """Leave a notice of each reader of what was changed whose key ends soon, and of rights that have lapsed."""
        from datetime import date

        from clave.store.people import expiry
        from clave.team.wording import lapsed

        if isinstance(self._readers, recipients.TeamReaders):
            for line in lapsed(self._readers.roster, date.today()):  # noqa: DTZ011 - a day of the user's calendar
                notices.leave(line)
        for folder in {path.rpartition("/")[0] for path in changes if path.endswith(SUFFIX)}:
            with suppress(CannotEncrypt):  # something was removed there, and nothing encrypted
                for line in expiry.warnings(self._readers.of(folder)):
                    notices.leave(line)

    def require_unchanged(self, paths: Iterable[str]) -> None:
        """Raise GitFailed if something at one of the paths is not as HEAD has it."""
        if isinstance(self._write, transaction.Transaction):
            self._write.require_unchanged([self._in_repository(path) for path in paths])

    def _require_same(self, contents: Mapping[str, Content]) -> None:
        """Check before long work what `commit` checks after it; what this operation has placed there is its own."""
        if isinstance(self._write, transaction.Transaction):
            found = {self._in_repository(path): each for path, each in contents.items() if path not in self._raw}
            self._write.require_same(found)

    def _in_repository(self, path: str) -> str:
        """Return a path as the repository names it, which may begin above the store or below it."""
        assert self._repository is not None
        folder, name = os.path.split(path)
        if folder not in self._prefixes:
            inside = self._repository.relative(os.path.join(self._store.root, folder, ""))
            self._prefixes[folder] = "" if inside == "." else f"{inside}/"
        relative = self._prefixes[folder] + name
        if relative.startswith("../"):
            raise UsageError(f"{path} is in another git repository than the rest of this change", "Do it in two steps.")
        return relative

    def _dues(self) -> list[tuple[str, str]]:
        """Return which of the plaintexts have an end of their own; what is moved or encrypted anew keeps its."""
        ending = {path: plaintext for path, plaintext in self._plain.items() if due.may_end(plaintext)}
        if not ending:
            return []
        from clave.store.lifecycle.ends import end

        days = ((path, end(plaintext)) for path, plaintext in sorted(ending.items()))
        return [(day.isoformat(), self._in_repository(path)) for path, day in days if day is not None]

    def _blob_id(self, content: Content) -> str | None:
        return self._write.blob_id(content) if isinstance(self._write, transaction.Transaction) else None

    def _bytes_at(self, path: str) -> bytes | None:
        content = self.content(path)
        return content if isinstance(content, bytes) else None

    def _kept_path(self) -> str:
        return layout.kept_file(self._store.root, self._repository and self._repository.git_dir)

    def _encrypted(self, items: Sequence[tuple[str, bytes, Sequence[Recipient]]]) -> Iterable[tuple[str, bytes]]:
        """Encrypt each (path, plaintext, recipients); what takes part in many at once is not loaded for one."""
        if not items:
            return []
        if len(items) == 1:
            path, plaintext, readers = items[0]
            return [(path, encrypt(plaintext, readers, options=self._store.options))]
        from clave.openpgp import bulk

        return bulk.encrypt_many(items, options=self._store.options)

    @contextmanager
    def _old(self) -> Iterator[Callable[[], dict[str, bytes]]]:
        """Yield what returns the old plaintexts of what is to be stored, by path, as far as they can be read.

        A single one is opened by a gpg that starts now and works while we go on.
        """
        unread = {
            path: content
            for path in self._plain.keys() - self._kinds.keys() - self._known.keys()
            if isinstance(content := self.content(path), bytes) and isinstance(self._write, transaction.Transaction)
        }
        if len(unread) == 1:
            ((path, content),) = unread.items()
            with start_decrypting(self._store.options) as gpg:
                yield lambda: self._known | _readable([(path, _opened(gpg, content, self._store.options))])
            return

        def many() -> dict[str, bytes]:
            if not unread:
                return self._known
            from clave.openpgp import bulk

            return self._known | _readable(bulk.decrypt_many(unread.items(), options=self._store.options))

        yield many

    def _compare(self, old: Mapping[str, bytes]) -> None:
        """Say of each changed entry how much of its secret is new; nothing of one whose old text cannot be read."""
        for path in self._plain.keys() - self._kinds.keys():
            if path in old or not isinstance(self.content(path), bytes):
                self._kinds[path] = (compare(old.get(path), self._plain[path]), None)


def _file(name: str) -> str:
    """Return the path of an entry; that of a rotation is its name."""
    return name if pending_name(name) else name + SUFFIX


def _opened(gpg: Running, ciphertext: bytes, options: Sequence[str]) -> bytes | CannotDecrypt:
    try:
        return decrypt_with(gpg, ciphertext, options=options)
    except CannotDecrypt as failure:
        return failure


def _readable(opened: Iterable[tuple[str, bytes | CannotDecrypt]]) -> dict[str, bytes]:
    """Return the plaintexts, up to where the agent refuses a key."""
    found: dict[str, bytes] = {}
    with suppress(KeyLocked):
        found.update((path, plaintext) for path, plaintext in opened if isinstance(plaintext, bytes))
    return found


@contextmanager
def begin(store: Store, folder: str = "") -> Iterator[Operation]:
    """Begin an operation on what `folder` holds: take the lock, see that the store may be written.

    Raises Busy, CannotWrite, GitFailed (a merge of the user's is under way), VerificationFailed.
    """
    if store.is_team:
        with _begin_in_team(store, folder) as change:
            yield change
        return
    repository = store.repository(folder)
    if repository is None:
        with unversioned.begin(store.root) as write:
            yield Operation(store, None, write)
    else:
        with transaction.begin(repository, store.root) as write:
            yield Operation(store, repository, write)


@contextmanager
def _begin_in_team(store: Store, folder: str) -> Iterator[Operation]:
    """Begin an operation in a team store: HEAD is verified, and nobody has touched what says who reads."""
    from clave.store.people import rostering

    repository = store.team_repository()
    inner = store.repository(folder)
    if inner != repository:
        raise UsageError(f"{folder} is a git repository of its own, which no team can verify", "Move it out.")
    if store.settings.keys:
        raise UsageError("PASSWORD_STORE_KEY is set, and in a team store the roster says who reads", "Unset it.")
    with transaction.begin(repository, store.root) as write:
        team = store.team()
        rostering.require_as_committed(store.root, team.roster, folder)
        yield Operation(store, repository, write, team)


def own_identity() -> Identity | None:
    """Return name and address of the user's first key, for a git that has no identity."""
    for key in keys.own_keys():
        for uid in key.user_ids:
            name, _, rest = uid.partition(" <")
            if rest.endswith(">"):
                return Identity(name, rest[:-1])
    return None
