"""Reading a repository's past, with GitPython: nothing else imports it, and only what looks back imports this.

The same rules hold as for every git of ours (`vcs.git`): no GIT_* of the environment redirects it, nothing is
replaced, no hook, file system monitor or external diff runs, and nothing that comes from a store is ever an
option. `.mailmap` is a file of the store and is not asked who an author is.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import GitFailed, StoreDamaged
from clave.process import Result
from clave.vcs.git import environment, failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from git import Git

    from clave.vcs.git import Repository

SYMLINK = "120000"
# What `%G?` of git log means (git-log(1)).
SIGNATURES = {
    "G": "good",
    "U": "untrusted",
    "X": "expired",
    "Y": "expired",
    "R": "revoked",
    "E": "unknown-key",
    "B": "bad",
    "N": "unsigned",
}

_MAX_BLOB = 256 << 20  # bytes, as for the files of a store
_MAX_TIME = 253_370_764_800  # the year 9999: a date is a claim, and datetime ends there
_FIRST_BATCH, _LAST_BATCH = 32, 1024  # commits whose changes are asked for at once
_CHUNK = 1 << 16
_LONGEST_HEAD = 128  # bytes of `<id> blob <size>`


class FileChange(NamedTuple):
    """What a commit did to one path, against one parent.

    `mode` and `blob` are what it has after, None where it was removed; `old_mode` and `old_blob` what it had
    before, None where it was added. `source` is the path that it had before if git saw a rename (of the same
    blob: nothing is guessed).
    """

    path: str
    mode: str | None
    blob: str | None
    old_mode: str | None
    old_blob: str | None
    source: str | None = None


class Commit(NamedTuple):
    """One commit. `changes` has one tuple a parent; a commit without parents has one, against nothing.

    `author`, `email` and `message` are the author's claim and not safe to print. `time` is the committer's, in
    Unix seconds. `signed` only says that there is a signature.
    """

    id: str
    parents: tuple[str, ...]
    author: str
    email: str
    time: int
    message: str
    signed: bool
    changes: tuple[tuple[FileChange, ...], ...]


class Signature(NamedTuple):
    """The state of a commit's signature (a value of SIGNATURES), and fingerprint and user id of its key."""

    state: str
    fingerprint: str
    signer: str


