"""`clave grep` beside `pass grep`, which hands what it decrypts to grep."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.cli.reading import ENTRIES, on_terminal, plain, put, terminal_output

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Person, Run


@pytest.fixture(scope="module")
def store(alice: Person, tmp_path_factory: pytest.TempPathFactory) -> Path:
    text = {name: plaintext for name, plaintext in ENTRIES.items() if name != "bin"}
    return put(alice, tmp_path_factory.mktemp("grep") / "store", text)


def by_entry(out: bytes) -> dict[bytes, bytes]:
    """Split an output at its headings; pass shows entries in the disk's order, and no blank lines last."""
    names = "|".join(re.escape(name) for name in ENTRIES).encode()
    parts = re.split(rb"^(%b):\n" % names, out, flags=re.MULTILINE)
    assert not parts[0]
    return {name: lines.rstrip(b"\n") for name, lines in zip(parts[1::2], parts[2::2], strict=True)}


AS_PASS = [
    ["bob"], ["-i", "bob"], ["-in", "bob"], ["-v", "o"], ["-w", "bob"], ["-x", "x"], ["-c", "x"], ["-n", "^"],
    ["-o", "b.b"], ["-no", "[a-z]*"], ["-E", "user|login"], ["user\\|login"], ["-F", "t0ken"], ["-F", "."],
    ["-e", "two", "-e", "again"], ["-n", "-A1", "bob"], ["-nB", "1", "bob"], ["-n", "-C", "1", "hunter2"],
    ["-m1", "x"], ["-m", "2", "-nA1", "x"], ["^pw-.*$"], ["-E", "^(.)$"], ["\\(x\\)"], ["ÉTÉ"], ["-i", "été"],
    ["[[:upper:]]"], ["-P", "\\d\\w+"], ["-i", "--", "bob"], ["--ignore-case", "BOB"], ["-we", "to"], ["'s"],
    ["user:"], ["-vc", "bob"], ["-E", "a{2}|o{1,2}"], ["bob\nalice"], ["", "-c"], ["-y", "T0KEN"], ["--regexp=x"],
]  # fmt: skip


@pytest.mark.parametrize("words", AS_PASS, ids=" ".join)
def test_finds_what_pass_finds(alice: Person, store: Path, clave: Run, run_pass: Run, words: list[str]) -> None:
    ours, theirs = clave(alice, store, "grep", *words), run_pass(alice, store, "grep", *words)
    assert by_entry(ours.out) == by_entry(plain(theirs.out))
    assert (ours.code, ours.err) == (0 if ours.out else 1, b"")


def test_entries_come_in_the_order_of_the_tree(alice: Person, store: Path, clave: Run) -> None:
    done = clave(alice, store, "grep", "-l", "-i", "bob")
    assert done.out.decode().splitlines() == ["a b/c d", "web/github", "web/gitlab", "é/ü"]


@pytest.mark.parametrize(
    "words", [["-n", "bob", "-A1"], ["-i", "été"], ["-on", "b.b"], ["-nA0", "hunt\\|note"]], ids=str
)
def test_a_terminal_shows_what_pass_shows(alice: Person, tmp_path: Path, words: list[str]) -> None:
    one = put(alice, tmp_path, {"web/one": ENTRIES["web/github"] + ENTRIES["é/ü"]})
    ours, theirs = (terminal_output(on_terminal(alice, one, "grep", *words, program=p)) for p in ("clave", "pass"))
    assert ours == theirs
    assert b"\x1b[94mweb/\x1b[1mone\x1b[0m:" in ours


def test_colour_when_asked_for(alice: Person, store: Path, clave: Run) -> None:
    assert b"\x1b[01;31m\x1b[Kbob" in clave(alice, store, "grep", "--color=always", "bob").out
    assert b"\x1b" not in clave(alice, store, "grep", "--color", "bob").out
    assert b"\x1b" not in terminal_output(on_terminal(alice, store, "grep", "--color=never", "bob"))


def test_nothing_found_is_exit_code_1(alice: Person, store: Path, clave: Run) -> None:
    done = clave(alice, store, "grep", "no such text")
    assert (done.code, done.out, done.err) == (1, b"", b"")


def test_names_only(alice: Person, store: Path, clave: Run) -> None:
    assert clave(alice, store, "grep", "-l", "bob").out == b"a b/c d\nweb/github\n"
    assert clave(alice, store, "grep", "-L", "o", "web").out == b""
    assert clave(alice, store, "grep", "-L", "bob", "web").out == b"web/gitlab\n"
    assert clave(alice, store, "grep", "-h", "bob").out.splitlines()[:2] == [b"bob again", b"user: bob"]
    quiet = clave(alice, store, "grep", "-q", "bob")
    assert (quiet.code, quiet.out) == (0, b"")


