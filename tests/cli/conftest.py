"""What the tests of the commands share: people, and a store to begin with."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.cli.reading import on_terminal
from tests.conftest import Output, Person, Run, forget, introduce, make_person

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pexpect

SEED = "otpauth://totp/Example:me?secret=JBSWY3DPEHPK3PXP&issuer=Example"

ENTRIES = {
    "plain": b"canary-plain\n",
    "web/site": f"canary-pw\nuser: me\nurl: https://example.org\nfree text\n{SEED}\n".encode(),
    "web/bin": bytes(range(256)) * 3,
    "team/db": b"canary-team\nlogin: us\n",
}


@dataclass(frozen=True)
class User:
    """Somebody at work in a store of their own."""

    person: Person
    store: Path
    start: Run

    def run(self, *args: str, input: bytes = b"", **env: str) -> Output:
        return self.start(self.person, self.store, *args, input=input, **env)

    def ok(self, *args: str, input: bytes = b"", **env: str) -> Output:
        """Run what must succeed."""
        done = self.run(*args, input=input, **env)
        assert done.code == 0, done
        return done

    def refused(self, code: int, *args: str, input: bytes = b"", **env: str) -> str:
        """Run what must fail with this code, one line, nothing on stdout and nothing changed; return the line."""
        before = self.state()
        done = self.run(*args, input=input, **env)
        line = one_line(done, code)
        assert self.state() == before
        return line

    def tty(self, *args: str, **env: str) -> pexpect.spawn:
        return on_terminal(self.person, self.store, *args, **env)

    def read(self, name: str) -> bytes:
        """Return what gpg alone makes of an entry's file."""
        return self.person.gpg("-d", input=(self.store / f"{name}.gpg").read_bytes())

    def readers(self, name: str) -> set[str]:
        """Return the key ids that a file is encrypted to."""
        packets = self.person.gpg("--list-only", "--list-packets", str(self.store / f"{name}.gpg"), check=False)
        return {line.split()[-1] for line in packets.decode().splitlines() if line.startswith(":pubkey enc")}

    def git(self, *args: str) -> str:
        argv = ["git", "-C", str(self.store), *args]
        return subprocess.run(argv, env=self.person.env(), capture_output=True, text=True, check=True).stdout

    def subjects(self) -> list[str]:
        """Return the subjects of all commits, the newest first."""
        return self.git("log", "--format=%s").splitlines()

    def state(self) -> dict[str, object]:
        """Return everything that a refused command may not change: files, commits, settings."""
        files = {
            str(path.relative_to(self.store)): path.read_bytes() if path.is_file() else None
            for path in sorted(self.store.rglob("*"))
            if ".git" not in path.relative_to(self.store).parts
        }
        refs = sorted((self.store / ".git/refs").rglob("*")) if (self.store / ".git/refs").is_dir() else []
        head = [path.read_bytes() for path in (self.store / ".git/HEAD", *refs) if path.is_file()]
        config = self.person.home / ".config/clave/config.toml"
        return {**files, "commits": head, "config": config.read_bytes() if config.is_file() else None}


def one_line(done: Output, code: int) -> str:
    """Assert that a command failed as every command should, and return what it said."""
    line = done.err.decode()
    assert done.code == code, done
    assert done.out == b""
    assert line.startswith("Error: ")
    assert line.endswith("\n")
    assert line.count("\n") == 1, line
    assert "Traceback" not in line
    assert "internal error" not in line
    return line


@pytest.fixture(scope="session")
def team() -> Iterator[tuple[Person, Person]]:
    """Alice and bob, who know each other."""
    alice, bob = make_person("alice"), make_person("bob")
    introduce(alice, bob)
    introduce(bob, alice)
    yield alice, bob
    forget(alice)
    forget(bob)


@pytest.fixture(scope="session")
def template(team: tuple[Person, Person], clave: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of alice in git, of whose folder `team` bob is a reader too."""
    alice, bob = team
    root = tmp_path_factory.mktemp("template") / "store"
    assert clave(alice, root, "init", alice.fingerprint).code == 0
    assert clave(alice, root, "init", "-p", "team", alice.fingerprint, bob.fingerprint).code == 0
    for name, plaintext in ENTRIES.items():
        assert clave(alice, root, "insert", "--file", "-", name, input=plaintext).code == 0
    return root


@pytest.fixture
def me(team: tuple[Person, Person], template: Path, clave: Run, tmp_path: Path) -> Iterator[User]:
    """Alice in a copy of the template, without settings of an earlier test."""
    alice, _ = team
    shutil.copytree(template, tmp_path / "store", symlinks=True)
    yield User(alice, tmp_path / "store", clave)
    for folder in (".config", ".cache", ".local"):
        shutil.rmtree(alice.home / folder, ignore_errors=True)


@pytest.fixture(scope="session")
def subkey(team: tuple[Person, Person]) -> Callable[[str], str]:
    """Return a function from a person's name to the long id of their encryption subkey."""
    ids = {}
    for person in team:
        listing = person.gpg("--list-keys", "--with-colons", person.fingerprint).decode()
        ids[person.name] = next(line.split(":")[4] for line in listing.splitlines() if line.startswith("sub:"))
    return ids.__getitem__
