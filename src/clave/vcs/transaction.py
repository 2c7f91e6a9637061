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
import time
import zlib
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import Busy, GitFailed, StoreDamaged
from clave.vcs import worktree
from clave.vcs.git import failure, running_in
from clave.vcs.lock import exclusive
from clave.vcs.trees import FILE, LINK, Entry, Trees, object_id
from clave.vcs.worktree import Content, Link

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from clave.process import Running
    from clave.vcs.git import Repository

_NOTHING = "-"  # in the journal: no blob at this path
_END = "//"  # in the journal, where a path would stand: all steps were written
# How long to wait for another git's index.lock, in seconds.
_LOCK_PATIENCE = 5.0
# Types of objects in a pack (gitformat-pack(5)).
_COMMIT, _TREE, _BLOB = 1, 2, 3
# More arguments than this go in another way than on a command line.
_MANY = 400
# git unpacks packs of fewer objects than this into loose ones (transfer.unpackLimit).
_UNPACK_LIMIT = 100
# git's own rule for `gc --auto`: 6,700 loose objects, estimated from one of the 256 folders (gc.auto).
_LOOSE_LIMIT = 27

_ATTRIBUTES = """\
# clave: begin (entries and store files are kept byte for byte)
*.gpg -text -eol -filter -ident -working-tree-encoding merge=binary
.gpg-id -text -eol -filter -ident -working-tree-encoding
# clave: end
"""


class Identity(NamedTuple):
    """Who is said to have made a commit, where git itself does not know."""

    name: str
    email: str


class _Step(NamedTuple):
    """What happens to one path, as the journal has it; blob ids, or None for no file."""

    path: str
    old: str | None
    new: str | None
    link: bool = False


class _Journal(NamedTuple):
    """What a write was about to do: its steps, and the commit that HEAD was to be."""

    steps: list[_Step]
    commit: str | None


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
        self._hash = _hash_of(self.head) if self.head else _object_format(repository)
        self._trees = Trees(repository, self.head)

    def blob_id(self, content: Content) -> str:
        """Return the id that git gives to this content."""
        return object_id(b"blob", _data(content), self._hash)

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
                raise _uncommitted(path)

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
            _Step(path, blobs.get(path), ids[path], isinstance(changes[path], Link))
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
        steps: list[_Step],
        message: str,
        sign: bool | None,
        identity: Callable[[], Identity | None],
        *,
        adopt: bool,
    ) -> str:
        """Do steps 3 to 10 and return the commit."""
        entries = {step.path: Entry(LINK if step.link else FILE, step.new) if step.new else None for step in steps}
        tree, trees = self._trees.changed(entries, self._hash)
        objects = [(_BLOB, _data(content)) for content in changes.values() if content is not None]
        objects += [(_TREE, data) for data in trees]
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
            objects.append((_COMMIT, data))
        work = _Work(self.repository, self._top, steps, new)
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
        with self.repository.start(*command, input=_pack(unique, self._hash)) as storing:
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
        author, committer = _people(git, identity)
        headers = [f"tree {tree}", *([f"parent {self.head}"] if self.head else [])]
        headers += [f"author {author}", f"committer {committer}"]
        return os.fsencode("\n".join(headers) + "\n\n" + message)

    def _commit_signed(self, tree: str, message: str, git: Variables, identity: Callable[[], Identity | None]) -> str:
        author, committer = _people(git, identity)
        result = self.repository.run(
            "commit-tree", *(["-p", self.head] if self.head else []), "-S", "-F", "-", tree,
            input=os.fsencode(message), env=_as_variables("AUTHOR", author) | _as_variables("COMMITTER", committer),
        )  # fmt: skip
        commit = result.out.decode().strip()
        if self.repository.run("verify-commit", commit, check=False).code != 0:
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
    if os.path.exists(_Work.folder_of(repository)):
        with worktree.explained("the git directory"), exclusive(repository.git_dir):
            _recover(repository, top)


