"""`clave log`: who did what to which entry, through renames, with the state of each signature."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.cli.reading import terminal_output

if TYPE_CHECKING:
    from tests.cli.conftest import User


def entries(me: User, *words: str) -> list[dict[str, object]]:
    document = json.loads(me.ok("log", "--json", *words).out)
    assert document.keys() == {"version", "log"}
    assert document["version"] == 1
    return list(document["log"])


def what(me: User, *words: str) -> list[str]:
    """Return the last column of the log in a pipe."""
    return [line.split("\t")[4] for line in me.ok("log", *words).out.decode().splitlines()]


def test_what_was_done(me: User) -> None:
    me.ok("generate", "-f", "plain")
    me.ok("mv", "plain", "web")
    me.ok("cp", "web/plain", "other")
    me.ok("set", "other", "user", input=b"me\n")
    me.ok("rm", "-f", "web/site")
    assert what(me, "-n", "5") == [
        "remove web/site",
        "edit other",
        "copy web/plain → other",
        "move plain → web/plain",
        "generate plain",
    ]
    assert what(me, "web/plain") == ["move plain → web/plain", "generate plain", "insert plain"]
    assert what(me, "other")[:2] == ["edit other", "copy web/plain → other"]
    assert what(me, "web/site") == ["remove web/site", "insert web/site"]  # it is gone
    assert what(me, "team")[-1] == "rekey team/.gpg-id"
    assert me.ok("log").out == me.ok("history", "-n0").out == me.ok("log", "").out


def test_the_columns_in_a_pipe(me: User) -> None:
    commit, time, author, signature, _ = me.ok("log", "-n1").out.decode().rstrip("\n").split("\t")
    assert commit == me.git("rev-parse", "HEAD").strip()
    assert time.endswith("Z")
    assert (author, signature) == ("alice", "unsigned")


def test_json(me: User) -> None:
    me.ok("mv", "plain", "new")
    (newest,) = entries(me, "-n1")
    assert newest["operation"] == "move"
    assert newest["subject"] == "Rename plain to new."
    assert newest["entries"] == [{"name": "new", "change": "moved", "source": "plain"}]
    assert (newest["author"], newest["email"]) == ("alice", "alice@example.org")
    assert (newest["signature"], newest["key"], newest["signer"]) == ("unsigned", None, None)


@pytest.fixture
def signing(me: User) -> User:
    me.git("config", "commit.gpgsign", "true")
    me.git("config", "user.signingkey", me.person.fingerprint)
    me.ok("insert", "signed", input=b"x\n")
    return me


def test_the_states_of_a_signature(signing: User) -> None:
    me = signing
    assert entries(me, "-n1", "--no-verify")[0]["signature"] == "unchecked"
    (good,) = entries(me, "-n1")
    assert (good["signature"], good["key"]) == ("good", me.person.fingerprint)
    assert "alice@example.org" in str(good["signer"])
    assert entries(me, "-n2")[1]["signature"] == "unsigned"
    assert "good: Alice <alice@example.org>" in me.ok("log", "-n1").out.decode()
    # The same signature on another message.
    raw = me.git("cat-file", "commit", "HEAD")
    forged = me.person.home / "tmp/commit"
    forged.write_text(raw.replace("Add given password", "Add other password"))
    me.git("reset", "-q", "--soft", me.git("hash-object", "-t", "commit", "-w", str(forged)).strip())
    assert entries(me, "-n1")[0]["signature"] == "bad"
    assert "[bad" in terminal_output(me.tty("log", "-n1", NO_COLOR="1")).decode()


def test_a_terminal_shows_a_table_of_the_newest(me: User) -> None:
    said = terminal_output(me.tty("log", NO_COLOR="1")).decode().splitlines()
    assert len(said) == len(me.subjects())
    assert said[0].endswith("insert team/db")
    branch = me.git("symbolic-ref", "HEAD").strip()
    commit = "commit {0}\ncommitter A <a@example.org> {1} +0000\ndata 1\nx\n{2}M 644 inline n\ndata 2\n{1}\n"
    stream = "".join(commit.format(branch, at, f"from {branch}^0\n" if at == 10 else "") for at in range(10, 61))
    subprocess.run(["git", "-C", me.store, "fast-import", "--quiet"], input=stream.encode(), check=True)
    tail = terminal_output(me.tty("log", "-n", "3", NO_COLOR="1")).decode().splitlines()
    assert len(tail) == 3
    lines = terminal_output(me.tty("log", NO_COLOR="1")).decode().splitlines()
    assert lines[-1] == "These are the newest 50; -n 0 shows all."
    assert len(lines) == 51


def test_names_and_authors_cannot_control_the_terminal(me: User) -> None:
    (me.store / "x\x1b[2J.gpg").write_bytes((me.store / "plain.gpg").read_bytes())
    me.git("add", ".")
    me.git("commit", "-qm", "subject \x1b[2J", "--author", "\x1b[31mEve <e@x>")
    for done in (me.ok("log").out, terminal_output(me.tty("log", NO_COLOR="1"))):
        assert b"\x1b" not in done
        assert rb"x\x1b[2J" in done


def test_what_has_no_log(me: User) -> None:
    assert "no commit has an entry or folder nothing" in me.refused(3, "log", "nothing")
    assert "'-n'" in me.refused(2, "log", "-n", "x")
