"""Commits as an attacker makes them: raw objects of git, signatures and messages by gpg itself, nothing by clave.

What somebody makes here is pushed as it is: no git looks at it on the way.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from clave.team import roster as rosters
from tests.conftest import Person

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clave.team.roster import Roster
    from tests.teams import Team

FILE, FOLDER, PROGRAM, SYMLINK, SUBMODULE = "100644", "40000", "100755", "120000", "160000"
Row = tuple[str, bytes, str]  # of a tree: mode, name, id


@dataclass
class Forge:
    """A clone of somebody's in which commits are forged, and all the people whose keys may be used for it."""

    team: Team
    folder: Path
    people: dict[str, Person]
    made: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, team: Team, **more: Person) -> Forge:
        folder = team.folder / "forge"
        subprocess.run(["git", "clone", "-q", "--bare", str(team.remote), str(folder)], check=True)
        return cls(team, folder, {**team.people, **more})

    # git

    def git(self, *args: str, input: bytes = b"") -> bytes:
        argv = ["git", "-C", str(self.folder), *args]
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "GIT_NO_REPLACE_OBJECTS": "1"}
        done = subprocess.run(argv, input=input, capture_output=True, check=False, env=env)
        assert done.returncode == 0, (args, done.stderr.decode())
        return done.stdout

    def text(self, *args: str) -> str:
        return self.git(*args).decode().strip()

    @property
    def tip(self) -> str:
        return self.text("rev-parse", "main")

    def blob(self, data: bytes) -> str:
        return self.git("hash-object", "-w", "--stdin", input=data).decode().strip()

    def files(self, commit: str = "main") -> dict[str, tuple[str, str]]:
        """Return mode and blob of each file of a commit, by path."""
        found = {}
        for row in self.git("ls-tree", "-rz", commit).decode().split("\0")[:-1]:
            about, _, path = row.partition("\t")
            mode, _, blob = about.split(" ")
            found[path] = (mode, blob)
        return found

    def content(self, path: str, commit: str = "main") -> bytes:
        return self.git("cat-file", "blob", f"{commit}:{path}")

    def raw_tree(self, rows: Sequence[Row]) -> str:
        """Store a tree with these rows, in this order, whatever git thinks of it."""
        data = b"".join(mode.encode() + b" " + name + b"\0" + bytes.fromhex(found) for mode, name, found in rows)
        return self.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", input=data).decode().strip()

    def rows(self, tree: str = "main:") -> list[Row]:
        """Return the rows of a tree."""
        found = []
        for row in self.git("ls-tree", "-z", tree).split(b"\0")[:-1]:
            about, _, name = row.partition(b"\t")
            mode, _, object_id = about.decode().split(" ")
            found.append((mode.removeprefix("0"), name, object_id))
        return found

    def tree(self, files: Mapping[str, tuple[str, str]]) -> str:
        """Store the tree of these files (mode and blob by path), sorted as git sorts."""
        below: dict[str, dict[str, tuple[str, str]]] = {}
        rows: list[Row] = []
        for path, file in files.items():
            top, slash, rest = path.partition("/")
            if slash:
                below.setdefault(top, {})[rest] = file
            else:
                rows.append((file[0], os.fsencode(path), file[1]))
        rows += [(FOLDER, os.fsencode(name), self.tree(inside)) for name, inside in below.items()]
        return self.raw_tree(sorted(rows, key=lambda row: row[1] + b"/" * (row[0] == FOLDER)))

    # OpenPGP

    def sign(self, who: str, data: bytes, *options: str, armor: bool = True) -> bytes:
        person = self.people[who]
        key = ["--local-user", person.fingerprint]
        return person.gpg(*(["--armor"] if armor else []), *options, *key, "--detach-sign", input=data)

    def encrypt(self, data: bytes, *names: str, options: Sequence[str] = (), hide: Sequence[str] = ()) -> bytes:
        """Encrypt for people by their certificates as they have them now."""
        with tempfile.TemporaryDirectory(prefix="cl-") as folder:
            argv = []
            for name in [*names, *hide]:
                path = f"{folder}/{name}"
                Path(path).write_bytes(self.certificate(name))
                argv += ["--hidden-recipient-file" if name in hide else "--recipient-file", path]
            return self.people["mallory"].gpg(*options, *argv, "--encrypt", input=data)

    def certificate(self, who: str, *options: str) -> bytes:
        person = self.people[who]
        return person.gpg("--armor", "--export-options", "export-minimal", *options, "--export", person.fingerprint)

    # Commits

    def signed(self, who: str | None, payload: bytes, *options: str) -> bytes:
        """Return a commit with somebody's signature in it."""
        if who is None:
            return payload
        lines = self.sign(who, payload, *options).rstrip(b"\n").split(b"\n")
        return with_header(payload, b"gpgsig " + b"\n ".join(lines))

    def payload(self, tree: str, parents: Sequence[str], who: str, message: str = "evil\n") -> bytes:
        person = f"{who} <{who}@example.org> {int(time.time())} +0000"
        head = [f"tree {tree}", *(f"parent {each}" for each in parents), f"author {person}", f"committer {person}"]
        return ("\n".join(head) + "\n\n" + message).encode()

    def store(self, commit: bytes) -> str:
        """Store a commit as it is."""
        made = self.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", input=commit).decode().strip()
        self.made.append(made)
        return made

    def commit(
        self,
        who: str | None,
        files: Mapping[str, tuple[str, str] | bytes | None] | None = None,
        *,
        tree: str = "",
        parents: Sequence[str] = (),
        message: str = "evil\n",
        options: Sequence[str] = (),
        base: str = "",
    ) -> str:
        """Commit changes of files (None: removed) on top of the parents (default: the tip), signed by somebody."""
        parents = parents or (self.tip,)
        if not tree:
            there = self.files(base or parents[0])
            for path, file in (files or {}).items():
                if file is None:
                    del there[path]
                else:
                    there[path] = (FILE, self.blob(file)) if isinstance(file, bytes) else file
            tree = self.tree(there)
        return self.store(self.signed(who, self.payload(tree, parents, who or "nobody", message), *options))

    def roster(self, commit: str = "main") -> Roster:
        last = max(path for path in self.files(commit) if path.startswith(".clave/roster/") and path.endswith(".toml"))
        return rosters.parse(self.content(last, commit))

    def with_roster(self, after: Roster, signer: str) -> dict[str, bytes | None]:
        """Return the files that a new roster brings, signed by somebody; of certificates nothing."""
        data, path = rosters.write(after), f".clave/roster/{after.seq:05}.toml"
        return {path: data, f"{path}.sig": self.sign(signer, data, armor=False), **after.gpg_ids()}

    def next_roster(self, commit: str = "main", **changes: object) -> Roster:
        before = self.roster(commit)
        return replace(before, **{"seq": before.seq + 1, "prev": before.digest, **changes})

    def secret(self, *names: str) -> bytes:
        return self.encrypt(b"planted\n", *(names or ("alice", "bob", "carol")))

    def push(self, commit: str = "", branch: str = "main") -> str:
        """Make the remote have a commit (default: the last one made) at the end of its branch."""
        commit = commit or self.made[-1]
        self.git("push", "-qf", str(self.team.remote), f"{commit}:refs/heads/{branch}")
        return commit

    def advance(self, commit: str) -> str:
        """Make what is forged from now on follow a commit."""
        self.git("update-ref", "refs/heads/main", commit)
        return commit


def with_header(commit: bytes, header: bytes) -> bytes:
    """Return a commit with one more header, the last one."""
    head, blank, message = commit.partition(b"\n\n")
    return head + b"\n" + header + blank + message


def double(person: Person) -> Person:
    """Return the same person with a key ring of their own, in which anything may be done."""
    home = Path(tempfile.mkdtemp(prefix="cl-"))
    shutil.copytree(person.gnupg, home / ".gnupg", ignore=shutil.ignore_patterns("S.*", "*.lock", ".#*"))
    (home / "tmp").mkdir()
    return Person(person.name, home, home / ".gnupg", person.fingerprint)