def protect_attributes(repository: Repository) -> None:
    """Keep one marked block in `.git/info/attributes`: no filter or line-end rule of anybody touches our files."""
    path = os.path.join(_common_dir(repository), "info", "attributes")
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read()
    except FileNotFoundError:
        text = ""
    if _ATTRIBUTES in text:
        return
    before, begin_mark, rest = text.partition(_ATTRIBUTES.splitlines(keepends=True)[0])
    if begin_mark:
        rest = rest.partition(_ATTRIBUTES.splitlines(keepends=True)[-1])[2]
    if before and not before.endswith("\n"):
        before += "\n"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    # Ours come last: within one file the last line that sets an attribute wins (gitattributes(5)).
    with open(path + ".clave", "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(before + rest + _ATTRIBUTES)
    os.replace(path + ".clave", path)


def _common_dir(repository: Repository) -> str:
    """Return the directory of what all work trees of a repository share."""
    try:
        with open(os.path.join(repository.git_dir, "commondir"), encoding="utf-8") as file:
            return os.path.join(repository.git_dir, file.read().strip())
    except FileNotFoundError:
        return repository.git_dir


def _tidy(repository: Repository) -> None:
    """Let git pack loose objects now and then, as `git commit` would."""
    with suppress(OSError):
        if len(os.listdir(os.path.join(repository.git_dir, "objects", "17"))) > _LOOSE_LIMIT:
            repository.run("gc", "--auto", "--quiet", check=False)


def _recover(repository: Repository, top: str) -> None:
    work = _Work.left_behind(repository, top)
    if work is not None:
        work.settle()


class _Work:
    """The files of one write: journal, staged content, index lock."""

    def __init__(self, repository: Repository, top: str, steps: list[_Step], commit: str | None = None) -> None:
        self._repository = repository
        self._top = os.path.realpath(top)
        self._steps = steps
        self._commit = commit
        self._folder = self.folder_of(repository)
        self._journal = os.path.join(self._folder, "journal")
        self._ours = os.path.join(self._folder, "index")  # the file that `index.lock` is a link to
        self._building = os.path.join(self._folder, "building")
        self._index = os.path.join(repository.git_dir, "index")
        self._index_lock = self._index + ".lock"

    @staticmethod
    def folder_of(repository: Repository) -> str:
        return os.path.join(repository.git_dir, "clave")

    @classmethod
    def left_behind(cls, repository: Repository, top: str) -> _Work | None:
        """Return what an earlier process left, or None. An unfinished journal counts as an empty one."""
        folder = cls.folder_of(repository)
        if not os.path.isdir(folder):
            return None
        journal = _read_journal(os.path.join(folder, "journal"))
        return cls(repository, top, journal.steps, journal.commit)

    def begin(self, changes: Mapping[str, Content | None]) -> None:
        """Steps 4 and 5, and the first half of 6: the journal, the lock, then the staged files."""
        os.makedirs(self._folder, exist_ok=True)
        with open(self._journal, "wb") as file:
            for step in self._steps:
                row = (step.path, step.old or _NOTHING, step.new or _NOTHING, "link" if step.link else "file")
                file.write(b"\0".join(os.fsencode(field) for field in row) + b"\0")
            file.write(f"{_END}\0{self._commit}\0".encode())
            file.flush()
            os.fsync(file.fileno())
        worktree.sync_folders([self._journal])
        self._take_lock()
        worktree.stage(
            (self._path(step), step.new, content)
            for step in self._steps
            if step.new is not None and (content := changes[step.path]) is not None
        )

    def write_index(self, *, adopt: bool) -> None:
        """Step 6's end: fill the lock with the new index.

        Raises GitFailed if the user has staged a change of one of our paths, unless we `adopt` it.
        """
        self._copy_index()
        paths = [step.path for step in self._steps]
        selection = ["--", *paths] if len(paths) <= _MANY else []
        with self._repository.start("ls-files", "--stage", "-z", *selection, input=b"") as listing:
            self._update(self._steps)
            result = listing.finish()
        if result.code != 0:
            raise failure("ls-files", result)
        staged = _index_rows(result.out)
        for step in self._steps:
            if staged.get(step.path) != step.old and not adopt:
                raise _uncommitted(step.path)
        self._fill_lock()

    def finish(self) -> None:
        """Steps 8 to 10: the work tree, the index, the end of the journal."""
        for step in self._steps:
            path = self._path(step)
            if step.new is None:
                worktree.remove(path, keep=self._top)
            else:
                worktree.put(path, step.new)
        worktree.sync_folders(self._path(step) for step in self._steps)
        os.replace(self._index_lock, self._index)
        self._clean()

    def abandon(self) -> None:
        """Undo steps 4 to 6: nothing was committed."""
        for step in self._steps:
            if step.new is not None:
                worktree.drop(self._path(step), step.new, keep=self._top)
        self._release_lock()
        self._clean()

    def settle(self) -> None:
        """End the write of a dead process: carry it on if HEAD has its commit, else drop it."""
        self._remove_locks_of_the_dead()
        if not self._committed():
            self.abandon()
        elif _same_file(self._index, self._ours):
            self._clean()  # all was done but the removal of the journal
        else:
            if not _same_file(self._index_lock, self._ours):
                # Somebody removed the lock by hand: the index does not know of our commit yet.
                self._take_lock()
                self._copy_index()
                self._update(self._not_staged_since())
                self._fill_lock()
            self._carry_on()
            os.replace(self._index_lock, self._index)
            self._clean()

    def _remove_locks_of_the_dead(self) -> None:
        """Remove the locks that our `update-ref` holds if it was killed together with us.

        It is dead: it had our lock, which we hold now. A lock with our commit in it is surely its own; an empty one
        is, if no other git is at work here.
        """
        if self._commit is None:
            return
        branch = os.fsdecode(self._repository.run("symbolic-ref", "-q", "HEAD", check=False).out).strip()
        paths = [os.path.join(self._repository.git_dir, "HEAD.lock")]
        if branch:
            paths.append(os.path.join(_common_dir(self._repository), f"{branch}.lock"))
        for path in paths:
            try:
                with open(path, "rb") as file:
                    content = file.read().decode().strip()
                younger = os.path.getmtime(path) >= os.path.getmtime(self._journal)
            except (FileNotFoundError, UnicodeDecodeError):
                continue
            if content == self._commit or (younger and not content and not running_in(self._repository)):
                os.unlink(path)

    def _carry_on(self) -> None:
        """Do step 8 where it was not done, but leave what somebody else has written since."""
        for step in self._steps:
            path = self._path(step)
            content = worktree.content_at(path)
            hash_name = _hash_of(step.new or step.old or "")
            there = None if content is None else object_id(b"blob", _data(content), hash_name)
            if there == step.old and there != step.new:
                if step.new is None:
                    worktree.remove(path, keep=self._top)
                elif os.path.lexists(worktree.staged_name(path, step.new)):
                    worktree.put(path, step.new)
                else:
                    worktree.stage([(path, step.new, self._object(step))])
                    worktree.put(path, step.new)
            elif step.new is not None:
                worktree.drop(path, step.new, keep=self._top)
            elif there is None:
                worktree.prune(os.path.dirname(path), keep=self._top)
        worktree.sync_folders(self._path(step) for step in self._steps)

    def _object(self, step: _Step) -> Content:
        data = self._repository.run("cat-file", "blob", step.new or "").out
        return Link(os.fsdecode(data)) if step.link else data

    def _committed(self) -> bool:
        if self._commit is None:
            return False
        answer = self._repository.run("merge-base", "--is-ancestor", self._commit, "HEAD", check=False)
        return answer.code == 0

    def _path(self, step: _Step) -> str:
        return os.path.join(self._repository.work_tree, step.path)

    def _take_lock(self) -> None:
        with suppress(FileNotFoundError):
            os.unlink(self._ours)
        with open(self._ours, "xb"):
            pass
        deadline = time.monotonic() + _LOCK_PATIENCE
        while True:
            try:
                os.link(self._ours, self._index_lock)
            except FileExistsError:
                if time.monotonic() > deadline:
                    raise Busy(
                        "git is busy in this store: its index.lock exists",
                        "Try again; if no git is running, 'clave doctor --fix' removes it.",
                    ) from None
                time.sleep(0.05)
            else:
                return

    def _copy_index(self) -> None:
        with suppress(FileNotFoundError):
            os.unlink(self._building)
        with suppress(FileNotFoundError), open(self._index, "rb") as old, open(self._building, "wb") as new:
            new.write(old.read())

    def _not_staged_since(self) -> list[_Step]:
        """Return the steps whose path has in the index still what it had before."""
        indexed = _index_rows(self._repository.run("ls-files", "--stage", "-z").out)
        return [step for step in self._steps if indexed.get(step.path) == step.old]

    def _update(self, steps: Iterable[_Step]) -> None:
        """Bring these steps into the copy of the index."""
        self._repository.run(
            "update-index", "-z", "--index-info",
            input=b"".join(_index_row(step) for step in steps), env={"GIT_INDEX_FILE": self._building},
        )  # fmt: skip

    def _fill_lock(self) -> None:
        with open(self._building, "rb") as built, open(self._ours, "r+b") as lock:
            lock.write(built.read())
            lock.flush()
            os.fsync(lock.fileno())

    def _release_lock(self) -> None:
        if _same_file(self._index_lock, self._ours):
            os.unlink(self._index_lock)

    def _clean(self) -> None:
        """Remove our files, the journal last: as long as it is there, somebody looks after the rest."""
        for path in (self._building, self._ours):
            for each in (path, path + ".lock"):  # git's own lock of an index that it was building
                with suppress(FileNotFoundError):
                    os.unlink(each)
        with suppress(FileNotFoundError):
            os.unlink(self._journal)
        with suppress(OSError):
            os.rmdir(self._folder)


def _uncommitted(path: str) -> GitFailed:
    return GitFailed(f"{path} has changes that are not committed", "Commit or drop them first: clave git status.")


def _index_rows(listing: bytes) -> dict[str, str]:
    """Return the blob ids of `ls-files --stage -z` by path; a path that is not merged has that of no blob."""
    found: dict[str, str] = {}
    for row in os.fsdecode(listing).split("\0"):
        about, _, path = row.partition("\t")
        if path:
            _, blob, stage = about.split(" ")
            found[path] = blob if stage == "0" else "unmerged"
    return found


def _index_row(step: _Step) -> bytes:
    if step.new is None:
        return b"0 " + b"0" * len(step.old or "") + b"\t" + os.fsencode(step.path) + b"\0"
    mode = "120000" if step.link else "100644"
    return f"{mode} {step.new}\t".encode() + os.fsencode(step.path) + b"\0"


def _read_journal(path: str) -> _Journal:
    try:
        with open(path, "rb") as file:
            fields = [os.fsdecode(field) for field in file.read().split(b"\0")]
    except FileNotFoundError:
        return _Journal([], None)
    if _END not in fields[::4]:
        return _Journal([], None)  # it died while writing this: nothing else was done yet
    end = 4 * fields[::4].index(_END)
    steps = []
    for at in range(0, end, 4):
        name, old, new, kind = fields[at : at + 4]
        steps.append(_Step(name, _blob(old), _blob(new), kind == "link"))
    after = fields[end + 1 :]
    # The last field is what stands behind the last NUL: empty unless the commit id was cut off.
    return _Journal(steps, after[0] if len(after) > 1 else None)


def _blob(field: str) -> str | None:
    if field == _NOTHING:
        return None
    if len(field) not in (40, 64) or not all(c in "0123456789abcdef" for c in field):
        raise StoreDamaged("clave's journal in the git directory is broken", "Run 'clave doctor --fix'.")
    return field


def _same_file(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except FileNotFoundError:
        return False


def _hash_of(object_id: str) -> str:
    return "sha256" if len(object_id) == 64 else "sha1"


def _object_format(repository: Repository) -> str:
    return repository.text("rev-parse", "--show-object-format")


def _data(content: Content) -> bytes:
    """Return what git stores of a file or a symlink."""
    return os.fsencode(content) if isinstance(content, Link) else content


def _pack(objects: Sequence[tuple[int, bytes]], hash_name: str) -> bytes:
    """Return objects (type, data) as a git pack (gitformat-pack(5)): one process stores them all."""
    import hashlib

    pack = bytearray(b"PACK" + (2).to_bytes(4, "big") + len(objects).to_bytes(4, "big"))
    for kind, data in objects:
        size = len(data)
        byte = kind << 4 | size & 0xF  # the type; then four bits of the size, seven in each further byte
        size >>= 4
        while size:
            pack.append(byte | 0x80)
            byte, size = size & 0x7F, size >> 7
        pack.append(byte)
        pack += zlib.compress(data, 0)  # ciphertext does not get smaller
    pack += hashlib.new(hash_name, pack, usedforsecurity=False).digest()
    return bytes(pack)


class Variables:
    """What `git var -l` says: the configuration, and who would be author and committer of a commit made now."""

    def __init__(self, out: bytes) -> None:
        self._values: dict[str, str] = {}
        for line in os.fsdecode(out).split("\n"):
            key, _, value = line.partition("=")
            self._values[key] = value

    @property
    def signs(self) -> bool:
        """Whether commits are to be signed (pass has a setting of its own)."""
        return any(_true(self._values.get(key)) for key in ("commit.gpgsign", "pass.signcommits"))

    def person(self, role: str) -> tuple[str, bool]:
        """Return `Name <address> seconds zone` of the AUTHOR or COMMITTER, and whether the user has named them."""
        named = os.environ.get(f"GIT_{role}_EMAIL") or self._values.get("user.email") or os.environ.get("EMAIL")
        return self._values.get(f"GIT_{role}_IDENT", ""), bool(named)


def _true(value: str | None) -> bool:
    """Read a git boolean as git does (git-config(1)): a key without a value is true."""
    return value is not None and value.lower() in ("", "true", "yes", "on", "1")


def _people(git: Variables, identity: Callable[[], Identity | None]) -> tuple[str, str]:
    """Return author and committer of a commit; where git knows nobody, the one that `identity` gives.

    Raises GitFailed where there is nobody.
    """
    mine: Identity | None = None
    people = []
    for role in ("AUTHOR", "COMMITTER"):
        person, named = git.person(role)
        name, _, rest = person.rpartition(" <")
        if not named or not name:
            mine = mine or identity()
            if mine is None and (not name or not rest):
                raise GitFailed("git does not know who you are", "Say it: git config --global user.name NAME.")
            if mine is not None:
                name = os.environ.get(f"GIT_{role}_NAME") or (name if named and name else mine.name)
                email, date = rest.partition(">")[::2]
                person = f"{_clean(name)} <{email if named else _clean(mine.email)}>{date}"
        people.append(person)
    return people[0], people[1]


def _clean(text: str) -> str:
    """Return text without what ends a part of git's `Name <address>`."""
    return "".join(c for c in text if c not in "<>" and c.isprintable()).strip()


def _as_variables(role: str, person: str) -> dict[str, str]:
    """Return the variables that name the person of `Name <address> seconds zone`."""
    name, _, rest = person.rpartition(" <")
    email, _, date = rest.partition("> ")
    return {f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": email, f"GIT_{role}_DATE": f"@{date}"}
