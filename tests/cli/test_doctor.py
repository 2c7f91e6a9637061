"""`clave doctor` finds what is wrong, says how to mend it, and is silent with exit 0 about a sound set-up."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pexpect
import pytest

from tests.conftest import Output, Person, Run, introduce

People = Callable[..., list[Person]]


@dataclass
class Setup:
    """A person with a sound store in git, and doctor run on it."""

    person: Person
    store: Path
    clave: Run

    def doctor(self, *args: str, **env: str) -> Output:
        return self.clave(self.person, self.store, "doctor", *args, **env)

    def reports(self, *args: str, **env: str) -> list[dict[str, object]]:
        done = self.doctor("--json", *args, **env)
        document = json.loads(done.out)
        assert document["version"] == 1
        assert done.err == b""
        serious = [row for row in document["reports"] if row["level"] == "attention" and not row["fixed"]]
        assert document["attention"] == len(serious)
        assert done.code == bool(serious)
        return list(document["reports"])

    def serious(self, *args: str, **env: str) -> list[dict[str, object]]:
        return [row for row in self.reports(*args, **env) if row["level"] == "attention"]

    def only(self, check: str, *args: str, **env: str) -> dict[str, object]:
        """Return the one finding that needs attention, which must be of that check and say the next step."""
        found = self.serious(*args, **env)
        assert [row["check"] for row in found] == [check], found
        assert found[0]["mend"]
        return found[0]

    def git(self, *args: str) -> None:
        subprocess.run(["git", "-C", self.store, *args], env=self.person.env(), check=True, capture_output=True)


def write_entry(person: Person, store: Path, name: str) -> None:
    file = store / f"{name}.gpg"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(person.gpg("-e", "-r", person.fingerprint, input=b"secret\n"))


@pytest.fixture
def setup(alice: Person, clave: Run, tmp_path: Path) -> Iterator[Setup]:
    store = tmp_path / "store"
    store.mkdir(mode=0o700)
    (store / ".gpg-id").write_text(f"{alice.fingerprint}\n")
    write_entry(alice, store, "folder/entry")
    agent = alice.gnupg / "gpg-agent.conf"
    agent.write_text(f"pinentry-program {sys.executable}\n")
    subprocess.run(["git", "config", "--global", "user.name", "Alice"], env=alice.env(), check=True)
    subprocess.run(["git", "config", "--global", "user.email", alice.email], env=alice.env(), check=True)
    made = Setup(alice, store, clave)
    made.git("init", "-q")
    made.git("add", ".")
    made.git("commit", "-q", "-m", "store")
    yield made
    for path in (alice.home / ".gitconfig", agent):
        path.unlink(missing_ok=True)
    shutil.rmtree(alice.home / ".config", ignore_errors=True)
    alice.gnupg.chmod(0o700)


def test_a_sound_set_up_is_exit_0(setup: Setup) -> None:
    done = setup.doctor()
    assert done.code == 0, done.out.decode()
    assert done.err == b"Nothing needs attention.\n"
    assert b"\x1b" not in done.out
    checks = {row["check"] for row in setup.reports()}
    assert {"gpg", "agent", "pinentry", "keys", "git", "store", "recipients", "clipboard", "memory"} <= checks


def test_the_verdict_comes_last_where_both_streams_are_one(setup: Setup) -> None:
    argv = [sys.executable, "-m", "clave", "doctor"]
    done = subprocess.run(argv, env=setup.person.env(setup.store), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.stdout.splitlines()[-1] == b"Nothing needs attention."


def test_a_new_user_is_told_of_key_and_store_alone(clave: Run, alice: Person, tmp_path: Path) -> None:
    new = {"HOME": str(tmp_path), "GNUPGHOME": str(tmp_path / ".gnupg")}
    found = Setup(alice, tmp_path / "store", clave).serious(**new)
    subprocess.run(["gpgconf", "--kill", "all"], env=alice.env(**new), check=True)
    assert {row["check"] for row in found} == {"keys", "store"}


def test_the_store_may_be_missing(setup: Setup) -> None:
    setup.store = setup.store / "nowhere"
    assert "clave init" in str(setup.only("store")["mend"])


def test_open_permissions_are_found_and_mended(setup: Setup) -> None:
    config = setup.person.home / ".config" / "clave" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("")
    config.chmod(0o622)
    setup.store.chmod(0o755)
    setup.person.gnupg.chmod(0o750)
    found = setup.serious()
    assert {row["check"] for row in found} == {"gnupg-home", "config", "permissions"}
    assert all(row["fixable"] for row in found)
    assert all(row["fixed"] for row in setup.serious("--fix"))
    assert [path.stat().st_mode & 0o777 for path in (setup.store, setup.person.gnupg, config)] == [
        0o700,
        0o700,
        0o600,
    ]
    assert setup.doctor().code == 0


@pytest.mark.parametrize("lock", ["index.lock", "HEAD.lock", "refs/heads/master.lock"])
def test_the_lock_of_a_dead_git_is_removed_by_fix_alone(setup: Setup, lock: str) -> None:
    path = setup.store / ".git" / lock
    path.write_bytes(b"")
    found = setup.only("locks")
    assert found["paths"] == [str(path)]
    assert "no git is running" in str(found["text"])
    assert path.exists()
    assert setup.only("locks", "--fix")["fixed"]
    assert not path.exists()


def test_the_lock_of_a_living_git_stays(setup: Setup) -> None:
    lock = setup.store / ".git" / "index.lock"
    lock.write_bytes(b"")
    with subprocess.Popen(["git", "-C", setup.store, "cat-file", "--batch"], stdin=subprocess.PIPE) as living:
        time.sleep(0.2)
        found = setup.only("locks", "--fix")
        living.communicate()
    assert f"process {living.pid}" in str(found["text"])
    assert not found["fixed"]
    assert lock.exists()


def test_a_git_elsewhere_does_not_count(setup: Setup, tmp_path: Path) -> None:
    (setup.store / ".git" / "index.lock").write_bytes(b"")
    elsewhere = tmp_path / "elsewhere"
    subprocess.run(["git", "init", "-q", elsewhere], check=True)
    with subprocess.Popen(["git", "-C", elsewhere, "cat-file", "--batch"], stdin=subprocess.PIPE) as living:
        time.sleep(0.2)
        found = setup.only("locks", "--fix")
        living.communicate()
    assert found["fixed"]


def test_what_a_dead_clave_left_is_ended(setup: Setup) -> None:
    left = setup.store / ".git" / "clave"
    left.mkdir()
    (left / "journal").write_bytes(b"")
    assert any(row["check"] == "journal" and row["level"] == "note" for row in setup.reports())
    assert not left.exists()


def test_a_broken_journal_is_dropped_by_fix(setup: Setup) -> None:
    left = setup.store / ".git" / "clave"
    left.mkdir()
    (left / "journal").write_bytes(b"path\0rubbish\0-\0file\0//\0")
    assert not setup.only("journal")["fixed"]
    assert setup.only("journal", "--fix")["fixed"]
    assert setup.doctor().code == 0


def has_expired(person: Person, other: Person) -> bool:
    return person.gpg("--list-keys", "--with-colons", other.fingerprint).split(b"\npub:")[-1].startswith(b"e:")


def test_keys_that_expire_soon_or_have_expired(people: People, setup: Setup) -> None:
    bob, carol = people("bob", "carol")
    for other, expiry in ((bob, "10d"), (carol, "seconds=1")):
        other.gpg("--quick-set-expire", other.fingerprint, expiry)
        introduce(setup.person, other)
    while not has_expired(setup.person, carol):  # gpg makes a self-signature newer than the last one, if it must
        time.sleep(0.1)
    ids = f"{setup.person.fingerprint}\n{bob.fingerprint}\n"
    (setup.store / ".gpg-id").write_text(ids)
    found = setup.only("recipients")
    assert "bob@example.org" in str(found["text"])
    assert " expires on 20" in str(found["text"])
    (setup.store / ".gpg-id").write_text(f"{setup.person.fingerprint}\n{carol.fingerprint}\n")
    assert "carol@example.org" in str(setup.only("recipients")["text"])
    assert "expired" in str(setup.only("recipients")["text"])

    (setup.store / ".gpg-id").write_text(f"{bob.fingerprint}\n")
    mine = Setup(bob, setup.store, setup.clave)
    assert any(row["check"] == "keys" and f"--quick-set-expire {bob.fingerprint}" in str(row["mend"])
               for row in mine.serious())  # fmt: skip


def test_whose_key_is_missing_is_said_for_each_folder(setup: Setup) -> None:
    (setup.store / "folder" / ".gpg-id").write_text("0123456789ABCDEF0123456789ABCDEF01234567\n")
    found = setup.only("recipients")
    assert "folder/.gpg-id" in str(found["text"])
    assert "0123456789ABCDEF0123456789ABCDEF01234567" in str(found["text"])


def test_a_folder_that_is_not_for_me_is_a_note(people: People, setup: Setup) -> None:
    dave = people("dave")[0]
    introduce(setup.person, dave)
    (setup.store / "folder" / ".gpg-id").write_text(f"{dave.fingerprint}\n")
    rows = [row for row in setup.reports() if row["level"] == "note" and row["check"] == "recipients"]
    assert len(rows) == 1
    assert "no key of yours" in str(rows[0]["text"])


@pytest.mark.parametrize("ending", ["", "\r\n"])
def test_recipients_that_pass_reads_otherwise(setup: Setup, ending: str) -> None:
    (setup.store / ".gpg-id").write_bytes((setup.person.fingerprint + ending).encode())
    assert "pass" in str(setup.only("recipients")["text"])


def test_a_store_without_recipients(setup: Setup) -> None:
    (setup.store / ".gpg-id").unlink()
    assert "clave init" in str(setup.only("recipients")["mend"])


def test_nobody_without_a_key_is_left_without_a_next_step(setup: Setup, tmp_path: Path) -> None:
    gnupg = Path(f"{setup.person.home}/empty")
    gnupg.mkdir(mode=0o700)
    found = setup.serious(GNUPGHOME=str(gnupg))
    subprocess.run(["gpgconf", "--kill", "all"], env=setup.person.env(GNUPGHOME=str(gnupg)), check=True)
    shutil.rmtree(gnupg)
    assert [row["check"] for row in found] == ["keys", "recipients"]
    assert "clave init" in str(found[0]["mend"])


STRANGE: dict[str, Callable[[Path], None]] = {
    "lead out of the store": lambda store: (store / "out.gpg").symlink_to("/etc/passwd"),
    "lead nowhere": lambda store: (store / "nowhere.gpg").symlink_to("gone.gpg"),
    "neither files": lambda store: os.mkfifo(store / "pipe.gpg"),
    "pass may run": lambda store: ((store / ".extensions").mkdir(), (store / ".extensions" / "x.bash").touch())[1],
    "submodules": lambda store: (store / ".gitmodules").touch(),
    "interrupted": lambda store: (store / "a.gpg.tmp.1.2.3.4.--").touch(),
    ".GPG": lambda store: (store / "UP.GPG").touch(),
    "no intact": lambda store: (store / "folder" / "bad.gpg").write_bytes(b"text") and None,
}


@pytest.mark.parametrize("text", STRANGE)
def test_what_does_not_belong_into_a_store(setup: Setup, text: str) -> None:
    STRANGE[text](setup.store)
    found = setup.only("files")
    assert text in str(found["text"])
    assert len(found["paths"]) == 1  # type: ignore[arg-type]


def test_files_that_are_no_entries_are_a_note_and_usual_ones_nothing(setup: Setup) -> None:
    for name in ("README.md", ".gitattributes", "notes\x1b[2J.txt"):
        (setup.store / name).write_text("x")
    (setup.store / "alias.gpg").symlink_to("folder/entry.gpg")
    done = setup.doctor()
    assert done.code == 0
    assert b"notes\\x1b[2J.txt" in done.out
    assert b"README" not in done.out
    assert b"alias" not in done.out


def test_many_files_are_not_all_shown_but_all_in_json(setup: Setup) -> None:
    for number in range(30):
        (setup.store / f"{number:02}.txt").touch()
    assert b"and 22 more" in setup.doctor().out
    assert any(len(row["paths"]) == 30 for row in setup.reports())  # type: ignore[arg-type]


def programs(folder: Path, *names: str) -> str:
    folder.mkdir()
    for name in names:
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    return str(folder)


def test_missing_programs_are_named(setup: Setup, tmp_path: Path) -> None:
    found = setup.serious(PATH=programs(tmp_path / "none", "python3"))
    assert [row["check"] for row in found] == ["gpg", "git"]
    found = setup.serious(PATH=programs(tmp_path / "gpg", "python3", "gpg", "git"))
    assert [row["check"] for row in found] == ["agent"]
    assert "gpgconf" in str(found[0]["text"])


@pytest.mark.parametrize(
    ("display", "present", "text"),
    [
        ({"DISPLAY": ":9"}, "", "apt install xclip"),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "xclip", "apt install wl-clipboard"),
        ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":9"}, "xclip", "copied with xclip"),
        ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":9"}, "wl-copy", "copied with wl-copy"),
    ],
)
def test_what_copies(setup: Setup, tmp_path: Path, display: dict[str, str], present: str, text: str) -> None:
    path = programs(tmp_path / "bin", "python3", "gpg", "gpgconf", "gpg-connect-agent", "gpg-agent", "git")
    if present:
        (tmp_path / "bin" / present).symlink_to("/bin/true")
    (row,) = [row for row in setup.reports(PATH=path, **display) if row["check"] == "clipboard"]
    assert text in f"{row['text']} {row['mend']}"
    assert (row["level"] == "good") == text.startswith("copied")


@pytest.mark.parametrize(
    ("version", "level", "text"),
    [("2.0.22", "attention", "too old"), ("2.4.7", "note", "OCB"), ("2.4.7", "attention", "gpg-agent 2")],
)
def test_other_versions_of_gnupg(setup: Setup, tmp_path: Path, version: str, level: str, text: str) -> None:
    fake = tmp_path / "bin" / "gpg"
    fake.parent.mkdir()
    real = shutil.which("gpg")
    fake.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "gpg (GnuPG) {version}" && exit\nexec {real} "$@"\n')
    fake.chmod(0o755)
    rows = setup.reports(PATH=f"{fake.parent}:{os.environ['PATH']}")
    assert any(row["level"] == level and text in str(row["text"]) for row in rows), rows


def test_a_pinentry_that_is_not_there(setup: Setup) -> None:
    (setup.person.gnupg / "gpg-agent.conf").write_text("# mine\npinentry-program /nowhere/pinentry\n")
    assert "/nowhere/pinentry" in str(setup.only("pinentry")["text"])


def test_a_stale_gpg_tty(setup: Setup) -> None:
    assert "tty" in str(setup.only("gpg-tty", GPG_TTY="/dev/pts/99999")["mend"])


def test_a_home_too_long_for_the_agent(setup: Setup) -> None:
    long = setup.person.home / ("x" * 100)
    long.mkdir(mode=0o700)
    found = setup.serious(GNUPGHOME=str(long))
    assert any(row["check"] == "agent" and "too long" in str(row["text"]) for row in found)


@pytest.mark.parametrize("yes", ["true", "yes", "1"])
def test_signing_needs_a_key(setup: Setup, yes: str) -> None:
    setup.git("config", "commit.gpgsign", yes)
    setup.git("config", "user.signingkey", setup.person.fingerprint)
    assert any(row["check"] == "signing" and row["level"] == "good" for row in setup.reports())
    setup.git("config", "user.signingkey", "0123456789ABCDEF")
    assert "0123456789ABCDEF" in str(setup.only("signing")["text"])


def test_a_store_without_git_and_an_unknown_author_are_notes(setup: Setup) -> None:
    (setup.person.home / ".gitconfig").unlink()
    assert any(row["check"] == "identity" and row["level"] == "note" for row in setup.reports())
    shutil.rmtree(setup.store / ".git")
    assert any(row["check"] == "history" and row["level"] == "note" for row in setup.reports())


def test_a_branch_that_is_none(setup: Setup) -> None:
    setup.git("checkout", "-q", "--detach")
    assert "checkout" in str(setup.only("branch")["mend"])


def test_a_store_name_that_is_not_known_is_exit_3(setup: Setup) -> None:
    done = setup.clave(setup.person, setup.store, "-s", "nope", "doctor")
    assert (done.code, done.out) == (3, b"")


def test_on_a_terminal_there_is_colour_and_a_word_on_gpg_tty(setup: Setup) -> None:
    env = {**setup.person.env(setup.store), "TERM": "xterm"}
    child = pexpect.spawn(sys.executable, ["-m", "clave", "doctor"], env=env, encoding="utf-8", timeout=60)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert "\x1b[32mok   \x1b[0m gpg: " in child.before
    assert "export GPG_TTY=$(tty)" in child.before
