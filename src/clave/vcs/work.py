"""The files of one write to a store in git: the journal, the staged files, and git's own index lock.

`transaction` says in which order they come and what a crash leaves; this says what is done to them, and how what
a dead process left is carried on or dropped.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import Busy, GitFailed, StoreDamaged
from clave.vcs import settled, worktree
from clave.vcs.git import failure, running_in
from clave.vcs.objects import data_of, hash_of, object_id
from clave.vcs.trees import FILE, LINK, PROGRAM
from clave.vcs.worktree import Content, Link, Program

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clave.vcs.git import Repository

_NOTHING = "-"  # in the journal: no blob at this path
_END = "//"  # in the journal, where a path would stand: all steps were written
# How long to wait for another git's index.lock, in seconds.
_LOCK_PATIENCE = 5.0
# More arguments than this go in another way than on a command line.
_MANY = 400


class Step(NamedTuple):
    """What happens to one path, as the journal has it; blob ids, or None for no file. `mode` is git's, of the new."""

    path: str
    old: str | None
    new: str | None
    mode: str = "100644"


class _Journal(NamedTuple):
    """What a write was about to do: its steps, the commit that HEAD was to be, and the one that it was."""

    steps: list[Step]
    commit: str | None
    before: str | None


class Work:
    """The files of one write: journal, staged content, index lock."""

    def __init__(
        self, repository: Repository, top: str, steps: list[Step], commit: str | None, before: str | None
    ) -> None:
        self._repository = repository
        self._top = os.path.realpath(top)
        # What is removed comes first: a folder may take the place of a file, and a file that of a folder.
        self._steps = sorted(steps, key=lambda step: (step.new is not None, step.path))
        self._commit = commit
        self._before = before
        self._late: list[tuple[str, str, Content]] = []
        self._folder = self.folder_of(repository)
        self._journal = os.path.join(self._folder, "journal")
        self._ours = os.path.join(self._folder, "index")  # the file that `index.lock` is a link to
        self._building = os.path.join(self._folder, "building")
        self._index = os.path.join(repository.git_dir, "index")
        self._index_lock = self._index + ".lock"

    @staticmethod
    def folder_of(repository: Repository) -> str:
        """Return where the files of a write lie; it is there only while one is under way, or was cut off."""
        return os.path.join(repository.git_dir, "clave")

    @classmethod
    def left_behind(cls, repository: Repository, top: str) -> Work | None:
        """Return what an earlier process left, or None. An unfinished journal counts as an empty one."""
        folder = cls.folder_of(repository)
        if not os.path.isdir(folder):
            return None
        journal = _read_journal(os.path.join(folder, "journal"))
        return cls(repository, top, *journal)

    def begin(self, changes: Mapping[str, Content | None]) -> None:
        """Steps 4 and 5, and the first half of 6: the journal, the lock, then the staged files."""
        os.makedirs(self._folder, exist_ok=True)
        with open(self._journal, "wb") as file:
            for step in self._steps:
                row = (step.path, step.old or _NOTHING, step.new or _NOTHING, step.mode)
                file.write(b"\0".join(os.fsencode(field) for field in row) + b"\0")
            file.write(f"{_END}\0{self._commit}\0{self._before or _NOTHING}\0".encode())
            file.flush()
            os.fsync(file.fileno())
        worktree.sync_folders([self._journal])
        self._take_lock()
        gone = {step.path for step in self._steps if step.new is None}
        staged: list[tuple[str, str, Content]] = []
        for step in self._steps:
            content = changes[step.path]
            if step.new is not None and content is not None:
                in_the_way = not gone.isdisjoint(folders_of(step.path))
                (self._late if in_the_way else staged).append((self._path(step), step.new, content))
        worktree.stage(staged)

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
                raise uncommitted(step.path)
        self._fill_lock()

    def finish(self) -> None:
        """Steps 8 to 10: the work tree, the index, the end of the journal."""
        for step in self._steps:
            if step.new is None:
                worktree.remove(self._path(step), keep=self._top)
        worktree.stage(self._late)
        for step in self._steps:
            if step.new is not None:
                worktree.put(self._path(step), step.new)
        worktree.sync_folders(self._path(step) for step in self._steps)
        settled.hand_on(self._repository.git_dir, self._before or "", self._commit or "", self._index_lock)
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
            paths.append(os.path.join(self._repository.common_dir, f"{branch}.lock"))
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
            hash_name = hash_of(step.new or step.old or "")
            there = None if content is None else object_id(b"blob", data_of(content), hash_name)
            if there == step.old and step.new is None:
                worktree.remove(path, keep=self._top)
            elif there == step.old and step.new and os.path.lexists(worktree.staged_name(path, step.new)):
                worktree.put(path, step.new)
            elif there == step.old and step.new and there != step.new:
                worktree.stage([(path, step.new, self._object(step))])
                worktree.put(path, step.new)
            elif step.new is not None:
                worktree.drop(path, step.new, keep=self._top)
            elif there is None:
                worktree.prune(os.path.dirname(path), keep=self._top)
        worktree.sync_folders(self._path(step) for step in self._steps)

    def _object(self, step: Step) -> Content:
        data = self._repository.run("cat-file", "blob", step.new or "").out
        return content_of(step.mode, data)

    def _committed(self) -> bool:
        """Tell whether HEAD has been moved to the commit, which may lie behind what HEAD was."""
        if self._commit is None or not self._is_ancestor(self._commit, "HEAD"):
            return False
        went_back = self._before is not None and self._is_ancestor(self._commit, self._before)
        return not (went_back and self._is_ancestor(self._before or "", "HEAD"))

    def _is_ancestor(self, one: str, other: str) -> bool:
        return self._repository.run("merge-base", "--is-ancestor", one, other, check=False).code == 0

    def _path(self, step: Step) -> str:
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

    def _not_staged_since(self) -> list[Step]:
        """Return the steps whose path has in the index still what it had before."""
        indexed = _index_rows(self._repository.run("ls-files", "--stage", "-z").out)
        return [step for step in self._steps if indexed.get(step.path) == step.old]

    def _update(self, steps: Iterable[Step]) -> None:
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


