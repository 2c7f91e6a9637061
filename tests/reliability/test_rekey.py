"""A re-encryption of many entries that is stopped: nothing is changed, and the next one goes on where it was.

CLAVE_REKEY is the number of entries (100 without it; of fewer than eight that are left, gpg itself would open each).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from clave.store import layout
from tests.conftest import Output, Person, forget, introduce, make_person, run_as, run_clave
from tests.reliability.checks import assert_explained, commits_since, git, head

if TYPE_CHECKING:
    from collections.abc import Iterator

COUNT = int(os.environ.get("CLAVE_REKEY", "100"))
STOPPED = Path(__file__).with_name("stopped.py")


@dataclass
class Many:
    """A store of alice's with many entries, to which bob shall be added."""

    alice: Person
    bob: Person
    store: Path
    versioned: bool
    plaintexts: dict[str, bytes]

    @property
    def kept(self) -> Path:
        return Path(layout.kept_file(str(self.store), str(self.store / ".git") if self.versioned else None))

    def clave(self, *words: str, input: bytes = b"") -> Output:
        return run_clave(self.alice, self.store, *words, input=input)

    def stopped(self, what: str, number: int, *words: str) -> tuple[Output, int]:
        """Run clave, which meets something; return what it left, and how often the agent had to work."""
        count = self.alice.home / "count"
        argv = [sys.executable, str(STOPPED), what, str(number), str(count), *words]
        return run_as(self.alice, self.store, argv), int(count.read_text())

    def add_bob(self, what: str = "nothing", number: int = 0) -> tuple[Output, int]:
        return self.stopped(what, number, "init", self.alice.fingerprint, self.bob.fingerprint)

    def state(self) -> dict[str, bytes | str]:
        """Return all that a re-encryption which was stopped may not have changed."""
        files = {
            str(path.relative_to(self.store)): path.read_bytes()
            for path in self.store.rglob("*")
            if path.is_file() and ".git" not in path.parts and path != self.kept
        }
        if not self.versioned:
            return dict(files)
        return {**files, "HEAD": head(self.store), "status": git(self.store, "status", "--porcelain").decode()}

    def opened_by(self, person: Person) -> dict[str, bytes]:
        """Return what gpg alone makes of all entries."""
        copy = person.home / "copy"
        shutil.copytree(self.store, copy, ignore=shutil.ignore_patterns(".git"))
        paths = [str(path) for path in copy.rglob("*.gpg")]
        person.gpg("--decrypt-files", *paths)
        opened = {name: (copy / name).read_bytes() for name in layout.own_entries(str(copy))}
        shutil.rmtree(copy)
        return opened


@pytest.fixture(scope="module")
def two() -> Iterator[tuple[Person, Person]]:
    """Alice and bob, whose agents nobody else minds."""
    alice, bob = make_person("alice"), make_person("bob")
    introduce(alice, bob)
    yield alice, bob
    forget(alice)
    forget(bob)


