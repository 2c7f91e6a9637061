"""Fixtures that all tests share: people with keys of their own, clave and pass run as a user would.

Every person has a GNUPGHOME in a short folder (gpg-agent's socket path is limited to about 100 characters),
with all people's public keys imported and certified; its agent is stopped at the end.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.warm import OF_THE_START, Warm

Run = Callable[..., "Output"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: the workers end at the same time then."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@dataclass(frozen=True)
class Output:
    """What a program left: exit code, stdout and stderr."""

    code: int
    out: bytes
    err: bytes


@dataclass(frozen=True)
class Person:
    """Somebody with a key: `home` is HOME, `gnupg` GNUPGHOME, `fingerprint` of the primary key."""

    name: str
    home: Path
    gnupg: Path
    fingerprint: str

    @property
    def email(self) -> str:
        return f"{self.name}@example.org"

    def env(self, store: Path | None = None, **more: str) -> dict[str, str]:
        """Return a clean environment in which this person works; variables of `more` are added."""
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "GNUPGHOME": str(self.gnupg),
            "TMPDIR": str(self.home / "tmp"),
            "LC_ALL": "C.UTF-8",
            "TERM": "dumb",
            "GIT_AUTHOR_NAME": self.name,
            "GIT_AUTHOR_EMAIL": self.email,
            "GIT_COMMITTER_NAME": self.name,
            "GIT_COMMITTER_EMAIL": self.email,
        }
        if store is not None:
            env["PASSWORD_STORE_DIR"] = str(store)
        return {**env, **more}

    def gpg(self, *args: str, input: bytes = b"", check: bool = True) -> bytes:
        """Run gpg as this person and return its stdout."""
        done = subprocess.run(
            ["gpg", "--batch", "--quiet", *args], input=input, env=self.env(), capture_output=True, check=False
        )
        assert not check or done.returncode == 0, done.stderr.decode()
        return done.stdout


def run_as(person: Person, store: Path | None, argv: list[str], *, input: bytes = b"", **more: str) -> Output:
    """Run a program as `person`, with `input` on its stdin; more keywords are environment variables."""
    done = subprocess.run(argv, input=input, env=person.env(store, **more), capture_output=True, check=False)
    return Output(done.returncode, done.stdout, done.stderr)


def run_clave(person: Person, store: Path | None, *args: str, input: bytes = b"", **more: str) -> Output:
    """Run clave as `person`, without a start of Python where that can be (see warm.py)."""
    if any(name.startswith(OF_THE_START) for name in more):
        return start_clave(person, store, *args, input=input, **more)
    return Output(*_warm().run(args, person.env(store, **more), input))


def start_clave(person: Person, store: Path | None, *args: str, input: bytes = b"", **more: str) -> Output:
    """Start clave as `person`, as a user does."""
    return run_as(person, store, [sys.executable, "-m", "clave", *args], input=input, **more)


@cache
def _warm() -> Warm:
    return Warm()


def pytest_sessionfinish() -> None:
    """End the process that starts clave, if a test has used it."""
    if _warm.cache_info().currsize:
        _warm().close()


def make_person(name: str, *, expire: str = "never") -> Person:
    """Make a person with an unprotected ed25519 and cv25519 key in a home of their own."""
    home = Path(tempfile.mkdtemp(prefix="cl-"))
    gnupg = home / ".gnupg"
    gnupg.mkdir(mode=0o700)
    (home / "tmp").mkdir()
    person = Person(name, home, gnupg, "")
    user_id = f"{name.capitalize()} <{person.email}>"
    person.gpg("--passphrase", "", "--quick-gen-key", user_id, "ed25519", "cert,sign", expire)
    fingerprint = fingerprints(person)[0]
    person.gpg("--passphrase", "", "--quick-add-key", fingerprint, "cv25519", "encr", expire)
    return Person(name, home, gnupg, fingerprint)


def fingerprints(person: Person) -> list[str]:
    """Return the fingerprints of all keys and subkeys in a person's keyring, in its order."""
    listing = person.gpg("--list-keys", "--with-colons").decode()
    return [line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr:")]


def introduce(person: Person, other: Person) -> None:
    """Give `person` the public key of `other` and let them certify it."""
    person.gpg("--import", input=other.gpg("--export", other.fingerprint))
    person.gpg("--yes", "--quick-lsign-key", other.fingerprint)


def forget(person: Person) -> None:
    """Stop a person's agent and remove their home."""
    subprocess.run(["gpgconf", "--kill", "all"], env=person.env(), check=False)
    shutil.rmtree(person.home, ignore_errors=True)


@pytest.fixture(scope="module")
def people() -> Iterator[Callable[..., list[Person]]]:
    """Return a function that makes people by name, each knowing all the others of the same call."""
    made: list[Person] = []

    def make(*names: str) -> list[Person]:
        group = [make_person(name) for name in names]
        made.extend(group)
        for person in group:
            for other in group:
                if other is not person:
                    introduce(person, other)
        return group

    yield make
    for person in made:
        forget(person)


@pytest.fixture(scope="module")
def alice(people: Callable[..., list[Person]]) -> Person:
    """One person with a key."""
    return people("alice")[0]


@pytest.fixture(scope="session")
def clave() -> Run:
    """Return a function that runs clave: `clave(person, store, "show", "x", input=b"")`."""
    return run_clave


@pytest.fixture(scope="session")
def program() -> Run:
    """Return the same function for clave started as a user does."""
    return start_clave


@pytest.fixture(scope="session")
def run_pass() -> Run:
    """Return a function that runs Debian's pass: the same arguments as `clave`."""

    def run(person: Person, store: Path | None, *args: str, input: bytes = b"", **more: str) -> Output:
        return run_as(person, store, ["pass", *args], input=input, **more)

    return run
