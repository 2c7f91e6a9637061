"""What must hold after every failure, whatever it was (the project's list O1 to O8), held against a model.

O1 is `assert_explained` (exit code, one line, no traceback), O7 is part of it. The rest is `Checker.assert_whole`:
every entry is there, decrypts for exactly its readers and reads the same through pass (O3, O6), HEAD, index and
work tree agree (O2 together with `commits_since`), `git fsck` is clean and nothing is left over (O5), and no secret
lies where none should be (O4).
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass, field
from functools import cache
from hashlib import new as new_hash
from pathlib import Path
from typing import TYPE_CHECKING

from tests.conftest import Output, Person, fingerprints, run_as

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

GENERATED = re.compile(rb"\S{16}\n")


@dataclass
class State:
    """What a store holds: the plaintext of every entry (None: a new generated one), the readers of each folder."""

    entries: dict[str, bytes | None] = field(default_factory=dict)
    readers: dict[str, tuple[str, ...]] = field(default_factory=dict)  # fingerprints, in the order of `.gpg-id`

    def copy(self) -> State:
        return State(dict(self.entries), dict(self.readers))

    def readers_of(self, name: str) -> tuple[str, ...]:
        folder = name.rpartition("/")[0]
        while folder and folder not in self.readers:
            folder = folder.rpartition("/")[0]
        return self.readers[folder]

    def below(self, folder: str) -> list[str]:
        return [name for name in self.entries if name.startswith(f"{folder}/")]

    def files(self) -> set[str]:
        return {f"{name}.gpg" for name in self.entries} | {os.path.join(folder, ".gpg-id") for folder in self.readers}


def git(folder: Path, *args: str, check: bool = True) -> bytes:
    """Run plain git and return its stdout."""
    done = subprocess.run(["git", "-C", folder, *args], capture_output=True, check=False)
    assert not check or done.returncode == 0, (args, done.stderr)
    return done.stdout


def head(folder: Path) -> str:
    return git(folder, "rev-parse", "HEAD").decode().strip()


def commits_since(folder: Path, commit: str) -> list[str]:
    """Return the messages of the commits since `commit`, the oldest first; it must be their ancestor."""
    git(folder, "merge-base", "--is-ancestor", commit, "HEAD")
    return git(folder, "log", "--reverse", "-z", "--format=%B", f"{commit}..HEAD").decode().split("\0")[:-1] or []


def assert_explained(done: Output, code: int, *named: str) -> None:
    """O1 and O7: the exit code, one line that names things and the next step, no control bytes, no stdout."""
    text = done.err.decode()
    assert done.code == code, (done.code, text)
    errors = [line for line in text.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1, text
    assert "Traceback" not in text
    assert "internal error" not in text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text), text
    for name in named:
        assert name in errors[0], errors[0]


_READ: dict[bytes, bytes] = {}  # what pass and gpg have made of a ciphertext, by its readers and itself


@cache
def _key_ids(person: Person) -> set[bytes]:
    return {fingerprint[-16:].encode() for fingerprint in fingerprints(person)}


class Checker:
    """Holds a store against a model; decrypts only what has a ciphertext that no store had before."""

    def __init__(self, store: Path, repository: Path | None, people: Sequence[Person]) -> None:
        self.store = store
        self.repository = repository
        self._people = {person.fingerprint: person for person in people}
        self._key_ids = {person.fingerprint: _key_ids(person) for person in people}
        self._canaries: set[bytes] = set()
        self._objects: set[str] = set()
        self.dead: set[int] = set()  # processes that were killed

    def watch_for(self, *canaries: bytes) -> None:
        """From now on these bytes may be nowhere but inside of encrypted messages."""
        self._canaries.update(canary for canary in canaries if len(canary) >= 12)

    def matches(self, state: State) -> bool:
        """Tell whether the files of the store are those of a state and its entries decrypt to it."""
        if self.paths() != state.files():
            return False
        return all(
            self._plaintext(name) == value if value is not None else GENERATED.fullmatch(self._plaintext(name))
            for name, value in state.entries.items()
        ) and all(
            (self.store / folder / ".gpg-id").read_text().split() == list(ids) for folder, ids in state.readers.items()
        )

    def paths(self) -> set[str]:
        """Return the entries and `.gpg-id` files of the work tree."""
        names = (path for path in self.store.rglob("*") if ".git" not in path.parts)
        return {str(path.relative_to(self.store)) for path in names if path.suffix == ".gpg" or path.name == ".gpg-id"}

    def resolve(self, state: State) -> None:
        """Take what was generated from the store into the model, once it has the form that was asked for."""
        for name, value in state.entries.items():
            if value is None:
                plaintext = self._plaintext(name)
                assert GENERATED.fullmatch(plaintext), name
                state.entries[name] = plaintext
                self.watch_for(plaintext.strip())

    def assert_whole(self, state: State, *, dirty: Sequence[str] = ()) -> None:
        """Everything that must hold once the next command has run.

        `dirty` are the lines of `git status` that are the user's own.
        """
        assert self.paths() == state.files()
        for folder, ids in state.readers.items():
            assert (self.store / folder / ".gpg-id").read_text().split() == list(ids), folder
        for name in state.entries:
            self.assert_entry(state, name)
        if self.repository is not None:
            self._assert_git(sorted(dirty))
        self.assert_nothing_left()
        self.assert_no_canary()

    def assert_entry(self, state: State, name: str) -> None:
        """An entry decrypts for exactly its readers to what the model says, and pass shows it."""
        readers = state.readers_of(name)
        wanted = set().union(*(self._key_ids[fingerprint] for fingerprint in readers))
        ciphertext = (self.store / f"{name}.gpg").read_bytes()
        key = b"%s\0%s" % (b",".join(f.encode() for f in readers), ciphertext)
        if key not in _READ:
            anybody = next(iter(self._people.values()))
            packets = anybody.gpg("--list-packets", "--list-only", input=ciphertext)
            ids = set(re.findall(rb"keyid ([0-9A-F]{16})", packets))
            assert ids <= wanted, name
            assert len(ids) == len(readers), name
            shown = run_as(self._people[readers[0]], self.store, ["pass", "show", name])
            assert shown.code == 0, (name, shown.err)
            for reader in readers[1:]:
                assert self._people[reader].gpg("-d", input=ciphertext) == shown.out, name
            _READ[key] = shown.out
        assert _READ[key] == state.entries[name], name

    def assert_nothing_left(self) -> None:
        """O5: no lock, no temporary file, no empty folder."""
        for folder, folders, files in os.walk(self.store):
            if ".git" in folders:
                folders.remove(".git")
            if Path(folder) != self.store:
                assert folders or files, f"empty: {folder}"
            assert not [name for name in (*files, *folders) if name.startswith(".clave-")], folder
        if self.repository is not None:
            git_dir = Path(os.fsdecode(git(self.repository, "rev-parse", "--absolute-git-dir").strip()))
            assert not [path for path in git_dir.rglob("*.lock")]
            assert not [*(git_dir / "clave").glob("*")]
        assert not [edit for pid in self.dead for edit in edits(str(pid))]

    def assert_no_canary(self) -> None:
        """O4: in no file of the store, of the people's homes, of RAM folders, in no git object."""
        for path in self._files():
            try:
                data = path.read_bytes()
            except (FileNotFoundError, PermissionError):
                continue
            self.assert_clean(data, str(path))
        if self.repository is not None:
            self.assert_clean(self._new_objects(), "git objects")

    def assert_clean(self, data: bytes, where: str) -> None:
        for canary in self._canaries:
            assert canary not in data, where

    def assert_processes_clean(self) -> None:
        """O4: at this very moment in no process's arguments or environment."""
        for pid in filter(str.isdecimal, os.listdir("/proc")):
            for about in ("cmdline", "environ"):
                try:
                    data = Path("/proc", pid, about).read_bytes()
                except OSError:
                    continue
                self.assert_clean(data, f"{about} of {data[:80]!r}")

    def _files(self) -> Iterator[Path]:
        tops = [self.repository or self.store, *(edit for edit in edits() if not alive(edit))]
        tops += [person.home for person in self._people.values()]
        for top in tops:
            for path in top.rglob("*"):
                if path.is_file() and not path.is_symlink() and "private-keys-v1.d" not in path.parts:
                    yield path

    def _new_objects(self) -> bytes:
        assert self.repository is not None
        rows = git(self.repository, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)").decode().split()
        new = [row for row in rows if row not in self._objects]
        self._objects.update(new)
        done = subprocess.run(
            ["git", "-C", self.repository, "cat-file", "--batch"],
            input="\n".join(new).encode(), capture_output=True, check=True,
        )  # fmt: skip
        return done.stdout

    def _assert_git(self, dirty: Sequence[str]) -> None:
        assert self.repository is not None
        repository = self.repository
        status = git(repository, "status", "--porcelain", "-uall", "-z").decode().split("\0")
        assert sorted(filter(None, status)) == dirty
        done = subprocess.run(
            ["git", "-C", repository, "fsck", "--strict", "--no-dangling", "--no-progress"], capture_output=True
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        # `git status` believes the index where size and time fit; the blobs themselves say it for certain.
        prefix = os.path.relpath(self.store, repository)
        for row in filter(None, git(repository, "ls-tree", "-r", "-z", "HEAD").split(b"\0")):
            about, _, path = row.partition(b"\t")
            file = repository / os.fsdecode(path)
            blob = about.split()[2].decode()
            if prefix in (".", os.fsdecode(path).split("/")[0]) and not any(os.fsdecode(path) in d for d in dirty):
                assert blob == blob_id(file.read_bytes(), blob), path

    def _plaintext(self, name: str) -> bytes:
        anybody = next(iter(self._people.values()))
        return anybody.gpg("-d", str(self.store / f"{name}.gpg"))


def blob_id(data: bytes, like: str) -> str:
    """Return the id that git gives to a blob, by the hash that made the id `like`."""
    return new_hash("sha256" if len(like) == 64 else "sha1", b"blob %d\0" % len(data) + data).hexdigest()


def edits(pid: str = "") -> list[Path]:
    """Return the folders in RAM that hold a plaintext being edited, of all processes or of one."""
    return [*Path("/dev/shm").glob(f"clave-edit-{pid or '*'}-*")]


def alive(edit: Path) -> bool:
    return os.path.exists(f"/proc/{edit.name.split('-')[2]}")
