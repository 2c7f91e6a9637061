"""One operation, one commit: how a store in git is written.

The steps, and what a crash after each of them leaves:

1. Take clave's lock; end or drop what a dead process began.
2. Refuse if a path to be touched differs from HEAD.
3. Write the new blobs, trees and the commit as objects.    Nothing visible.
4. Write the journal: old and new blob of each path, and the commit. Dropped by the next command.
5. Take git's own `index.lock`. No other git can add or commit now, so none can commit a file that is staged
   here, nor from an index that does not know of our change.     Dropped.
6. Stage the new files beside their places in the work tree, and put the complete new index into the lock. Dropped.
7. update-ref HEAD, with its old value: THE COMMIT POINT.
8. Rename the staged files into place, remove the removed ones. Carried on by the next command.
9. Rename `index.lock` to `index`.                              Carried on.
10. Remove the journal.                                         Cleaned up.

The programs of step 3 and 6 do not wait for each other; all have ended before step 7.

What the user has staged or changed beside our paths stays as it is: the commit is made from HEAD's tree and
our paths alone, and the new index is the user's index with our paths replaced.

Our `index.lock` is a hard link to a file of ours, so that it can be told from another git's for certain.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from clave.errors import Busy, GitFailed
from clave.vcs import worktree
from clave.vcs.attributes import protect_attributes
from clave.vcs.git import failure
from clave.vcs.identity import Variables, as_variables, people
from clave.vcs.lock import exclusive
from clave.vcs.objects import BLOB, COMMIT, TREE, data_of, hash_of, object_id, pack
from clave.vcs.trees import FILE, LINK, Entry, Trees
from clave.vcs.work import Step, Work, uncommitted
from clave.vcs.worktree import Content, Link

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from clave.process import Running
    from clave.vcs.git import Repository
    from clave.vcs.identity import Identity

# git unpacks packs of fewer objects than this into loose ones (transfer.unpackLimit).
_UNPACK_LIMIT = 100
# git's own rule for `gc --auto`: 6,700 loose objects, estimated from one of the 256 folders (gc.auto).
_LOOSE_LIMIT = 27


class Transaction:
    """A write under way: holds the lock of its repository. Made by `begin`.

    `variables` is the `git var -l` that was started with it.
    """

    def __init__(self, repository: Repository, top: str, variables: Running) -> None:
        self.repository = repository
        self.head = repository.head()
        self._top = top
        self._variables = variables
        self._git: Variables | None = None
        self._hash = hash_of(self.head) if self.head else _object_format(repository)
        self._trees = Trees(repository, self.head)

    def blob_id(self, content: Content) -> str:
        """Return the id that git gives to this content."""
        return object_id(b"blob", data_of(content), self._hash)

    def blobs(self, paths: Iterable[str]) -> dict[str, str]:
        """Return the blob id in HEAD of each of the paths (relative to the work tree) that HEAD has."""
        return {path: entry.id for path, entry in self._trees.files(paths).items()}

    def require_unchanged(self, paths: Iterable[str]) -> None:
        """Raise GitFailed if one of the paths is not, in the work tree, what HEAD has."""
        top = self.repository.work_tree
        self.require_same({path: worktree.content_at(os.path.join(top, path)) for path in paths})

    def require_same(self, contents: Mapping[str, Content | None]) -> None:
        """Raise GitFailed if what was found at one of the paths is not what HEAD has."""
        blobs = self.blobs(contents)
        for path, content in contents.items():
            if blobs.get(path) != (None if content is None else self.blob_id(content)):
                raise uncommitted(path)

    def commit(
        self,
        changes: Mapping[str, Content | None],
        message: str,
        *,
        sign: bool | None = None,
        identity: Callable[[], Identity | None] = lambda: None,
        adopt: bool = False,
    ) -> str | None:
        """Commit the content (None removes) of each path, relative to the work tree; return the commit's id.

        Returns HEAD as it is (None on a branch without commits) where nothing differs from it.

        `sign` None signs where git's configuration says so (`commit.gpgsign`, `pass.signcommits`).
        `identity` is asked only where git has none. `adopt` commits also what the user has staged at these
        paths, which is refused otherwise. Raises GitFailed, CannotWrite, Busy; HEAD is then as
        it was, unless the very last steps failed, which the next command carries on.
        """
        blobs = self.blobs(changes)
        ids = {path: None if content is None else self.blob_id(content) for path, content in changes.items()}
        steps = [
            Step(path, blobs.get(path), ids[path], isinstance(changes[path], Link))
            for path in sorted(changes)
            if blobs.get(path) != ids[path]
        ]
        if not steps:
            return self.head
        for step in steps:
            if step.new and worktree.is_folder(os.path.join(self.repository.work_tree, step.path)):
                raise GitFailed(f"there is a folder in the place of {step.path}", "Move it away and try again.")
        new = self._write_all(changes, steps, message, sign, identity, adopt=adopt)
        self.head = new
        self._trees = Trees(self.repository, new)
        return new

    def _write_all(
        self,
        changes: Mapping[str, Content | None],
        steps: list[Step],
        message: str,
        sign: bool | None,
        identity: Callable[[], Identity | None],
        *,
        adopt: bool,
    ) -> str:
        """Do steps 3 to 10 and return the commit."""
        entries = {step.path: Entry(LINK if step.link else FILE, step.new) if step.new else None for step in steps}
        tree, trees = self._trees.changed(entries, self._hash)
        objects = [(BLOB, data_of(content)) for content in changes.values() if content is not None]
        objects += [(TREE, data) for data in trees]
        git = self._git_variables()
        signed = git.signs if sign is None else sign
        if signed:
            with self._storing(objects) as storing:
                self._stored(storing)
            new = self._commit_signed(tree, message, git, identity)
            objects = []
        else:
            data = self._commit_data(tree, message, git, identity)
            new = object_id(b"commit", data, self._hash)
            objects.append((COMMIT, data))
        work = Work(self.repository, self._top, steps, new)
        try:
            with worktree.explained("the store"), self._storing(objects) as storing:
                work.begin(changes)
                work.write_index(adopt=adopt)
                self._stored(storing)
                self._move_head(new)
        except BaseException:
            if self.repository.head() == self.head:
                work.abandon()
            raise
        with worktree.explained("the work tree"):
            work.finish()
        return new

    @contextmanager
    def _storing(self, objects: Sequence[tuple[int, bytes]]) -> Iterator[Running | None]:
        """Start the git that stores these objects, all of them by one pack."""
        if not objects:
            yield None
            return
        unique = list(dict.fromkeys(objects))
        command = ("unpack-objects", "-q") if len(unique) < _UNPACK_LIMIT else ("index-pack", "--stdin")
        with self.repository.start(*command, input=pack(unique, self._hash)) as storing:
            yield storing

    def _stored(self, storing: Running | None) -> None:
        """Wait until all is stored."""
        if storing is not None:
            result = storing.finish()
            if result.code != 0:
                raise failure("unpack-objects", result)

    def _git_variables(self) -> Variables:
        if self._git is None:
            result = self._variables.finish()
            if result.code != 0:
                raise failure("var", result)
            self._git = Variables(result.out)
        return self._git

    def _commit_data(self, tree: str, message: str, git: Variables, identity: Callable[[], Identity | None]) -> bytes:
        """Return the commit as an object (gitformat-commit: headers, an empty line, the message)."""
        author, committer = people(git, identity)
        headers = [f"tree {tree}", *([f"parent {self.head}"] if self.head else [])]
        headers += [f"author {author}", f"committer {committer}"]
        return os.fsencode("\n".join(headers) + "\n\n" + message)

    def _commit_signed(self, tree: str, message: str, git: Variables, identity: Callable[[], Identity | None]) -> str:
        author, committer = people(git, identity)
        result = self.repository.run(
            "-c", f"gpg.format={git.signature_format}",
            "commit-tree", *(["-p", self.head] if self.head else []), "-S", "-F", "-", tree,
            input=os.fsencode(message), env=as_variables("AUTHOR", author) | as_variables("COMMITTER", committer),
            check=False,
        )  # fmt: skip
        if result.code != 0:
            raise failure("commit-tree", result)
        commit = result.out.decode().strip()
        # Of the other kinds git can only say whether the signer is on a list, which most people do not have.
        is_openpgp = git.signature_format == "openpgp"
        if is_openpgp and self.repository.run("verify-commit", commit, check=False).code != 0:
            raise GitFailed("the new commit's signature is not good", "Check user.signingkey: clave doctor.")
        return commit

    def _move_head(self, commit: str) -> None:
        old = self.head or "0" * len(commit)
        result = self.repository.run("update-ref", "-m", "clave", "HEAD", commit, old, check=False)
        if result.code != 0 and self.repository.head() != self.head:
            raise Busy("another program committed to this store at the same time", "Try again.")
        if result.code != 0:
            raise failure("update-ref", result)


@contextmanager
def begin(repository: Repository, top: str) -> Iterator[Transaction]:
    """Begin a write to the store at `top` in `repository`: lock it, and end what a dead process left.

    Raises Busy, CannotWrite, and GitFailed while a merge or rebase of the user's is under way.
    """
    with exclusive(repository.git_dir):
        with worktree.explained("the git directory"):
            _recover(repository, top)
            protect_attributes(repository)
        for name in ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply"):
            if os.path.exists(os.path.join(repository.git_dir, name)):
                raise GitFailed("a merge or rebase is under way in this store", "End it first: clave git status.")
        # Who commits, and whether it is signed, git says while the content is being encrypted.
        with repository.start("var", "-l", input=b"") as variables:
            yield Transaction(repository, top, variables)
    _tidy(repository)  # without the lock, which a gc in the background would keep


def recover(repository: Repository, top: str) -> None:
    """End what a dead process left, if it left anything; waits for one that lives."""
    if os.path.exists(Work.folder_of(repository)):
        with worktree.explained("the git directory"), exclusive(repository.git_dir):
            _recover(repository, top)


def _tidy(repository: Repository) -> None:
    """Let git pack loose objects now and then, as `git commit` would."""
    with suppress(OSError):
        if len(os.listdir(os.path.join(repository.git_dir, "objects", "17"))) > _LOOSE_LIMIT:
            repository.run("gc", "--auto", "--quiet", check=False)


def _recover(repository: Repository, top: str) -> None:
    work = Work.left_behind(repository, top)
    if work is not None:
        work.settle()


def _object_format(repository: Repository) -> str:
    return repository.text("rev-parse", "--show-object-format")
