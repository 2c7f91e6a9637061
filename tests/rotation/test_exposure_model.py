"""Exposure is what a model says that knows the secrets themselves, on random histories of a store that anybody wrote.

Every message is made for key ids of the model's choice: nothing of this is decrypted. bob has had two subkeys, and only
an old version of his certificate in the store has the first one; dave is an id that no certificate belongs to.

More, and larger: `CLAVE_EXPOSURE=10000` makes one history of so many entries, with 3.5 versions of each.
"""

from __future__ import annotations

import os
import random
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

from clave import config
from clave.model.change import Change, compose
from clave.store.lifecycle.exposing import exposures
from clave.store.store import Store
from tests.conftest import fingerprints, forget, make_person

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

ALICE, DAVE, HIDDEN = "A" * 16, "D" * 16, "0" * 16
BOB_NAME = "Bob <bob@example.org>"
_PKESK, _SEIPD = 0xC1, 0xD2
_START = 1_700_000_000


class Bob(NamedTuple):
    """bob's certificate before and after he changed his subkey, and the ids of both; the new one is in `home`."""

    home: Path
    fingerprint: str
    old: bytes
    new: bytes
    old_id: str
    new_id: str


class Version(NamedTuple):
    """A file as it once was: its secrets (numbers), whom it is for, who made it or "" for what is only carried on."""

    blob: str
    secrets: tuple[int, ...]
    readers: frozenset[str]
    maker: str
    time: int