def test_a_folder_or_an_entry(alice: Person, store: Path, clave: Run) -> None:
    assert clave(alice, store, "grep", "-l", "-i", "bob", "web").out == b"web/github\nweb/gitlab\n"
    assert clave(alice, store, "grep", "-l", "bob", "web/github").out == b"web/github\n"
    done = clave(alice, store, "grep", "bob", "wbe")
    assert (done.code, done.err) == (3, b"Error: wbe is not in the password store. Did you mean 'web'?\n")


def test_json(alice: Person, store: Path, clave: Run) -> None:
    assert json.loads(clave(alice, store, "grep", "--json", "-A1", "bob", "a b").out) == {
        "version": 1,
        "matches": [
            {
                "name": "a b/c d",
                "count": 1,
                "binary": False,
                "lines": [{"number": 2, "text": "bob again", "match": True}],
            }
        ],
        "failed": [],
    }


def test_binary_entries(alice: Person, clave: Run, run_pass: Run, tmp_path: Path) -> None:
    store = put(alice, tmp_path, {"nul": b"bob\0\n", "latin": b"p\xe4ss bob\n", "text": b"bob\n"})
    done = clave(alice, store, "grep", "bob")
    assert done.out == b"latin:\nbinary content matches\nnul:\nbinary content matches\ntext:\nbob\n"
    assert clave(alice, store, "grep", "-a", "bob", "latin").out == b"latin:\np\xe4ss bob\n"
    theirs = run_pass(alice, store, "grep", "-l", "bob")
    assert theirs.out.count(b"(standard input)") == clave(alice, store, "grep", "-l", "bob").out.count(b"\n") == 3


def test_control_bytes_of_a_secret_do_not_reach_the_terminal(alice: Person, clave: Run, tmp_path: Path) -> None:
    store = put(alice, tmp_path, {"x": b"bob\x1b[2J\there\n"})
    assert clave(alice, store, "grep", "bob").out == b"x:\nbob\x1b[2J\there\n"
    shown = terminal_output(on_terminal(alice, store, "grep", "bob"))
    assert rb"\x1b[2J" in shown
    assert b"\x1b[2J" not in shown


def test_what_cannot_be_decrypted_is_named_and_the_rest_searched(alice: Person, clave: Run, tmp_path: Path) -> None:
    store = put(alice, tmp_path, {"good": b"bob\n", "zz": b"bob\n"})
    (store / "empty.gpg").write_bytes(b"")
    (store / "text.gpg").write_bytes(b"bob\n")
    (store / "out.gpg").symlink_to("/etc/passwd")
    done = clave(alice, store, "grep", "bob")
    assert (done.code, done.out) == (4, b"good:\nbob\nzz:\nbob\n")
    *warnings, last = done.err.decode().splitlines()
    assert [line.split(":")[1] for line in warnings] == [" empty", " text", " out"]
    assert last == "Error: 3 of 5 entries could not be searched."
    quiet = clave(alice, store, "grep", "-s", "bob")
    assert (quiet.code, quiet.err.decode()) == (4, last + "\n")
    document = json.loads(clave(alice, store, "grep", "--json", "bob").out)
    assert document["failed"] == ["empty", "text", "out"]
    (store / "empty.gpg").unlink()
    (store / "text.gpg").unlink()
    assert clave(alice, store, "grep", "bob").code == 8


def test_a_locked_key_stops_the_search(people: Callable[..., list[Person]], clave: Run, tmp_path: Path) -> None:
    (carol,) = people("carol")
    (carol.gnupg / "gpg-agent.conf").write_text("pinentry-program /bin/false\n")
    carol.gpg("--passphrase", "secret", "--quick-gen-key", "locked@example.org", "future-default", "default", "never")
    entries = dict.fromkeys("abcd", b"bob\n")
    put(carol, tmp_path, entries)
    for name in entries:
        carol.gpg("-e", "-r", "locked@example.org", "--yes", "-o", str(tmp_path / f"{name}.gpg"), input=b"bob\n")
    subprocess.run(["gpgconf", "--kill", "gpg-agent"], env=carol.env(), check=True)  # it knew the passphrase
    done = clave(carol, tmp_path, "grep", "bob")
    assert (done.code, done.out, done.err.count(b"\n")) == (4, b"", 1), done.err
    assert b"could not be searched" not in done.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], b"grep takes one PATTERN"),
        (["a", "b", "c"], b"grep takes one PATTERN"),
        (["\\("], b"not a regular expression"),
        (["-P", "("], b"not a regular expression"),
        (["-E", "a{1"], b""),
        (["-l", "-c", "x"], b"exclude each other"),
        (["-A", "-1", "x"], b"-A"),
        (["--nope", "x"], b"--nope"),
    ],
    ids=str,
)
def test_usage(alice: Person, store: Path, clave: Run, words: list[str], message: bytes) -> None:
    done = clave(alice, store, "grep", *words)
    assert done.code == (2 if message else 1)
    assert message in done.err
    assert done.err.count(b"\n") == (1 if message else 0)