def uncommitted(path: str) -> GitFailed:
    """Return the error for a path that is not, in the work tree or the index, what HEAD has."""
    return GitFailed(f"{path} has changes that are not committed", "Commit or drop them first: clave git status.")


def content_of(mode: str, data: bytes) -> Content:
    """Return what a blob of this mode (git's) is as a file."""
    if mode == LINK.decode():
        return Link(os.fsdecode(data))
    return Program(data) if mode == PROGRAM.decode() else data


def mode_of(content: Content | None) -> str:
    """Return git's mode of a file with this content."""
    kinds = ((Link, LINK), (Program, PROGRAM))
    return next((mode for kind, mode in kinds if isinstance(content, kind)), FILE).decode()


def folders_of(path: str) -> list[str]:
    """Return the folders that hold a path of a repository, the topmost first, without the repository's own."""
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]


def _index_rows(listing: bytes) -> dict[str, str]:
    """Return the blob ids of `ls-files --stage -z` by path; a path that is not merged has that of no blob."""
    found: dict[str, str] = {}
    for row in os.fsdecode(listing).split("\0"):
        about, _, path = row.partition("\t")
        if path:
            _, blob, stage = about.split(" ")
            found[path] = blob if stage == "0" else "unmerged"
    return found


def _index_row(step: Step) -> bytes:
    if step.new is None:
        return b"0 " + b"0" * len(step.old or "") + b"\t" + os.fsencode(step.path) + b"\0"
    return f"{step.mode} {step.new}\t".encode() + os.fsencode(step.path) + b"\0"


def _read_journal(path: str) -> _Journal:
    try:
        with open(path, "rb") as file:
            fields = [os.fsdecode(field) for field in file.read().split(b"\0")]
    except FileNotFoundError:
        return _Journal([], None, None)
    if _END not in fields[::4]:
        return _Journal([], None, None)  # it died while writing this: nothing else was done yet
    end = 4 * fields[::4].index(_END)
    steps = []
    for at in range(0, end, 4):
        name, old, new, mode = fields[at : at + 4]
        steps.append(Step(name, _blob(old), _blob(new), mode))
    # The last field is what stands behind the last NUL: without all of them it died while writing this.
    after = fields[end + 1 :]
    return _Journal(steps, _blob(after[0]), _blob(after[1])) if len(after) > 2 else _Journal(steps, None, None)


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