class World:
    """A random history, written for `git fast-import`, and the secrets in all of its files."""

    def __init__(self, seed: int, bob: Bob) -> None:
        self.random = random.Random(seed)
        self.bob = bob
        self.stream: list[bytes] = []
        self.time = _START
        self.marks = 0
        self.tip = ""
        self.bob_id = bob.old_id
        self.readers: dict[str, frozenset[str]] = {}
        self.now: dict[str, Version] = {}
        self.versions: list[Version] = []
        self.secrets = 0

    # What is known in the end.

    def known(self, keys: Collection[str], maker: str = "") -> dict[str, tuple[str, int, bool]]:
        """Return what somebody knows of what is in use: how, since when, and whether only of a part."""
        holding: dict[int, list[Version]] = {}
        for version in self.versions:
            for secret in version.secrets:
                holding.setdefault(secret, []).append(version)
        found: dict[str, tuple[str, int, bool]] = {}
        for name, now in self.now.items():
            by: dict[str, list[Version]] = {}
            for version in {each for secret in now.secrets for each in holding[secret]}:
                by.setdefault(_how(version, keys, maker), []).append(version)
            for how in ("read", "wrote", "possibly"):
                if how in by:
                    sure = [] if how == "possibly" else [*by.get("read", []), *by.get("wrote", [])]
                    whole = any(set(now.secrets) <= set(each.secrets) for each in sure or by[how])
                    found[name] = (how, min(each.time for each in by[how]), not whole)
                    break
        return found

    # What happens.

    def live(self, entries: int, versions: int) -> None:
        """Make a history with so many entries and versions, or a few more."""
        self._certificate(self.bob.old)
        while len(self.now) < entries or len(self.versions) < versions:
            if not self.now or (len(self.now) < entries and self.random.random() < entries / versions):
                self._insert(self._new_name())
            elif self.bob_id == self.bob.old_id and len(self.versions) > versions // 2:
                self.bob_id = self.bob.new_id
                self._certificate(self.bob.new)
            else:
                self.random.choice(
                    (self._insert, self._part, self._keep, self._edit, self._move, self._copy, self._restore,
                     self._fork, *((self._remove,) if self.random.random() < 0.3 else ()),
                     *((self._rekey,) if self.random.random() < 4 / len(self.now) else ()))
                )(self.random.choice([*self.now]) if len(self.now) < 1000 else self._any())  # fmt: skip

    def _any(self) -> str:
        while (name := f"f{self.random.randrange(20)}/e{self.random.randrange(len(self.now) * 2)}") not in self.now:
            pass
        return name

    def _new_name(self) -> str:
        while (name := f"f{self.random.randrange(20)}/e{self.random.randrange(len(self.now) * 2 + 10)}") in self.now:
            pass
        return name

    def _insert(self, name: str) -> None:
        fresh = tuple(self._secret() for _ in range(3))
        self._written(name, fresh, "value", f"Add given password for {name} to store.", made=True)

    def _part(self, name: str) -> None:
        """Change one field; never the first, so that what changed in part goes on to share something."""
        first, *others = self.now[name].secrets
        others[self.random.randrange(2)] = self._secret()
        self._written(name, (first, *others), "part", f"Set token of {name}.", made=True, said=True)

    def _keep(self, name: str) -> None:
        kind = self.random.choice(("meta", "rekey"))
        self._written(name, self.now[name].secrets, kind, f"Change notes of {name}.", said=True)

    def _edit(self, name: str) -> None:
        """Edit with another program: nobody knows what became of it."""
        subject = self.random.choice((f"Edit password for {name} using vim.", "by hand"))
        self._written(name, self.now[name].secrets, "", subject, made=True)

    def _move(self, name: str) -> None:
        self._carried(name, "move", f"Rename {name} to %s.", gone=True)

    def _copy(self, name: str) -> None:
        self._carried(name, "copy", f"Copy {name} to %s.", gone=False)

    def _carried(self, name: str, operation: str, subject: str, *, gone: bool) -> None:
        """Move or copy, by pass or clave, encrypted anew or not."""
        target, before = self._new_name(), self.now[name]
        anew = self.random.random() < 0.5
        after, data = self._version(target, before.secrets) if anew else (before, b"")
        change = Change("same", f"{target}.gpg", before.blob)
        said = self.random.random() < 0.5
        message = compose(subject % target, operation, [change]) if said else subject % target
        self._commit(message, "alice", {f"{target}.gpg": data or before.blob, **({f"{name}.gpg": b""} if gone else {})})
        if anew:
            after = self._seen(after)
        self.now[target] = after
        if gone:
            del self.now[name]

    def _remove(self, name: str) -> None:
        self._commit(f"Remove {name} from store.", "alice", {f"{name}.gpg": b""})
        del self.now[name]

    def _restore(self, name: str) -> None:
        """Bring something back to a place, as it is or encrypted anew."""
        before = self.random.choice(self.versions)
        if self.random.random() < 0.5:
            subject = compose(f"Restore {name}.", "restore", [Change("same", f"{name}.gpg", before.blob)])
            self._commit(subject, "alice", {f"{name}.gpg": before.blob})
            self.now[name] = before
        else:
            self._written(name, before.secrets, "same", f"Restore {name}.", said=True, source=before.blob)

    def _rekey(self, name: str) -> None:
        """Give a folder other readers, and encrypt it anew, or leave that for later."""
        folder = name.partition("/")[0]
        self.readers[folder] = self._some_readers()
        if self.random.random() < 0.7:
            names = [each for each in self.now if each.startswith(f"{folder}/")]
            made = {each: self._version(each, self.now[each].secrets) for each in names}
            subject = f"Reencrypt password store using new GPG id {ALICE} ({folder})."
            self._commit(subject, "alice", {f"{each}.gpg": data for each, (_, data) in made.items()})
            self.now.update({each: self._seen(version) for each, (version, _) in made.items()})

    def _fork(self, name: str) -> None:
        """Change two entries side by side, and bring both together."""
        other = self._new_name()
        base = self.tip
        self._insert(name)
        ours, self.tip = self.tip, base
        self._insert(other)
        theirs, self.tip = self.tip, ours
        self._commit("Merge branch 'other'", "alice", {f"{other}.gpg": self.now[other].blob}, merged=theirs)

    # How it is written.

    def _written(
        self, name: str, secrets: tuple[int, ...], kind: str, subject: str,
        *, made: bool = False, said: bool = False, source: str | None = None,
    ) -> None:  # fmt: skip
        author = self.random.choice(("alice", "alice", "alice", "bob"))
        version, data = self._version(name, secrets)
        said = said or bool(kind and self.random.random() < 0.5)
        message = compose(subject, "edit", [Change(kind, f"{name}.gpg", source)]) if said else subject
        self._commit(message, author, {f"{name}.gpg": data})
        self.now[name] = self._seen(version._replace(maker=author if made else ""))

    def _version(self, name: str, secrets: tuple[int, ...]) -> tuple[Version, bytes]:
        readers = self.readers.setdefault(name.partition("/")[0], self._some_readers())
        ids = {self.bob_id if each == self.bob.old_id else each for each in readers}
        data = b"".join(_packet(_PKESK, b"\3" + bytes.fromhex(each) + b"\x12" + b"\1" * 20) for each in sorted(ids))
        data += _packet(_SEIPD, b"\1" + self.random.randbytes(60))
        blob = _blob_id(data)
        return Version(blob, secrets, frozenset(ids), "", self.time + 60), data

    def _seen(self, version: Version) -> Version:
        self.versions.append(version._replace(time=self.time))
        return self.versions[-1]

    def _some_readers(self) -> frozenset[str]:
        some = {each for each in (self.bob.old_id, DAVE) if self.random.random() < 0.3}
        return frozenset({ALICE, *some, *([HIDDEN] if self.random.random() < 0.1 else [])})

    def _secret(self) -> int:
        self.secrets += 1
        return self.secrets

    def _certificate(self, data: bytes) -> None:
        self._commit("Add a key", "alice", {f".public-keys/{self.bob.fingerprint}": data})

    def _commit(self, message: str, author: str, files: dict[str, bytes | str], merged: str = "") -> None:
        """Write a commit: a file is its content, a blob that is there, or b"" for one that goes."""
        self.time += 60
        self.marks += 1
        text = message.encode()
        who = f"{author} <{author}@example.org> {self.time} +0000".encode()
        parts = [b"commit refs/heads/main\nmark :%d\nauthor %s\ncommitter %s\n" % (self.marks, who, who)]
        parts.append(b"data %d\n%s\n" % (len(text), text))
        parts += [b"from %s\n" % self.tip.encode()] if self.tip else []
        parts += [b"merge %s\n" % merged.encode()] if merged else []
        for path, data in files.items():
            if isinstance(data, str):
                parts.append(b"M 100644 %s %s\n" % (data.encode(), path.encode()))
            elif data:
                parts.append(b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(data), data))
            else:
                parts.append(b"D %s\n" % path.encode())
        self.stream.append(b"".join(parts) + b"\n")
        self.tip = f":{self.marks}"


