"""The fast path and the full program are one program: same output, same errors, same exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import Person, Run, run_as

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FULL = "import sys; from clave.cli.main import main; sys.exit(main())"

FORMS: list[list[str]] = [
    [],
    ["plain"],
    ["show", "plain"],
    ["show", "--", "plain"],
    ["folder/entry"],
    ["/plain"],
    ["folder//entry"],
    ["folder/entry/"],
    ["folder/binary"],
    ["empty"],
    ["two words"],
    ["čeština/ključ"],
    ["armored"],
    ["alias"],
    ["folder"],
    ["folder/"],
    ["show", "folder"],
    ["show", "both"],
    ["both"],
    ["both/"],
    ["ls"],
    ["show"],
    ["list"],
    ["ls", "folder"],
    ["ls", "plain"],
    ["ls", "a", "b"],
    ["find", "entry"],
    ["search", "ENT", "bin"],
    ["find", "nothing-like-it"],
    ["find", "e*y"],
    ["find"],
    ["plian"],
    ["show", "plian"],
    ["show", "plain", "folder/entry"],
    ["show", ""],
    [""],
    ["."],
    ["../plain"],
    ["show", "../../etc/passwd"],
    [".gpg-id"],
    [".git/config"],
    ["-x"],
    ["show", "-x"],
    ["plain#user"],
    ["plain#"],
    ["a#b"],
    ["show", "a#b"],
    ["a:b"],
    ["x" * 5000],
    ["bad\x1bname"],
    ["out"],
    ["fifo"],
    ["damaged"],
    ["unencrypted"],
    ["for-somebody-else"],
    ["ls", "show"],
    ["show", "ls"],
    ["lss"],
]


@pytest.fixture(scope="module")
def store(
    people: Callable[..., list[Person]], clave: Run, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Person, Path]:
    """Alice's store with entries of every kind, broken ones too."""
    alice, bob = people("alice", "bob")
    root = tmp_path_factory.mktemp("s") / "store"
    assert clave(alice, root, "init", alice.fingerprint).code == 0
    entries = {
        "plain": b"canary-pw\nuser: alice\n",
        "folder/entry": b"no newline",
        "folder/binary": bytes(range(256)) * 40,
        "empty": b"",
        "two words": b"1\n",
        "čeština/ključ": "žluťoučký\n".encode(),
        "both": b"entry\n",
        "both/below": b"below\n",
        "a#b": b"hash\n",
        "a:b": b"colon\n",
        "ls": b"named as a command\n",
    }
    for name, plaintext in entries.items():
        assert clave(alice, root, "insert", "--file", "-", name, input=plaintext).code == 0
    to_alice = ("--trust-model", "always", "-r", alice.fingerprint)
    (root / "armored.gpg").write_bytes(alice.gpg("-a", "-e", *to_alice, input=b"armored\n"))
    (root / "for-somebody-else.gpg").write_bytes(
        alice.gpg("-e", "--trust-model", "always", "-r", bob.fingerprint, input=b"x")
    )
    (root / "unencrypted.gpg").write_bytes(alice.gpg("--store", input=b"planted\n"))
    (root / "damaged.gpg").write_bytes((root / "plain.gpg").read_bytes()[:-20])
    (root / "alias.gpg").symlink_to("folder/entry.gpg")
    (root / "out.gpg").symlink_to("/etc/passwd")
    os.mkfifo(root / "fifo.gpg")
    return alice, root


@pytest.mark.parametrize("words", FORMS, ids=lambda words: " ".join(words)[:40] or "(nothing)")
def test_both_ways_are_one(store: tuple[Person, Path], words: list[str]) -> None:
    alice, root = store
    fast = run_as(alice, root, [sys.executable, "-m", "clave", *words])
    full = run_as(alice, root, [sys.executable, "-c", FULL, *words])
    assert fast == full
    assert fast.code in (0, 1, 2, 3, 4, 8)
    assert fast.code in (0, 1) or fast.err.count(b"\n") == 1


