"""One operation, one commit: how a store in git is written. A commit of somebody else comes in by the same steps.

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
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import Busy, GitFailed, StoreDamaged
from clave.vcs import worktree
from clave.vcs.attributes import protect_attributes
from clave.vcs.git import failure
from clave.vcs.identity import Variables, as_variables, people
from clave.vcs.lock import exclusive
from clave.vcs.objects import BLOB, COMMIT, TREE, data_of, hash_of, object_id, pack
from clave.vcs.trees import Entry, Trees
from clave.vcs.work import Step, Work, content_of, folders_of, mode_of, uncommitted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from clave.process import Running
    from clave.vcs.git import Repository
    from clave.vcs.identity import Identity
    from clave.vcs.worktree import Content

# git unpacks packs of fewer objects than this into loose ones (transfer.unpackLimit).
_UNPACK_LIMIT = 100
# git's own rule for `gc --auto`: 6,700 loose objects, estimated from one of the 256 folders (gc.auto).
_LOOSE_LIMIT = 27


_SUBMODULE = "160000"


class _Draft(NamedTuple):
    """A commit that is to be made."""

    tree: str
    parents: tuple[str, ...]
    message: str

    def data(self, authors: tuple[str, str]) -> bytes:
        """Return it as an object (gitformat-commit: headers, an empty line, the message), without a signature."""
        author, committer = authors
        headers = [f"tree {self.tree}", *(f"parent {parent}" for parent in self.parents)]
        headers += [f"author {author}", f"committer {committer}"]
        return os.fsencode("\n".join(headers) + "\n\n" + self.message)


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
        sign: bool | str | None = None,
        parents: Sequence[str] = (),
        check: Callable[[str], None] | None = None,
        identity: Callable[[], Identity | None] = lambda: None,
        adopt: bool = False,
    ) -> str | None:
        """Commit the content (None removes) of each path, relative to the work tree; return the commit's id.

        Returns HEAD as it is (None on a branch without commits) where nothing differs from it, unless there are more
        `parents` (behind HEAD: a merge).

        `sign` None signs where git's configuration says so (`commit.gpgsign`, `pass.signcommits`), a fingerprint with
        that OpenPGP key. `check` is called with the id of the commit, which is stored, before HEAD moves to it: what it
        raises takes all back. `identity` is asked only where git has none. `adopt` commits also what the user has
        staged at these paths, which is refused otherwise. Raises GitFailed, CannotWrite, Busy; HEAD is then as it was,
        unless the very last steps failed, which the next command carries on.
        """
        blobs = self.blobs(changes)
        ids = {path: None if content is None else self.blob_id(content) for path, content in changes.items()}
        steps = [
            Step(path, blobs.get(path), ids[path], mode_of(changes[path]))
            for path in sorted(changes)
            if blobs.get(path) != ids[path]
        ]
        if not (steps or parents):
            return self.head
        entries = {step.path: Entry(step.mode.encode(), step.new) if step.new else None for step in steps}
        tree, trees = self._trees.changed(entries, self._hash)
        objects = [(BLOB, data_of(content)) for content in changes.values() if content is not None]
        objects += [(TREE, data) for data in trees]
        draft = _Draft(tree, (*([self.head] if self.head else []), *parents), message)
        git = self._git_variables()
        if git.signs if sign is None else sign:
            with self._storing(objects) as storing:
                self._stored(storing)
            new = self._commit_signed(draft, people(git, identity), sign, judged=check is not None)
            objects = []
        else:
            data = draft.data(people(git, identity))
            new = object_id(b"commit", data, self._hash)
            objects.append((COMMIT, data))
        self._move(new, steps, changes, objects, check=check, adopt=adopt)
        return new

    def draft(self, on: str, message: str, *, sign: str, identity: Callable[[], Identity | None]) -> str:
        """Make a signed commit on top of another one, with the same files, and return its id; HEAD stays."""
        tree = self.repository.text("rev-parse", f"{on}^{{tree}}")
        return self._commit_signed(
            _Draft(tree, (on,), message), people(self._git_variables(), identity), sign, judged=True
        )

    def again(self, raw: bytes, parents: Sequence[str], *, sign: str) -> str:
        """Make a commit (the object `raw`) once more, signed and with other parents, and return its id; HEAD stays."""
        head, _, message = raw.partition(b"\n\n")
        headers = {
            key: value for key, _, value in (os.fsdecode(line).partition(" ") for line in head.split(b"\n")[::-1])
        }
        authors = headers["author"], headers["committer"]
        draft = _Draft(headers["tree"], tuple(parents), os.fsdecode(message))
        return self._commit_signed(draft, authors, sign, judged=True)

    def advance(self, commit: str) -> None:
        """Move HEAD to a commit that is there, wherever it lies; only the paths that differ change in the work tree.

        Raises GitFailed if one of these has changes that are not committed, or is in another repository's care (a
        submodule), and as `commit`.
        """
        if commit == self.head:
            return
        from clave.vcs.reading import objects  # a write does not need it

        steps = self._way_to(commit)
        blobs = dict(objects(self.repository, (step.new for step in steps if step.new), "blob"))
        contents: dict[str, Content | None] = {}
        for step in steps:
            if step.new and step.new not in blobs:
                raise GitFailed(f"git does not have {step.path} of {commit[:12]}", "See what is lost: clave git fsck.")
            contents[step.path] = content_of(step.mode, blobs[step.new]) if step.new else None
        self._move(commit, steps, contents)

    def _way_to(self, commit: str) -> list[Step]:
        """Return the steps from HEAD's tree to that of a commit; raises GitFailed where the work tree is not HEAD's."""
        old = self.head or object_id(b"tree", b"", self._hash)
        out = self.repository.run(
            "diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", old, commit, "--"
        ).out
        fields = os.fsdecode(out).split("\0")[:-1]
        steps = []
        for about, path in zip(fields[::2], fields[1::2], strict=True):
            old_mode, mode, old_blob, blob, _ = about.removeprefix(":").split(" ")
            if _SUBMODULE in (old_mode, mode):
                raise GitFailed(f"{path} is a submodule", "Bring it in with git itself: clave git.")
            steps.append(Step(path, _there(old_blob), _there(blob), mode))
        for step in steps:
            found = worktree.content_at(os.path.join(self.repository.work_tree, step.path))
            if (None if found is None else self.blob_id(found)) != step.old:
                raise uncommitted(step.path)
        return steps

    def _move(
        self,
        new: str,
        steps: list[Step],
        changes: Mapping[str, Content | None],
        objects: Sequence[tuple[int, bytes]] = (),
        *,
        check: Callable[[str], None] | None = None,
        adopt: bool = False,
    ) -> None:
        """Do the rest of step 3, and steps 4 to 10."""
        self._require_room(steps)
        work = Work(self.repository, self._top, steps, new, self.head)
        try:
            with worktree.explained("the store"), self._storing(objects) as storing:
                work.begin(changes)
                work.write_index(adopt=adopt)
                self._stored(storing)
                if check is not None:
                    check(new)
                self._move_head(new)
        except BaseException:
            if self.repository.head() == self.head:
                work.abandon()
            raise
        with worktree.explained("the work tree"):
            work.finish()
        self.head = new
        self._trees = Trees(self.repository, new)

    def _require_room(self, steps: Sequence[Step]) -> None:
        """Raise GitFailed where something stands in a file's place, and does not go in the same change.

        Raises StoreDamaged for a path that leads out of the work tree, or into git's own folder.
        """
        top = self.repository.work_tree
        gone = {step.path for step in steps if step.new is None}
        for step in steps:
            parts = step.path.split("/")
            if any(part in ("", ".", "..") or part.casefold() == ".git" for part in parts):
                raise StoreDamaged(f"{step.path} is no path for a file of a store", "Ask who committed it.")
            for folder in folders_of(step.path):
                if step.new and os.path.islink(os.path.join(top, folder)) and folder not in gone:
                    raise GitFailed(f"there is a symlink in the place of {folder}/", "Move it away and try again.")
            place = os.path.join(top, step.path)
            if step.new and worktree.is_folder(place):
                below = (os.path.join(folder, name) for folder, _, names in os.walk(place) for name in names)
                if not all(os.path.relpath(path, top) in gone for path in below):
                    raise GitFailed(f"there is a folder in the place of {step.path}", "Move it away and try again.")

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

    def _commit_signed(self, draft: _Draft, authors: tuple[str, str], sign: bool | str | None, *, judged: bool) -> str:
        """Make a signed commit and return its id; git looks whether the signature is good unless somebody else will."""
        key = sign if isinstance(sign, str) else ""
        form = "openpgp" if key else self._git_variables().signature_format
        author, committer = authors
        result = self.repository.run(
            "-c", f"gpg.format={form}",
            "commit-tree", *(word for parent in draft.parents for word in ("-p", parent)),
            f"-S{key}", "-F", "-", draft.tree,
            input=os.fsencode(draft.message), env=as_variables("AUTHOR", author) | as_variables("COMMITTER", committer),
            check=False,
        )  # fmt: skip
        if result.code != 0:
            raise failure("commit-tree", result)
        commit = result.out.decode().strip()
        # Of the other kinds git can only say whether the signer is on a list, which most people do not have.
        looked_at = form == "openpgp" and not judged
        if looked_at and self.repository.run("verify-commit", commit, check=False).code != 0:
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


def _there(blob: str) -> str | None:
    """Return a blob's id of git's raw diff, None for the zeros that stand for nothing."""
    return blob if blob.strip("0") else None


def _object_format(repository: Repository) -> str:
    return repository.text("rev-parse", "--show-object-format")
