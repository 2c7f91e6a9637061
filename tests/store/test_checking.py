"""The state of a commit's signature, found out in process, is the one that git and gpg give; and it is kept."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from clave.store.trust import checking
from clave.vcs.git import Repository
from clave.vcs.history import opened
from clave.vcs.signed import split
from tests.conftest import Person, make_person

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

THEN, LATER = "20200101T000000", "20200601T000000"
SIGN = """#!/bin/sh
exec gpg {options} "$@"
"""


class World:
    """A repository with commits by keys of every state, as Alice sees them."""

    def __init__(self, alice: Person, folder: Path) -> None:
        self.alice = alice
        self.folder = folder
        self.commits: dict[str, str] = {}
        self.git("init", "-q", "-b", "main")

    def git(self, *args: str, input: bytes = b"", **more: str) -> str:
        done = subprocess.run(
            ["git", "-C", self.folder, *args], input=input, check=True, capture_output=True, env=self.alice.env(**more)
        )
        return done.stdout.decode().strip()

    def commit(self, name: str, key: str | None = None, *options: str) -> str:
        """Make a commit signed with a key; gpg gets the options."""
        program = self.alice.home / "signing-gpg"
        program.write_text(SIGN.format(options=" ".join(options)))
        program.chmod(0o755)
        signing = ["-S", f"--gpg-sign={key}"] if key else ["--no-gpg-sign"]
        self.git("-c", f"gpg.program={program}", "commit", "-q", "--allow-empty", "-m", name, *signing)
        self.commits[name] = self.git("rev-parse", "HEAD")
        return self.commits[name]

    def altered(self, name: str, of: str, change: Callable[[str], str]) -> None:
        """Make a commit from another one's bytes."""
        raw = change(self.git("cat-file", "commit", self.commits[of]) + "\n")
        self.commits[name] = self.git("hash-object", "-t", "commit", "-w", "--stdin", input=raw.encode())


@pytest.fixture(scope="module")
def world(people: Callable[..., list[Person]]) -> Iterator[World]:
    alice, bob = people("alice", "bob")
    world = World(alice, Path(tempfile.mkdtemp()))
    stranger, unknown = make_person("stranger"), make_person("unknown")
    for person in (bob, stranger, unknown):
        alice.gpg("--import", input=person.gpg("--export-secret-keys", person.fingerprint))
    quick = ("--passphrase", "", "--quick-gen-key")
    made: dict[str, str] = {}
    for name, options, ends in (("expired", ("--faked-system-time", f"{THEN}!"), "1y"), ("revoked", (), "never")):
        alice.gpg(*options, *quick, f"{name} <{name}@example.org>", "ed25519", "cert,sign", ends)
        listing = alice.gpg("--list-keys", "--with-colons", name).decode().splitlines()
        made[name] = next(line.split(":")[9] for line in listing if line.startswith("fpr"))
    alice.gpg("--passphrase", "", "--quick-add-key", alice.fingerprint, "ed25519", "sign")

    world.commit("unsigned")
    world.commit("own", f"{alice.fingerprint}!")
    world.commit("by a subkey", alice.fingerprint)
    world.commit("certified", bob.fingerprint)
    world.commit("not certified", stranger.fingerprint)
    world.commit("expired since", made["expired"], "--faked-system-time", f"{LATER}!")
    world.commit("revoked since", made["revoked"])
    world.commit("a weak hash", alice.fingerprint, "--digest-algo SHA1 --weak-digest MD5")
    world.commit("text mode", alice.fingerprint, "--textmode")
    world.commit("with an end", alice.fingerprint, "--default-sig-expire 1y")
    world.commit("unknown", unknown.fingerprint)
    world.altered("another text", "own", lambda raw: raw.replace("\n\nown", "\n\nOwn"))
    world.altered("another parent", "own", lambda raw: raw.replace("author alice", "author mallory"))
    world.altered("twice", "own", lambda raw: raw.replace("committer", signature(raw) + "committer", 1))
    world.altered("two in one", "own", lambda raw: raw.replace("gpgsig", signature(raw) + "gpgsig", 1))
    world.altered("cut", "own", lambda raw: raw.replace("-----END", "=AAAA\n -----END", 1))

    revocation = (alice.gnupg / "openpgp-revocs.d" / f"{made['revoked']}.rev").read_bytes()
    alice.gpg("--import", input=revocation.replace(b"\n:-----", b"\n-----"))
    alice.gpg("--yes", "--delete-secret-and-public-key", unknown.fingerprint)
    for person in (stranger, unknown):
        subprocess.run(["gpgconf", "--kill", "all"], env=person.env(), check=False)
        shutil.rmtree(person.home)
    yield world
    shutil.rmtree(world.folder)