@pytest.fixture(scope="module")
def template(two: tuple[Person, Person], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    store = tmp_path_factory.mktemp("many") / "store"
    alice, _ = two
    texts = [f"canary-{number:04}\n".encode() for number in range(10)]
    messages = [alice.gpg("-e", "-r", alice.fingerprint, input=text) for text in texts]
    plaintexts = {f"folder-{number % 3}/entry-{number:04}": texts[number % 10] for number in range(COUNT)}
    for number, name in enumerate(plaintexts):
        path = store / f"{name}.gpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(messages[number % 10])
    (store / ".gpg-id").write_text(f"{alice.fingerprint}\n")
    return store, plaintexts


@pytest.fixture
def many(
    two: tuple[Person, Person],
    template: tuple[Path, dict[str, bytes]],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Many:
    store = tmp_path / "store"
    shutil.copytree(template[0], store)
    versioned = getattr(request, "param", "git") == "git"
    if versioned:
        git(store, "init", "-q", "-b", "main")
        git(store, "add", ".")
        git(store, "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "-m", "all")
    return Many(*two, store, versioned, dict(template[1]))


def assert_done(many: Many, before: dict[str, bytes | str]) -> None:
    """Bob reads everything, in one commit, and nothing is left over."""
    assert many.opened_by(many.bob) == many.opened_by(many.alice) == many.plaintexts
    assert not many.kept.exists()
    assert not [path for path in many.store.rglob(".clave-*")]
    if many.versioned:
        (message,) = commits_since(many.store, str(before["HEAD"]))
        assert message.count("Clave-Change: rekey ") == COUNT
        assert git(many.store, "status", "--porcelain") == b""
        assert git(many.store, "fsck", "--strict", "--no-dangling", "--no-progress") == b""


@pytest.mark.parametrize("many", ["git", "plain"], indirect=True)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_killed_it_goes_on_where_it_was(many: Many, share: float) -> None:
    before, number = many.state(), round(COUNT * share)
    done, asked = many.add_bob("kill", number)
    assert done.code == -9
    assert many.state() == before
    assert many.opened_by(many.alice) == many.plaintexts
    assert many.kept.stat().st_mode & 0o777 == 0o600
    assert b"canary" not in many.kept.read_bytes()
    assert many.clave("ls").code == many.clave("folder-0/entry-0000").code == 0  # it is in nobody's way
    done, asked = many.add_bob()
    assert done.code == 0, done.err
    assert asked == COUNT - number
    assert_done(many, before)


def test_what_was_kept_is_for_its_readers_and_files_alone(many: Many) -> None:
    number = COUNT * 9 // 10
    many.add_bob("kill", number)
    name = "folder-0/entry-0000"
    assert many.clave("insert", "-m", "-f", name, input=b"canary-new\n").code == 0
    many.plaintexts[name] = b"canary-new\n"
    before = many.state()
    assert many.kept.exists()
    done, asked = many.add_bob("kill", 1)
    assert done.code == -9
    assert many.state() == before
    # One more is made than were left: the entry that has changed; then one more was made and is kept.
    done, asked = many.add_bob()
    assert (done.code, asked) == (0, COUNT - number)
    assert_done(many, before)


def test_other_readers_begin_anew(many: Many) -> None:
    many.add_bob("kill", COUNT * 9 // 10)
    done, asked = many.stopped("nothing", 0, "init", many.bob.fingerprint)
    assert (done.code, asked) == (0, COUNT)
    assert many.opened_by(many.bob) == many.plaintexts
    assert not many.kept.exists()


def test_a_file_of_nonsense_is_no_help_and_no_harm(many: Many) -> None:
    many.add_bob("kill", COUNT // 2)
    before, data = many.state(), bytearray(many.kept.read_bytes())
    data[len(data) // 2] ^= 1
    many.kept.write_bytes(data)
    done, asked = many.add_bob()
    assert done.code == 0
    assert COUNT // 2 < asked < COUNT
    assert_done(many, before)


def test_interrupted_it_says_how_to_go_on(many: Many) -> None:
    before, number = many.state(), COUNT // 2
    done, _ = many.add_bob("interrupt", number)
    assert_explained(done, 130, f"nothing was changed. Run it again: it goes on after {number} of {COUNT}.")
    assert many.state() == before
    report = many.clave("doctor").out.decode()
    assert f"a re-encryption was stopped: {number} of the new files are kept" in report
    assert many.add_bob()[1] == COUNT - number
    assert_done(many, before)


def test_doctor_drops_what_is_kept(many: Many) -> None:
    many.add_bob("kill", COUNT // 2)
    assert "fixed rekey" in many.clave("doctor", "--fix").out.decode()
    assert not many.kept.exists()


def test_it_goes_when_all_is_as_it_should_be(many: Many) -> None:
    many.add_bob("kill", COUNT // 2)
    assert many.clave("rekey").err == b"Every entry is encrypted as it should be.\n"
    assert not many.kept.exists()


def test_an_agent_that_ends_stops_it(many: Many) -> None:
    before, number = many.state(), COUNT // 2
    done, asked = many.add_bob("agent", number)
    # A few were under way: opened, and not encrypted yet.
    assert_explained(done, 4, "stays locked: gpg-agent has ended", "Run it again: it goes on after ")
    assert number < asked < number + 12
    assert many.state() == before
    assert COUNT - asked <= many.add_bob()[1] <= COUNT - number
    assert_done(many, before)


def test_one_file_that_is_not_for_me(many: Many) -> None:
    """Nobody is asked for anything, and nothing is written."""
    bobs = many.bob.gpg("-e", "-r", many.bob.fingerprint, input=b"bob's\n")
    for name in ("folder-1/entry-0001", "folder-2/entry-0002"):
        (many.store / f"{name}.gpg").write_bytes(bobs)
    git(many.store, "-c", "user.name=a", "-c", "user.email=a@e", "commit", "-q", "-a", "-m", "bob's")
    before = many.state()
    done, asked = many.add_bob()
    assert_explained(done, 4, "2 entries cannot be decrypted (folder-1/entry-0001, folder-2/entry-0002)")
    assert asked == 0
    assert many.state() == before
    assert not many.kept.exists()


def test_a_damaged_file_is_named_at_the_end_and_the_rest_is_kept(many: Many) -> None:
    path = many.store / "folder-1/entry-0001.gpg"
    damaged = bytearray(path.read_bytes())
    damaged[-3] ^= 1
    path.write_bytes(damaged)
    git(many.store, "-c", "user.name=a", "-c", "user.email=a@e", "commit", "-q", "-a", "-m", "damaged")
    before = many.state()
    done, _ = many.add_bob()
    assert_explained(done, 4, "folder-1/entry-0001 is damaged")
    assert many.state() == before
    assert many.clave("rm", "-f", "folder-1/entry-0001").code == 0
    done, asked = many.add_bob()
    assert (done.code, asked) == (0, 0)
    del many.plaintexts["folder-1/entry-0001"]
    assert many.opened_by(many.bob) == many.plaintexts


def test_everything_that_stands_in_the_way_is_told_at_once(many: Many) -> None:
    """A key that has expired, one that is not there, a file of somebody else's."""
    alice = many.alice
    past = ("--faked-system-time", "20200101T000000!")
    alice.gpg(*past, "--passphrase", "", "--quick-gen-key", "gone@example.org", "future-default", "default", "1y")
    (many.store / "folder-0/.gpg-id").write_text(f"{alice.fingerprint}\ngone@example.org\n")
    (many.store / "folder-1/.gpg-id").write_text(f"{alice.fingerprint}\nnobody@example.org\n")
    bobs = many.bob.gpg("-e", "-r", many.bob.fingerprint, input=b"bob's\n")
    (many.store / "folder-2/entry-0002.gpg").write_bytes(bobs)
    git(many.store, "add", ".")
    git(many.store, "-c", "user.name=a", "-c", "user.email=a@e", "commit", "-q", "-a", "-m", "all of it")
    before = many.state()
    done, asked = many.stopped("nothing", 0, "rekey")
    assert_explained(done, 5, "gone@example.org", "expired on", "nobody@example.org", "folder-2/entry-0002")
    assert asked == 0
    assert many.state() == before
    check = many.clave("rekey", "--check")
    assert check.code == 5
    assert check.out.startswith(b"folder-2/entry-0002: not for Alice")
    alice.gpg("--yes", "--delete-secret-and-public-key", key_of(alice, "gone@example.org"))


def key_of(person: Person, name: str) -> str:
    listing = person.gpg("--list-keys", "--with-colons", name).decode()
    return next(line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr:"))


def test_an_uncommitted_change_is_told_before_any_work(many: Many) -> None:
    (many.store / "folder-2/entry-0002.gpg").write_bytes((many.store / "folder-0/entry-0000.gpg").read_bytes())
    before = many.state()
    done, asked = many.add_bob()
    assert_explained(done, 7, "folder-2/entry-0002.gpg has changes")
    assert asked == 0
    assert many.state() == before


def test_moving_a_folder_is_resumed_too(many: Many) -> None:
    (many.store / "theirs").mkdir()
    (many.store / "theirs/.gpg-id").write_text(f"{many.alice.fingerprint}\n{many.bob.fingerprint}\n")
    (many.store / "all").mkdir()
    for number in range(3):
        (many.store / f"folder-{number}").rename(many.store / f"all/folder-{number}")
    git(many.store, "add", "-A")
    git(many.store, "-c", "user.name=a", "-c", "user.email=a@e", "commit", "-q", "-m", "folders")
    before = many.state()
    assert many.stopped("kill", COUNT // 2, "mv", "all/", "theirs")[0].code == -9
    assert many.state() == before
    done, asked = many.stopped("nothing", 0, "mv", "all/", "theirs")
    assert (done.code, asked) == (0, COUNT - COUNT // 2)
    assert many.opened_by(many.bob) == {f"theirs/all/{name}": text for name, text in many.plaintexts.items()}
    assert not many.kept.exists()


@pytest.fixture(autouse=True)
def agent(two: tuple[Person, Person]) -> Iterator[None]:
    """Leave no agent that is about to end to the next test."""
    yield
    subprocess.run(["gpgconf", "--launch", "gpg-agent"], env=two[0].env(), check=True)