@pytest.mark.parametrize("words", [["plain"], ["ls"], [], ["find", "plain"]])
def test_both_ways_without_a_store(alice: Person, tmp_path: Path, words: list[str]) -> None:
    missing = tmp_path / "none"
    fast = run_as(alice, missing, [sys.executable, "-m", "clave", *words])
    assert fast == run_as(alice, missing, [sys.executable, "-c", FULL, *words])
    assert fast.code == 3


@pytest.mark.parametrize("words", [["plain"], ["for-somebody-else"]])
def test_both_ways_without_gpg(store: tuple[Person, Path], tmp_path: Path, words: list[str]) -> None:
    alice, root = store
    fast = run_as(alice, root, [sys.executable, "-m", "clave", *words], PATH=str(tmp_path))
    assert fast == run_as(alice, root, [sys.executable, "-c", FULL, *words], PATH=str(tmp_path))
    assert fast.code == 4
    assert b"gpg" in fast.err


def test_a_pending_write_is_for_the_full_program(store: tuple[Person, Path]) -> None:
    """A journal that is there must be recovered from before anything is read."""
    alice, root = store
    journal = root / ".git" / "clave" / "journal"
    journal.parent.mkdir(exist_ok=True)
    journal.write_bytes(b"")
    assert run_as(alice, root, [sys.executable, "-m", "clave", "plain"]).out == b"canary-pw\nuser: alice\n"
    assert not journal.exists()


def test_output_to_a_full_device_is_an_error(store: tuple[Person, Path]) -> None:
    alice, root = store
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "clave", "plain"], env=alice.env(root), stdout=full, stderr=subprocess.PIPE
        )
    assert done.returncode == 73
    assert done.stderr.count(b"\n") == 1


# Runs the fast path and writes what it loaded to stderr, however it ends.
LIST_MODULES = """
import os, sys
from clave.fast import main
leave = os._exit
def tell(code):
    sys.stderr.write("\\n".join(sys.modules))
    sys.stderr.flush()
    leave(code)
os._exit = tell
tell(main())
"""

ALLOWED = {
    "clave",
    "clave.fast",
    "clave.places",
    "clave.errors",
    "clave.process",
    "clave.openpgp",
    "clave.openpgp.command",
    "clave.openpgp.message",
    "clave.openpgp.packets",
    "clave.model",
    "clave.model.name",
    "clave.model.text",
    "clave.store",
    "clave.store.layout",
    "clave.store.trust.pins",
    "clave.cli",
    "clave.cli._commands",
    "clave.store.listing",
}


@pytest.mark.parametrize("words", [["plain"], ["show", "folder/entry"], ["list"], ["find", "entry"]])
def test_nothing_heavy_is_loaded(store: tuple[Person, Path], words: list[str]) -> None:
    alice, root = store
    before = run_as(alice, root, [sys.executable, "-c", "import sys; sys.stderr.write('\\n'.join(sys.modules))"])
    done = run_as(alice, root, [sys.executable, "-c", LIST_MODULES, *words])
    assert done.code == 0
    extra = set(done.err.decode().split()) - set(before.err.decode().split())
    assert {name for name in extra if name.startswith("clave")} <= ALLOWED
    assert {name for name in extra if not name.startswith("clave")} <= {
        "__future__",
        "resource",
        "select",
        "gc",
        "unicodedata",
    }


def test_one_process_is_started(store: tuple[Person, Path], tmp_path: Path) -> None:
    """Reading an entry starts gpg, once, and nothing else."""
    alice, root = store
    log = tmp_path / "log"
    log.touch()
    for name in ("gpg", "gpg2", "git", "gpgconf", "sh", "bash"):
        (tmp_path / name).write_text(f'#!/bin/sh\necho {name} >>{log}\nPATH={os.environ["PATH"]} exec {name} "$@"\n')
        (tmp_path / name).chmod(0o755)
    done = run_as(alice, root, [sys.executable, "-m", "clave", "plain"], PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert done.out == b"canary-pw\nuser: alice\n"
    assert log.read_text().split() == ["gpg"]