def signature(raw: str) -> str:
    """Return the header with the signature, its last newline included."""
    start = raw.index("gpgsig")
    end = raw.index("-----END PGP SIGNATURE-----", start)
    return raw[start : raw.index("\n", end) + 1]


@pytest.fixture
def as_alice(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in world.alice.env(XDG_CACHE_HOME=str(tmp_path)).items():
        monkeypatch.setenv(name, value)


def checked(world: World, *names: str) -> dict[str, object]:
    repository = Repository.find(str(world.folder))
    assert repository is not None
    with opened(repository) as history:
        return checking.check(history, [world.commits[name] for name in names])


def test_every_state_is_what_git_says(world: World, as_alice: None) -> None:
    repository = Repository.find(str(world.folder))
    assert repository is not None
    with opened(repository) as history:
        wanted = history.signatures(list(world.commits.values()))
        for _ in range(2):  # the second time from the cache
            assert checking.check(history, list(world.commits.values())) == wanted
    states = {name: wanted[commit].state for name, commit in world.commits.items()}
    assert states["own"] == states["by a subkey"] == states["certified"] == "good"
    assert states["not certified"] == "untrusted"
    assert states["expired since"] == "expired"
    assert states["revoked since"] == "revoked"
    assert states["unknown"] == "unknown-key"
    assert states["unsigned"] == "unsigned"
    assert states["another text"] == states["another parent"] == "bad"


def test_good_ones_start_no_gpg_each(
    world: World, as_alice: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pysequoia")
    log = tmp_path / "log"
    program = tmp_path / "gpg"
    program.write_text(f'#!/bin/sh\necho run >>"{log}"\nexec {shutil.which("gpg")} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    names = ["own", "by a subkey", "certified", "not certified", "expired since"]
    for name in range(40):
        if f"more {name}" not in world.commits:
            world.commit(f"more {name}", world.alice.fingerprint)
    names += [f"more {name}" for name in range(40)]
    log.write_text("")
    first = checked(world, *names)
    assert len(log.read_text().split()) == 2  # the export, and the listing
    log.write_text("")
    assert checked(world, *names) == first
    assert len(log.read_text().split()) == 1  # the listing


def test_a_broken_cache_is_no_harm(world: World, as_alice: None, tmp_path: Path) -> None:
    wanted = checked(world, "own", "another text")
    cache = tmp_path / "clave" / "signatures"
    assert cache.read_text().split() == [
        world.commits["own"],
        checking.keys.signers([world.alice.fingerprint])[world.alice.fingerprint].fingerprint,
    ]
    assert cache.stat().st_mode & 0o777 == 0o600
    # A line that was cut off, and one of another kind.
    cache.write_bytes(b"\xff\n" + world.commits["another text"].encode()[:20] + b"\n" + b"x y z\n")
    assert checked(world, "own", "another text") == wanted


def test_without_sequoia_git_says_all(world: World, as_alice: None, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    wanted = checked(world, "own", "not certified")
    shutil.rmtree(os.environ["XDG_CACHE_HOME"])
    monkeypatch.setitem(sys.modules, "pysequoia", None)
    assert checked(world, "own", "not certified") == wanted
    assert not os.path.exists(os.environ["XDG_CACHE_HOME"])


def test_what_is_cut_out_of_a_commit() -> None:
    raw = b"tree 1\nparent 2\nauthor a\ngpgsig -----BEGIN\n \n one\n -----END\nencoding x\n\nmessage\n\ngpgsig no\n"
    signed = split(raw)
    assert signed is not None
    assert signed.payload == b"tree 1\nparent 2\nauthor a\nencoding x\n\nmessage\n\ngpgsig no\n"
    assert signed.signature == b"-----BEGIN\n\none\n-----END\n"
    assert split(b"tree 1\nauthor a\n\ngpgsig in the message\n") is None
    assert split(raw.replace(b"encoding x", b"gpgsig-sha256 x")) is None
    assert split(raw.replace(b"encoding x", b"gpgsig x")) is None
    assert split(b"tree 1\ngpgsig x") is None
