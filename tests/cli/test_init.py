"""`clave init`: a new store, the recipients of a folder, and the keys that are refused."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import User, one_line
from tests.cli.reading import on_terminal, terminal_output
from tests.conftest import Person, Run, forget, make_person

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PINENTRY = """#!/bin/sh
echo OK
while read -r word rest; do
  case "$word" in
    GETPIN) echo "D correct-horse-1"; echo OK ;;
    BYE) echo OK; exit ;;
    *) echo OK ;;
  esac
done
"""


def test_a_new_store_is_a_git_repository(team: tuple[Person, Person], clave: Run, tmp_path: Path) -> None:
    alice, _ = team
    new = User(alice, tmp_path / "new", clave)
    done = new.ok("init", alice.email)
    assert (done.out, done.err.decode()) == (b"", f"Password store initialized for {alice.email}\n")
    assert (new.store / ".gpg-id").read_text() == f"{alice.email}\n"  # as it was typed: as pass does
    assert new.subjects() == [f"Set GPG id to {alice.email}.", "Configure git repository for gpg file diff."]
    assert new.git("status", "--porcelain") == ""
    assert new.store.stat().st_mode & 0o777 == 0o700


def test_a_new_store_without_git(team: tuple[Person, Person], clave: Run, tmp_path: Path) -> None:
    alice, _ = team
    new = User(alice, tmp_path / "new", clave)
    new.ok("init", "--no-git", alice.fingerprint)
    assert [path.name for path in new.store.iterdir()] == [".gpg-id"]
    new.ok("insert", "a/b", input=b"pw\n")
    assert new.ok("a/b").out == b"pw\n"


def test_a_reader_is_added_and_taken_away(me: User, team: tuple[Person, Person], subkey: Callable[[str], str]) -> None:
    alice, bob = team
    both, only = {subkey("alice"), subkey("bob")}, {subkey("alice")}
    done = me.ok("init", "-p", "web", alice.fingerprint, bob.fingerprint)
    assert b"(web), 2 entries encrypted anew" in done.err
    assert (me.readers("web/site"), me.readers("plain"), me.readers("team/db")) == (both, only, both)
    assert me.subjects()[0] == f"Set GPG id to {alice.fingerprint}, {bob.fingerprint} (web)."
    commits = len(me.subjects())
    assert b"(web), 2 entries encrypted anew" in me.ok("init", "--path=web", alice.fingerprint).err
    assert me.readers("web/site") == only
    assert len(me.subjects()) == commits + 1
    assert me.read("web/site").startswith(b"canary-pw\n")


def test_the_recipients_of_a_folder_are_taken_away_by_an_empty_key(me: User, subkey: Callable[[str], str]) -> None:
    assert b"Password store de-initialized (team)\n" in me.ok("init", "-p", "team", "").err
    assert not (me.store / "team/.gpg-id").exists()
    assert me.readers("team/db") == {subkey("alice")}
    assert me.subjects()[0] == f"Deinitialize {me.store}/team/.gpg-id (team)."
    assert "doesn't exist" in me.refused(3, "init", "-p", "team", "")
    assert "the store's own .gpg-id cannot go" in me.refused(2, "init", "")


def test_what_is_encrypted_as_it_should_be_is_left_alone(me: User) -> None:
    blobs = me.git("ls-tree", "-r", "HEAD")
    assert b"entr" not in me.ok("init", me.person.fingerprint).err
    assert me.git("ls-tree", "-r", "HEAD") == blobs


@pytest.fixture(scope="module")
def odd() -> Iterator[tuple[Person, dict[str, str]]]:
    """Somebody with keys that cannot be encrypted to: their fingerprints, by what is the matter."""
    person = make_person("alice")
    matter = {}
    past = ("--faked-system-time", "20200101T000000!")
    for name, usage, expire in (("gone", "default", "1y"), ("taken", "default", "never"), ("mute", "sign", "never")):
        uid = f"{name} <{name}@example.org>"
        person.gpg(*past, "--passphrase", "", "--quick-gen-key", uid, "future-default", usage, expire)
        listing = person.gpg("--list-keys", "--with-colons", f"{name}@example.org").decode()
        matter[name] = next(line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr:"))
    certificate = (person.gnupg / "openpgp-revocs.d" / f"{matter['taken']}.rev").read_text().replace(":-----", "-----")
    person.gpg("--import", input=certificate.encode())
    stranger = make_person("stranger")
    person.gpg("--import", input=stranger.gpg("--export", stranger.fingerprint))
    matter["stranger"] = stranger.fingerprint
    yield person, matter
    forget(stranger)
    forget(person)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("gone", "expired on 2020-12-31"),
        ("taken", "is revoked"),
        ("mute", "has no encryption subkey"),
        ("stranger", "is not certified to belong to its user id"),
    ],
)
def test_a_key_that_cannot_be_used_is_named_with_its_owner(
    odd: tuple[Person, dict[str, str]], clave: Run, tmp_path: Path, name: str, why: str
) -> None:
    person, matter = odd
    store = tmp_path / "store"
    line = one_line(clave(person, store, "init", matter[name]), 5)
    assert matter[name] in line
    assert f"{name}@example.org" in line.lower()
    assert why in line
    assert not store.exists()
    user = User(person, store, clave)
    user.ok("init", person.fingerprint)
    user.ok("insert", "x", input=b"pw\n")
    assert why in user.refused(5, "init", person.fingerprint, matter[name])
    assert why in user.refused(5, "init", "-p", "sub", matter[name])
    # Somebody else may have set it meanwhile: a write is refused, reading goes on.
    (store / ".gpg-id").write_text(f"{person.fingerprint}\n{matter[name]}\n")
    user.git("commit", "-qam", "by hand")
    assert why in user.refused(5, "insert", "y", input=b"pw\n")
    assert user.ok("x").out == b"pw\n"


def test_two_keys_that_cannot_be_used_are_both_named(
    odd: tuple[Person, dict[str, str]], clave: Run, tmp_path: Path
) -> None:
    person, matter = odd
    line = one_line(clave(person, tmp_path / "new", "init", "nobody@example.org", matter["taken"]), 5)
    assert "nobody@example.org" in line
    assert matter["taken"] in line


@pytest.mark.parametrize("key", ["a\nb", " ", "a#b", "\x1b[2J"])
def test_what_is_no_id_of_a_key(me: User, key: str) -> None:
    assert "is no id of a key" in me.refused(2, "init", key)


def test_one_of_the_own_keys_is_chosen(team: tuple[Person, Person], tmp_path: Path) -> None:
    alice, bob = team
    child = on_terminal(alice, tmp_path / "new", "init")
    child.expect_exact(f"  1  {alice.fingerprint}  Alice <{alice.email}>\r\n  2  make a new key\r\nWhich key? [1-2] ")
    assert bob.fingerprint not in child.before.decode()  # a public key alone reads nothing
    child.sendline("1")
    assert b"Password store initialized for " in terminal_output(child)
    assert child.exitstatus == 0
    assert (tmp_path / "new/.gpg-id").read_text() == f"{alice.fingerprint}\n"


@pytest.mark.parametrize(("answer", "code"), [("7\n", 2), ("x\n", 2), ("\x04", 130), ("\x03", 130)])
def test_no_key_is_chosen(team: tuple[Person, Person], tmp_path: Path, answer: str, code: int) -> None:
    child = on_terminal(team[0], tmp_path / "new", "init")
    child.expect_exact("Which key?")
    child.send(answer)
    assert terminal_output(child).count(b"Error:") == 1
    assert child.exitstatus == code
    assert not (tmp_path / "new").exists()


def test_a_key_is_made_and_its_backup_is_the_last_word(tmp_path: Path) -> None:
    dora = make_person("dora")
    try:
        script = tmp_path / "pinentry"
        script.write_text(PINENTRY)
        script.chmod(0o755)
        (dora.gnupg / "gpg-agent.conf").write_text(f"pinentry-program {script}\n")
        subprocess.run(["gpgconf", "--kill", "gpg-agent"], env=dora.env(), check=True)  # it has not read that
        child = on_terminal(dora, tmp_path / "new", "init")
        child.expect_exact("[1-2] ")
        child.sendline("2")
        child.expect_exact("Your name: ")
        child.sendline("Dora New")
        child.expect_exact("Your address: ")
        child.sendline("new@example.org")
        said = terminal_output(child).decode()
        assert child.exitstatus == 0, said
        made = (tmp_path / "new/.gpg-id").read_text().strip()
        assert "Dora New <new@example.org>" in dora.gpg("--list-secret-keys", made).decode()
        assert said.splitlines()[-1] == f"  gpg --export-secret-keys --armor {made} > my-key.asc"
    finally:
        forget(dora)


def test_without_a_terminal_a_key_has_to_be_named(me: User) -> None:
    assert me.refused(2, "init") == "Error: whose store shall it be? Name a key: clave init KEY…\n"
