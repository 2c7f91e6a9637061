"""Random sequences of operations, some by pass and some by clave, on one store: both always agree.

After every sequence each entry reads the same through both, the listings are equal, git's work tree is clean
and `git fsck` finds nothing.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PROGRAMS = st.sampled_from(["pass", "clave"])
# Names that try the edges: folders, an entry beside a folder of its name, blanks, Unicode, the longest component.
NAMES = st.sampled_from(
    ["a", "a/b", "a/b/c", "team/x", "team/deep/y", "with blank/é ü", "🏠", "tab#x", "q'uote\"s", "$(id)", "n" * 250]
)
FOLDERS = st.sampled_from(["a", "team", "team/deep", "with blank", "new/folder"])
VALUES = st.one_of(
    st.binary(min_size=1, max_size=200).map(lambda data: data + b"\n"),
    st.sampled_from([b"secret\n", b"pw\nuser: me\nurl: https://example.org\n", b"\xff\x00\r\n\r\n", b"no newline"]),
)
OPERATIONS = st.one_of(
    st.tuples(st.just("insert"), NAMES, VALUES),
    st.tuples(st.just("generate"), NAMES, st.integers(1, 60)),
    st.tuples(st.just("in-place"), NAMES, st.integers(1, 60)),
    st.tuples(st.just("rm"), NAMES, st.none()),
    st.tuples(st.just("rm -r"), FOLDERS, st.none()),
    st.tuples(st.just("mv"), NAMES, NAMES),
    st.tuples(st.just("cp"), NAMES, NAMES),
    st.tuples(st.just("mv"), FOLDERS, FOLDERS),
    st.tuples(st.just("cp"), NAMES, FOLDERS.map(lambda folder: folder + "/")),
    st.tuples(st.just("init"), FOLDERS, st.sampled_from(["one", "both"])),
    st.tuples(st.just("deinit"), FOLDERS, st.none()),
)


def command(person, other, operation, name, value):
    """Return the arguments and the input of an operation; the spelling is the same for both programs."""
    keys = [person.fingerprint] if value == "one" else [person.fingerprint, other.fingerprint]
    return {
        "insert": (["insert", "-m", "-f", name], value),
        "generate": (["generate", "-f", name, str(value)], b""),
        "in-place": (["generate", "-i", name, str(value)], b""),
        "rm": (["rm", "-f", name], b""),
        "rm -r": (["rm", "-r", "-f", name], b""),
        "mv": (["mv", "-f", name, value], b""),
        "cp": (["cp", "-f", name, value], b""),
        "init": (["init", "-p", name, *keys], b""),
        "deinit": (["init", "-p", name, ""], b""),
    }[operation]


def names_in(store: Path) -> list[str]:
    return sorted(str(path.relative_to(store))[:-4] for path in store.rglob("*.gpg"))


@pytest.fixture(scope="module")
def pair(people):
    return people("alice", "bob")


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(st.tuples(PROGRAMS, OPERATIONS), min_size=1, max_size=8))
def test_pass_and_clave_agree(pair, clave, run_pass, steps):
    alice, bob = pair
    folder = Path(tempfile.mkdtemp())
    store = folder / "store"
    try:
        programs = {"pass": run_pass, "clave": clave}
        assert run_pass(alice, store, "init", alice.fingerprint).code == 0
        assert run_pass(alice, store, "git", "init").code == 0
        for program, (operation, name, value) in steps:
            arguments, data = command(alice, bob, operation, name, value)
            programs[program](alice, store, *arguments, input=data)
        for name in names_in(store):
            ours, theirs = clave(alice, store, "show", name), run_pass(alice, store, "show", name)
            assert (ours.code, ours.out) == (0, theirs.out), name
        assert run_pass(alice, store, "git", "status", "--porcelain").out == b""
        checked = subprocess.run(
            ["git", "-C", store, "fsck", "--strict", "--no-dangling"], capture_output=True, check=False
        )
        assert checked.returncode == 0, checked.stderr
    finally:
        shutil.rmtree(folder)