class History:
    """The past of a repository; made by `opened`."""

    def __init__(self, git: Git) -> None:
        self._git = git

    def resolve(self, revision: str) -> str | None:
        """Return the id of the commit that a user's words name (`HEAD~2`, an id, a tag), or None."""
        command = ("--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        code, out, words = self._git.rev_parse(*command, with_extended_output=True, with_exceptions=False)
        if "dubious ownership" in words:
            raise failure("rev-parse", Result(code, b"", words.encode(), b""))
        return str(out).strip() if code == 0 else None

    def commits(self, start: str) -> Iterator[Commit]:
        """Yield the commit `start` (an id) and all that came before it, children before their parents."""
        size = _FIRST_BATCH
        batch: list[bytes] = []
        for record in self._records(start):
            batch.append(record)
            if len(batch) == size:
                yield from self._with_changes(batch)
                batch, size = [], min(2 * size, _LAST_BATCH)
        yield from self._with_changes(batch)

    def files(self, commit: str, path: str = "") -> dict[str, tuple[str, str]]:
        """Return mode and blob of each file of a commit: of the one at `path`, or of those below it."""
        selection = ("--", path) if path else ()
        listing = self._run("ls-tree", "-r", "-z", "--full-tree", commit, *selection)
        files = {}
        for row in os.fsdecode(listing).split("\0"):
            about, _, name = row.partition("\t")
            if name:
                mode, _, blob = about.split(" ")
                files[name] = (mode, blob)
        return files

    def blobs(self, blobs: Iterable[str]) -> dict[str, bytes]:
        """Return the content of each blob by its id. Raises GitFailed (missing), StoreDamaged (too large)."""
        return self._objects(blobs, "blob")

    def blob(self, blob: str) -> bytes:
        """Return the content of one blob. Raises as `blobs`."""
        return self.blobs([blob])[blob]

    def raw_commits(self, commits: Iterable[str]) -> dict[str, bytes]:
        """Return each commit object by its id, as git stores it. Raises as `blobs`."""
        return self._objects(commits, "commit")

    def _objects(self, objects: Iterable[str], kind: str) -> dict[str, bytes]:
        # GitPython's own reader of objects knows SHA-1 only.
        ids = list(dict.fromkeys(objects))
        for each, row in zip(ids, self._run("cat-file", "--batch-check", lines=ids).splitlines(), strict=True):
            about = row.decode().split(" ")
            if about[-1] == "missing":
                raise GitFailed(f"the object {each} is missing in git", "See: clave git fsck.")
            if about[1] != kind or int(about[2]) > _MAX_BLOB:
                raise StoreDamaged(f"the object {each} is no {kind} of at most {_MAX_BLOB >> 20} MiB")
        rest = memoryview(self._run("cat-file", "--batch", lines=ids))
        contents = {}
        for each in ids:
            head = bytes(rest[:_LONGEST_HEAD]).partition(b"\n")[0]
            end = len(head) + 1 + int(head.rpartition(b" ")[2])
            contents[each] = bytes(rest[len(head) + 1 : end])
            rest = rest[end + 1 :]
        return contents

    def signatures(self, commits: Sequence[str]) -> dict[str, Signature]:
        """Check the signatures of the commits: one git, which runs one gpg for each signed commit."""
        rows = self._run(
            "log", "--stdin", "--no-walk=unsorted", "-z", "--no-show-signature", "--encoding=UTF-8",
            "--format=%H%n%G?%n%GP%n%GS", lines=commits,
        )  # fmt: skip
        states = {}
        for row in rows.decode("utf-8", "surrogateescape").split("\0"):
            if row:
                commit, letter, fingerprint, signer = row.split("\n", 3)
                states[commit] = Signature(SIGNATURES.get(letter, "bad"), fingerprint, signer)
        return states

    def _records(self, start: str) -> Iterator[bytes]:
        """Yield the raw commits, each as `id parents…`, headers, and the message indented by four blanks."""
        process = self._git.rev_list(
            "--topo-order", "--parents", "--header", "--encoding=UTF-8", start, "--", as_process=True
        )
        rest = b""
        while chunk := process.stdout.read(_CHUNK):
            *records, rest = (rest + chunk).split(b"\0")
            yield from records
        with _explained("rev-list"):
            process.wait()

    def _with_changes(self, records: Sequence[bytes]) -> Iterator[Commit]:
        commits = [_parse(record) for record in records]
        pairs = [f"{c.id} {parent}" for c in commits for parent in c.parents or ("",)]
        diffs = iter(self._diffs([pair.rstrip() for pair in pairs]))
        for commit in commits:
            yield commit._replace(changes=tuple(next(diffs) for _ in commit.parents or ("",)))

    def _diffs(self, pairs: Sequence[str]) -> Iterator[tuple[FileChange, ...]]:
        """Yield the changes of each `commit parent` (or `commit`, against nothing)."""
        if not pairs:
            return
        out = self._run(
            "diff-tree", "--stdin", "--always", "--root", "-r", "--raw", "-z", "--no-abbrev", "-M100%",
            "--no-ext-diff", "--no-textconv", lines=pairs,
        )  # fmt: skip
        fields = iter(os.fsdecode(out).split("\0"))
        changes: list[FileChange] = []
        next(fields)  # the id of the first commit
        for field in fields:
            if not field.startswith(":"):  # the next commit, or the end
                yield tuple(changes)
                changes = []
                continue
            old_mode, mode, old, new, status = (_there(part) for part in field[1:].split(" "))
            source = next(fields) if status and status.startswith("R") else None
            changes.append(FileChange(next(fields), mode, new, old_mode, old, source))

    def _run(self, command: str, *args: str, lines: Iterable[str] = ()) -> bytes:
        """Run a git command with `lines` on its stdin and return its output."""
        with tempfile.TemporaryFile() as file, _explained(command):  # ids only: nothing secret in it
            file.write("".join(f"{line}\n" for line in lines).encode())
            file.seek(0)
            run = getattr(self._git, command)
            out = run(*args, istream=file, stdout_as_string=False, strip_newline_in_stdout=False)
        assert isinstance(out, bytes)
        return out


@contextmanager
def opened(repository: Repository) -> Iterator[History]:
    """Open a repository for reading. Raises GitFailed without git.

    GitPython hands our own environment to git, so that is cleaned for as long as the history is open.
    """
    before = dict(os.environ)
    try:
        clean = environment()
        for name in before.keys() - clean.keys():
            del os.environ[name]
        os.environ.update(clean)
        try:
            from git import Git
        except ImportError:
            raise GitFailed("git is not installed", "Install git and try again.") from None
        git = Git(repository.work_tree)
        git.set_persistent_git_options(
            literal_pathspecs=True,
            no_replace_objects=True,
            c=["core.hooksPath=/dev/null", "core.fsmonitor=false"],
        )
        yield History(git)
    finally:
        os.environ.clear()
        os.environ.update(before)


def _parse(record: bytes) -> Commit:
    head, _, body = record.partition(b"\n\n")
    first, *headers = head.decode("utf-8", "surrogateescape").lstrip("\n").split("\n")
    commit, *parents = first.split(" ")
    values: dict[str, str] = {}
    for header in headers:
        key, _, value = header.partition(" ")
        values.setdefault(key, value)
    author, email, _ = _person(values.get("author", ""))
    time = _person(values.get("committer", ""))[2]
    lines = body.decode("utf-8", "surrogateescape").split("\n")
    message = "\n".join(line.removeprefix("    ") for line in lines)
    signed = "gpgsig" in values or "gpgsig-sha256" in values
    return Commit(commit, tuple(parents), author, email, time, message, signed, ())


def _person(line: str) -> tuple[str, str, int]:
    """Read `Name <address> seconds zone`, where name and address may be anything."""
    person, _, date = line.rpartition(">")
    name, _, email = person.partition("<")
    seconds = date.strip().partition(" ")[0]
    known = seconds.isascii() and seconds.isdigit() and len(seconds) < 19
    return name.strip(), email, min(int(seconds), _MAX_TIME) if known else 0


def _there(field: str) -> str | None:
    """Return a mode or an id of git's raw diff, None for the zeros that stand for nothing."""
    return field if field.strip("0") else None


@contextmanager
def _explained(command: str) -> Iterator[None]:
    """Turn GitPython's error into ours, with git's own last words."""
    from git.exc import GitCommandError

    try:
        yield
    except GitCommandError as error:
        words = str(error.stderr or "").strip().removeprefix("stderr: ").strip("'\n")
        code = error.status if isinstance(error.status, int) else 1
        raise failure(command, Result(code, b"", words.encode(), b"")) from None
