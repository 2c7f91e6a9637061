"""A key that the agent will not use: why not is said, exit code 4, and nobody is asked twice.

The pinentries are scripts that speak pinentry's protocol and count how often they are asked for a passphrase.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.conftest import Output, Person, Run, forget, make_person
from tests.openpgp.test_message import flipped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CANARY = b"canary-5e1c\n"
PASSPHRASE = "right"

PINENTRY = """#!/bin/sh
echo OK
while read -r word rest; do
    case $word in
    GETPIN) echo asked >>{asked}; {answer};;
    BYE) echo OK; exit;;
    *) echo OK;;
    esac
done
"""
ANSWERS = {
    "cancels": "echo 'ERR 83886179 Operation cancelled <Pinentry>'",
    "is wrong": "echo 'D wrong'; echo OK",
    "is right": f"echo 'D {PASSPHRASE}'; echo OK",
    "breaks": "exit 1",
}


class Locked:
    """Carol, whose key has a passphrase that her agent does not know, and a store of hers."""

    def __init__(self, carol: Person, key: str, stranger: Person, clave: Run, root: Path) -> None:
        self.carol, self.key, self.stranger, self._clave, self.root = carol, key, stranger, clave, root
        self._asked = carol.home / "asked"
        root.mkdir()
        (root / ".gpg-id").write_text(f"{key}\n")
        self.configure("")
        self.pinentry("cancels")

    def pinentry(self, answer: str | None) -> None:
        """Have the agent ask a pinentry that answers so (None: there is none), and forget what it knew."""
        program = self.carol.home / "pinentry"
        if answer is not None:
            program.write_text(PINENTRY.format(asked=self._asked, answer=ANSWERS[answer]))
            program.chmod(0o755)
        configuration = f"pinentry-program {program if answer is not None else '/bin/false'}\n"
        (self.carol.gnupg / "gpg-agent.conf").write_text(configuration)
        self._asked.unlink(missing_ok=True)
        self.stop_agent()

    def stop_agent(self) -> None:
        subprocess.run(["gpgconf", "--kill", "gpg-agent"], env=self.carol.env(), check=True)

    def configure(self, text: str) -> None:
        (self.carol.gnupg / "gpg.conf").write_text(text)

    @property
    def asked(self) -> int:
        return self._asked.read_text().count("\n") if self._asked.exists() else 0

    def sealed(self, *options: str, key: str | None = None) -> bytes:
        return self.carol.gpg("--no-options", *options, "-e", "-r", key or self.key, input=CANARY)

    def put(self, name: str, message: bytes) -> None:
        (self.root / f"{name}.gpg").write_bytes(message)

    def clave(self, *words: str, **env: str) -> Output:
        return self._clave(self.carol, self.root, *words, **env)

    def refusal(self, *words: str, **env: str) -> str:
        done = self.clave(*(words or ("x",)), **env)
        assert (done.code, done.out, done.err.count(b"\n")) == (4, b"", 1), done.err.decode()
        assert b"canary" not in done.err
        return done.err.decode()


@pytest.fixture(scope="module")
def carol() -> Iterator[tuple[Person, str]]:
    person = make_person("carol")
    argv = ["--passphrase", PASSPHRASE, "--quick-gen-key", "locked@example.org", "future-default", "default", "never"]
    person.gpg(*argv)
    listing = person.gpg("--list-keys", "--with-colons", "locked@example.org").decode()
    yield person, next(line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr:"))
    forget(person)


@pytest.fixture(scope="module")
def stranger(carol: tuple[Person, str]) -> Iterator[Person]:
    person = make_person("stranger")
    carol[0].gpg("--import", input=person.gpg("--export"))
    yield person
    forget(person)


@pytest.fixture
def locked(carol: tuple[Person, str], stranger: Person, clave: Run, tmp_path: Path) -> Locked:
    return Locked(*carol, stranger, clave, tmp_path / "store")


def test_each_cause_has_words_of_its_own(locked: Locked) -> None:
    locked.put("x", locked.sealed())
    said = {}
    locked.pinentry(None)
    said["there is no pinentry"] = locked.refusal()
    locked.pinentry("cancels")
    said["was not given"] = locked.refusal()
    assert locked.asked == 1
    said["the passphrase was wrong"] = locked.refusal(
        PASSWORD_STORE_GPG_OPTS="--batch --pinentry-mode loopback --passphrase wrong"
    )
    said["the prompt was cancelled"] = locked.refusal(PASSWORD_STORE_GPG_OPTS="--pinentry-mode cancel")
    locked.stop_agent()
    said["there is no gpg-agent"] = locked.refusal(PASSWORD_STORE_GPG_OPTS="--no-autostart")
    locked.put("x", flipped(locked.sealed(key=locked.carol.fingerprint), 30))
    said["its session key cannot be read"] = locked.refusal()
    locked.put("x", locked.sealed("--trust-model", "always", key=locked.stranger.fingerprint))
    said["not encrypted to any key of yours"] = locked.refusal()
    for words, line in said.items():
        assert [other for other in said if other in line] == [words], line
        assert line.startswith("Error: x ")
        assert "clave " in line or "Ask one of its readers" in line


def test_a_prompt_is_never_repeated(locked: Locked) -> None:
    """The agent itself asks three times after wrong passphrases."""
    locked.put("x", locked.sealed())
    for answer, times in (("cancels", 1), ("is wrong", 3), ("breaks", 1)):
        for words in (["x"], ["show", "--json", "x"], ["grep", "canary"]):
            locked.pinentry(answer)
            assert "was not given, or was wrong" in locked.refusal(*words)
            assert locked.asked == times, (answer, words)


def test_the_right_passphrase(locked: Locked) -> None:
    locked.put("x", locked.sealed())
    locked.pinentry("is right")
    assert locked.clave("x").out == CANARY
    assert locked.clave("x").out == CANARY
    assert locked.asked == 1


def test_the_search_stops_at_the_first_with_one_prompt(locked: Locked) -> None:
    for name in "abcdefgh":
        locked.put(name, locked.sealed())
    for answer in ("cancels", None):
        locked.pinentry(answer)
        line = locked.refusal("grep", "canary")
        assert line.startswith("Error: a stays locked")
        assert locked.asked == (answer is not None)


@pytest.mark.parametrize("options", ["", "--no-greeting"], ids=["engine", "gpg alone"])
@pytest.mark.parametrize("answer", ["cancels", "is wrong"])
def test_one_prompt_also_where_the_first_can_be_read(locked: Locked, options: str, answer: str) -> None:
    for number in range(30):
        key = locked.carol.fingerprint if number < 12 else locked.key
        locked.put(f"entry-{number:02}", locked.sealed(key=key))
    locked.pinentry(answer)
    done = locked.clave("grep", "canary", PASSWORD_STORE_GPG_OPTS=options)
    assert done.code == 4
    assert b"entry-12 stays locked" in done.err
    assert locked.asked == (1 if answer == "cancels" else 3)  # gpg-agent asks three times for one key


def test_a_damaged_session_key_or_a_foreign_entry_does_not_stop_the_search(locked: Locked) -> None:
    """Else whoever can push could stop every search."""
    own = locked.carol.fingerprint
    locked.put("a", flipped(locked.sealed(key=own), 30))
    locked.put("b", locked.sealed("--trust-model", "always", key=locked.stranger.fingerprint))
    locked.put("c", locked.sealed(key=own))
    done = locked.clave("grep", "canary")
    assert (done.code, done.out) == (4, b"c:\n" + CANARY)
    assert b"2 of 3 entries" in done.err


def test_a_write_that_has_to_read_stops_with_one_prompt_and_changes_nothing(locked: Locked) -> None:
    for name in ("a", "b"):
        locked.put(name, locked.sealed())
    before = {file.name: file.read_bytes() for file in locked.root.iterdir()}
    assert "a stays locked" in locked.refusal("init", locked.carol.fingerprint)
    assert locked.asked == 1
    assert {file.name: file.read_bytes() for file in locked.root.iterdir()} == before


def test_a_rekey_of_many_stops_with_one_prompt_and_leaves_nothing(locked: Locked) -> None:
    """More than a few entries go another way: the agent is asked without gpg, and what was made would be kept."""
    message = locked.sealed()
    for number in range(40):
        locked.put(f"entry-{number:02}", message)
    before = {file.name: file.read_bytes() for file in locked.root.iterdir()}
    assert "entry-00 stays locked" in locked.refusal("init", locked.carol.fingerprint)
    assert locked.asked == 1
    assert {file.name: file.read_bytes() for file in locked.root.iterdir()} == before


def test_our_key_among_others(locked: Locked) -> None:
    locked.put("x", locked.sealed("--trust-model", "always", "-r", locked.stranger.fingerprint))
    locked.pinentry(None)
    assert "there is no pinentry" in locked.refusal()


@pytest.mark.parametrize("how", ["gpg.conf", "--quiet", "-q"])
def test_a_quiet_gpg_does_not_say_why(locked: Locked, how: str) -> None:
    locked.put("x", locked.sealed())
    locked.pinentry(None)
    if how == "gpg.conf":
        locked.configure("quiet\n")
        assert "stays locked: the agent did not use the key" in locked.refusal()
    else:
        assert "there is no pinentry" in locked.refusal(PASSWORD_STORE_GPG_OPTS=how)
    locked.put("x", locked.sealed("--trust-model", "always", key=locked.stranger.fingerprint))
    assert "not encrypted to any key of yours" in locked.refusal(PASSWORD_STORE_GPG_OPTS="--quiet")


def test_an_agent_that_cannot_be_started(locked: Locked) -> None:
    locked.put("x", locked.sealed())
    locked.stop_agent()
    locked.configure("agent-program /nonexistent\n")
    assert "there is no gpg-agent" in locked.refusal()
