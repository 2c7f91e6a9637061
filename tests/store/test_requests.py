"""A wish to join: what the newcomer makes is read; whatever else somebody pushes to such a branch is refused."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from clave.errors import VerificationFailed
from clave.store.people import requests
from clave.store.people.requests import Place, Request
from clave.vcs.git import Repository
from tests.conftest import Person, forget, make_person

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PLACE = Place("5a" * 16, "0123456789" * 4)


@pytest.fixture(scope="module")
def bob() -> Iterator[Person]:
    person = make_person("bob")
    yield person
    forget(person)


@pytest.fixture(scope="module")
def mallory() -> Iterator[Person]:
    person = make_person("mallory")
    yield person
    forget(person)


class Bench:
    """A repository in which requests are made, honest and other ones."""

    def __init__(self, folder: Path) -> None:
        subprocess.run(["git", "init", "-q", str(folder)], check=True)
        found = Repository.find(str(folder))
        assert found
        self.repository = found

    def make(self, who: Person, patch: pytest.MonkeyPatch, name: str = "bob", place: Place = PLACE) -> Request:
        for key, value in who.env().items():
            patch.setenv(key, value)
        return requests.make(self.repository, place, fingerprint=who.fingerprint, name=name)

    def git(self, *args: str, input: bytes = b"") -> str:
        return self.repository.run(*args, input=input).out.decode().strip()

    def blob(self, content: bytes) -> str:
        return self.git("hash-object", "-w", "--stdin", input=content)

    def tree(self, rows: dict[str, str]) -> str:
        return self.git("mktree", input="".join(f"{what}\t{name}\n" for name, what in rows.items()).encode())

    def files(self, request: Request) -> dict[str, str]:
        rows = (line.split("\t") for line in self.git("ls-tree", request.commit).splitlines())
        return {name: what for what, name in rows}

    def commit(self, rows: dict[str, str], signer: str | None, *more: str) -> str:
        sign = [f"-S{signer}"] if signer else []
        return self.git("commit-tree", *sign, *more, "-m", "join", self.tree(rows))

    def refused(self, branch: str, commit: str, place: Place = PLACE) -> str:
        with pytest.raises(VerificationFailed) as caught:
            requests.read(self.repository, {branch: commit}, place)[branch].result()
        return caught.value.message


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "repository")


def test_what_was_made_is_read(bench: Bench, bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    made = bench.make(bob, monkeypatch)
    assert (made.fingerprint, made.name) == (bob.fingerprint, "bob")
    assert made.certificate.startswith(b"-----BEGIN PGP PUBLIC KEY BLOCK-----")
    assert made.branch == f"refs/heads/clave-join/{bob.fingerprint}"
    read = requests.read(bench.repository, {bob.fingerprint: made.commit}, PLACE)
    assert read[bob.fingerprint].result() == made
    assert sorted(bench.files(made)) == ["certificate.asc", "request.toml"]
    assert bench.git("for-each-ref") == ""


def test_one_that_is_refused_does_not_hide_another(bench: Bench, bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    made = bench.make(bob, monkeypatch)
    branches = {"x\x1b[2J": made.commit, bob.fingerprint: made.commit, "A" * 40: "f" * 40}
    read = requests.read(bench.repository, branches, PLACE)
    assert read[bob.fingerprint].request == made
    for branch in ("x\x1b[2J", "A" * 40):
        problem = read[branch].problem
        assert problem
        assert problem.exit_code == 6
        assert "\x1b" not in problem.line()


@pytest.mark.parametrize(
    "place", [Place("6b" * 16, PLACE.genesis), Place(PLACE.store, "f" * 40)], ids=["store", "genesis"]
)
def test_it_is_for_one_store(bench: Bench, bob: Person, monkeypatch: pytest.MonkeyPatch, place: Place) -> None:
    made = bench.make(bob, monkeypatch)
    assert "another store" in bench.refused(bob.fingerprint, made.commit, place)


def test_a_name_that_no_member_can_have_is_not_wished(
    bench: Bench, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(AssertionError):
        bench.make(bob, monkeypatch, 'bob"\nname = "alice')


Rows = dict[str, str]


def _spelled_otherwise(bench: Bench, rows: Rows) -> Rows:
    text = bench.git("cat-file", "blob", rows["request.toml"].split()[-1])
    return rows | {"request.toml": f"100644 blob {bench.blob((text + chr(10) * 2).encode())}"}


# What somebody made of bob's files, signed by bob or not: the words of the refusal.
HOSTILE: dict[str, tuple[Callable[[Bench, Rows], Rows], str]] = {
    "a file more": (lambda bench, rows: rows | {"x.gpg": f"100644 blob {bench.blob(b'x')}"}, "other files"),
    "a file less": (lambda _, rows: {"request.toml": rows["request.toml"]}, "other files"),
    "nothing": (lambda *_: {}, "other files"),
    "executable": (lambda _, rows: rows | {"request.toml": "100755" + rows["request.toml"][6:]}, "other files"),
    "a link": (
        lambda bench, rows: rows | {"request.toml": f"120000 blob {bench.blob(b'/etc/passwd')}"},
        "other files",
    ),
    "a folder": (
        lambda bench, rows: rows | {"request.toml": f"040000 tree {bench.tree({'x': rows['request.toml']})}"},
        "other files",
    ),
    "large terms": (
        lambda bench, rows: rows | {"request.toml": f"100644 blob {bench.blob(b'#' * 2000)}"},
        "too large",
    ),
    "a large certificate": (
        lambda bench, rows: rows | {"certificate.asc": f"100644 blob {bench.blob(b'#' * 70_000)}"},
        "too large",
    ),
    "no certificate": (
        lambda bench, rows: rows | {"certificate.asc": f"100644 blob {bench.blob(b'hello')}"},
        "no OpenPGP certificate",
    ),
    "another spelling": (_spelled_otherwise, "not what this clave writes"),
    "a bad name": (
        lambda bench, rows: (
            rows
            | {
                "request.toml": "100644 blob "
                + bench.blob(
                    f'format = 1\nstore = "{PLACE.store}"\ngenesis = "{PLACE.genesis}"\nname = "Bob"\n'.encode()
                )
            }
        ),
        "not what this clave writes",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_else_is_in_it_is_refused(bench: Bench, bob: Person, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    change, words = HOSTILE[case]
    rows = change(bench, bench.files(bench.make(bob, monkeypatch)))
    assert words in bench.refused(bob.fingerprint, bench.commit(rows, bob.fingerprint))


def test_another_key_beside_it_or_instead_is_refused(
    bench: Bench, bob: Person, mallory: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = bench.make(mallory, monkeypatch)
    made = bench.make(bob, monkeypatch)
    assert "another key" in bench.refused(bob.fingerprint, theirs.commit)
    both = bob.gpg("--export", bob.fingerprint) + mallory.gpg("--export", mallory.fingerprint)
    rows = bench.files(made) | {"certificate.asc": f"100644 blob {bench.blob(both)}"}
    assert "more than one" in bench.refused(bob.fingerprint, bench.commit(rows, bob.fingerprint))


def test_a_secret_key_in_it_is_refused(bench: Bench, bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = bench.files(bench.make(bob, monkeypatch))
    secret = bob.gpg("--armor", "--export-secret-keys", bob.fingerprint)
    rows["certificate.asc"] = f"100644 blob {bench.blob(secret)}"
    assert "secret key" in bench.refused(bob.fingerprint, bench.commit(rows, bob.fingerprint))


def test_the_key_itself_has_to_sign(
    bench: Bench, bob: Person, mallory: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = bench.files(bench.make(bob, monkeypatch))
    bench.make(mallory, monkeypatch)  # from now on mallory is at work
    assert "not signed" in bench.refused(bob.fingerprint, bench.commit(rows, None))
    assert "not signed by the key" in bench.refused(bob.fingerprint, bench.commit(rows, mallory.fingerprint))


def test_a_signature_of_another_commit_does_not_fit(bench: Bench, bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    made = bench.make(bob, monkeypatch)
    commit = bench.git("cat-file", "commit", made.commit) + "\n"
    other = bench.git("hash-object", "-t", "commit", "-w", "--stdin", input=commit.replace("join", "JOIN").encode())
    assert "not signed by the key" in bench.refused(bob.fingerprint, other)


def test_it_has_no_past(bench: Bench, bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    made = bench.make(bob, monkeypatch)
    child = bench.commit(bench.files(made), bob.fingerprint, "-p", made.commit)
    assert "commits before it" in bench.refused(bob.fingerprint, child)


def test_it_is_a_commit(bench: Bench, bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    made = bench.make(bob, monkeypatch)
    tree = bench.git("rev-parse", f"{made.commit}^{{tree}}")
    assert "no commit" in bench.refused(bob.fingerprint, tree)
    tag = f"object {made.commit}\ntype commit\ntag t\ntagger t <t> 0 +0000\n\nt\n"
    tag_id = bench.git("hash-object", "-t", "tag", "-w", "--stdin", input=tag.encode())
    assert "no commit" in bench.refused(bob.fingerprint, tag_id)
    long = bench.git("commit-tree", "-F", "-", tree, input=b"x" * 70_000)
    assert "no commit" in bench.refused(bob.fingerprint, long)