def _how(version: Version, keys: Collection[str], maker: str) -> str:
    if not version.readers.isdisjoint(keys):
        return "read"
    if maker and version.maker == maker:
        return "wrote"
    return "possibly" if HIDDEN in version.readers else "not"


def _packet(tag: int, body: bytes) -> bytes:
    return bytes((tag, len(body))) + body


def _blob_id(data: bytes) -> str:
    import hashlib

    return hashlib.sha1(b"blob %d\0%s" % (len(data), data), usedforsecurity=False).hexdigest()


@pytest.fixture(scope="module")
def bob(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bob]:
    """bob, and a key ring of somebody who knows him as he is now."""
    person = make_person("bob")
    old = person.gpg("--armor", "--export", person.fingerprint)
    person.gpg("--passphrase", "", "--quick-add-key", person.fingerprint, "cv25519", "encr", "never")
    _, first, second = fingerprints(person)
    new = person.gpg("--armor", "--export-filter", f"drop-subkey=fpr = {first}",
                     "--export", person.fingerprint)  # fmt: skip
    other = make_person("observer")
    other.gpg("--import", input=new)
    yield Bob(other.gnupg, person.fingerprint, old, new, first[-16:], second[-16:])
    forget(person)
    forget(other)


def _compare(world: World, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)
    subprocess.run(["git", "-C", str(folder), "fast-import", "--quiet"], check=True, input=b"".join(world.stream))
    subprocess.run(["git", "-C", str(folder), "reset", "-q", "--hard"], check=True)
    monkeypatch.setenv("GNUPGHOME", str(world.bob.home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder.with_name("cache")))
    store = Store(str(folder), config.load(os.environ))
    bobs = {world.bob.old_id, world.bob.new_id}
    everybody = {BOB_NAME: (bobs, "bob"), DAVE: ({DAVE}, ""), ALICE: ({ALICE}, "")}
    for _ in range(2):  # from the history, and from what was remembered of it
        for who, (keys, maker) in everybody.items():
            found = {each.name: (each.how, each.since, each.partly) for each in exposures(store, who).values}
            assert found == world.known(keys, maker), who
    former = {(each.who, each.name) for each in exposures(store, None).values}
    assert former == {
        (who, name)
        for who, (keys, maker) in everybody.items()
        for name, (how, _, _) in world.known(keys, maker).items()
        if how == "read" and world.now[name].readers.isdisjoint(keys)
    }


@pytest.mark.parametrize("seed", range(4))
def test_exposure_is_what_a_model_knows(seed: int, bob: Bob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(seed, bob)
    world.live(entries=40, versions=140)
    _compare(world, tmp_path / "store", monkeypatch)


@pytest.mark.skipif("CLAVE_EXPOSURE" not in os.environ, reason="takes minutes; CLAVE_EXPOSURE=10000 runs it")
def test_exposure_of_a_large_store(bob: Bob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = int(os.environ["CLAVE_EXPOSURE"])
    world = World(1, bob)
    world.live(entries, versions=entries * 7 // 2)
    _compare(world, tmp_path / "store", monkeypatch)
