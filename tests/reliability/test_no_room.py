"""A full disk at every step, a read-only disk, a store that is not ours: 73, the old secret is there, nothing is left.

Needs root, and the right to mount: a tmpfs that is filled up, a read-only bind mount, and root without the
capability to ignore permissions. CI has both.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import Output, Person, Run, run_as, run_clave
from tests.reliability.checks import Checker, assert_explained, git
from tests.reliability.conftest import FIRST, Place, make_place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PAGE = 4096
# More free pages than this no command needs.
MOST_PAGES = 40
# Drops root's right to ignore permissions.
AS_OTHERS = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search,-fowner", "--"]
WRITES = (
    ["insert", "-m", "-f", "a"],
    ["insert", "-m", "new/entry"],
    ["generate", "-f", "a"],
    ["generate", "-i", "a"],
    ["mv", "team/", "moved"],
    ["mv", "-f", "team/x", "a"],
    ["cp", "a", "team/copy"],
    ["rm", "-f", "a"],
    ["rm", "-r", "-f", "team"],
    ["edit", "a"],
    ["set", "a", "user"],
    ["otp", "insert", "-f", "new/otp"],
)


def mounted(folder: Path, *argv: str) -> Callable[[], None]:
    """Mount something on a folder and return what takes it away again; skips the test where it may not be done."""
    done = subprocess.run(["mount", *argv, str(folder)], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"a file system cannot be mounted here: {done.stderr.strip()}")
    return lambda: subprocess.run(["umount", "--lazy", str(folder)], check=True) and None


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A small tmpfs: a store in git and what a write needs go into it, and not much more."""
    folder = tmp_path / "small"
    folder.mkdir()
    leave = mounted(folder, "-t", "tmpfs", "-o", f"size={48 * PAGE}", "tmpfs")
    yield folder
    leave()


def free_pages(folder: Path) -> int:
    about = os.statvfs(folder)
    return about.f_bavail * about.f_frsize // PAGE


def fill(folder: Path, leave: int) -> Path:
    """Fill the disk but for some pages; return the file that does it."""
    filler = folder / ".git" / "filler" if (folder / ".git").exists() else folder / ".filler"
    filler.unlink(missing_ok=True)
    with filler.open("wb", buffering=0) as file:
        file.write(b"x" * PAGE * max(0, free_pages(folder) - leave))
    return filler


@pytest.mark.parametrize("kind", ["git", "plain"])
@pytest.mark.parametrize(
    "words",
    [["insert", "-m", "-f", "a"], ["insert", "-m", "new/b"], ["generate", "-i", "a"], ["mv", "a", "f/b"]],
    ids=" ".join,
)
def test_a_full_disk_at_every_step(pair: list[Person], clave: Run, small: Path, kind: str, words: list[str]) -> None:
    alice = pair[0]
    (small / ".gpg-id").write_text(f"{alice.fingerprint}\n")
    if kind == "git":
        git(small, "init", "-q", "-b", "main", "--template=")
        git(small, "-c", "user.name=a", "-c", "user.email=a@x", "commit", "-q", "--allow-empty", "-m", "first")
        git(small, "add", ".gpg-id")
    assert clave(alice, small, "git", "gc", "-q").code in (0, 7)
    if kind == "git":
        git(small, "-c", "user.name=a", "-c", "user.email=a@x", "commit", "-q", "-m", "ids")
    assert clave(alice, small, "insert", "-m", "a", input=b"the old secret\n").code == 0
    if kind == "git":
        git(small, "gc", "-q", "--prune=now")
    checker = Checker(small, small if kind == "git" else None, pair)
    checker.watch_for(b"the old secret")
    refused = 0
    for pages in range(MOST_PAGES):
        filler = fill(small, pages)
        before = contents(small)
        done = clave(alice, small, *words, input=b"the new secret\n")
        if done.code == 0:
            break
        refused += 1
        assert_explained(done, 73)
        assert clave(alice, small, "a").out == b"the old secret\n"
        assert contents(small) == before
        filler.unlink()
        checker.assert_nothing_left()
        if kind == "git":
            assert git(small, "status", "--porcelain") == b""
            assert git(small, "fsck", "--strict", "--no-dangling") == b""
    else:
        raise AssertionError(f"{words} never worked")
    assert refused >= 2
    filler.unlink()
    checker.assert_nothing_left()
    checker.assert_no_canary()


def contents(store: Path) -> dict[str, bytes]:
    """Return the files of the store, and what HEAD is."""
    paths = [path for path in store.rglob("*") if path.is_file() and ".git" not in path.parts]
    files = {str(path.relative_to(store)): path.read_bytes() for path in paths if path.name != ".filler"}
    return {**files, "HEAD": git(store, "rev-parse", "HEAD") if (store / ".git").exists() else b""}


@pytest.fixture(params=["git", "plain", "bigger"])
def any_place(
    pair: list[Person], templates: Callable[[str], Path], tmp_path: Path, request: pytest.FixtureRequest
) -> Place:
    return make_place(request.param, pair, templates, tmp_path / "place")


def write(place: Place, words: list[str], prefix: list[str]) -> Output:
    text = {"set": b"me\n", "otp": b"otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ\n"}.get(words[0], b"new secret text\n")
    return run(place, prefix, words, input=text, EDITOR="sed -i s/first/second/", CLAVE_YES="1")


def run(place: Place, prefix: list[str], words: list[str], input: bytes = b"", **more: str) -> Output:
    """Run clave, started by what takes rights away if there is such a thing."""
    if not prefix:
        return run_clave(place.person, place.store, *words, input=input, **more)
    argv = [*prefix, sys.executable, "-m", "clave", *words]
    return run_as(place.person, place.store, argv, input=input, **more)


def assert_reads_but_does_not_write(place: Place, prefix: list[str], *codes: int) -> None:
    alice, bob = place.checker._people
    for words in (*WRITES, ["init", "-p", "a", alice, bob], ["init", bob]):
        done = write(place, list(words), prefix)
        assert done.code in codes, (words, done)
        assert_explained(done, done.code)
    for name, value in FIRST.items():
        shown = run(place, prefix, ["show", name])
        assert (shown.code, shown.out) == (0, value), shown.err
    assert run(place, prefix, []).code == 0


def test_a_read_only_disk(any_place: Place) -> None:
    top = any_place.repository or any_place.store
    leave = mounted(top, "--bind", str(top))
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", top], check=True)
        assert_reads_but_does_not_write(any_place, [], 73)
    finally:
        leave()
    any_place.whole()


def only_root_can() -> list[str]:
    if os.geteuid() != 0:
        return []
    if subprocess.run([*AS_OTHERS, "true"], capture_output=True).returncode != 0:
        pytest.skip("setpriv cannot drop root's right to ignore permissions here")
    return AS_OTHERS


def test_a_store_that_may_not_be_written(any_place: Place) -> None:
    prefix = only_root_can()
    top = any_place.repository or any_place.store
    folders = [path for path in [top, *top.rglob("*")] if path.is_dir()]
    for folder in folders:
        folder.chmod(0o500)
    assert_reads_but_does_not_write(any_place, prefix, 73)
    for folder in folders:
        folder.chmod(0o700)
    any_place.whole()


def test_a_store_of_somebody_else(any_place: Place) -> None:
    """We may read it; git does not touch a repository of another user's, and neither do we."""
    prefix = only_root_can()
    if not prefix:
        pytest.skip("only root can give a store to somebody else")
    top = any_place.repository or any_place.store
    give(top, 65534)
    any_place.person.gpg("--version")
    assert_reads_but_does_not_write(any_place, prefix, *((73,) if any_place.kind == "plain" else (7, 73)))
    give(top, 0)
    any_place.whole()


def give(top: Path, uid: int) -> None:
    for path in (top, *top.rglob("*")):
        shutil.chown(path, uid, uid)
        path.chmod(0o755 if path.is_dir() else 0o644)


@pytest.mark.parametrize("what", ["a.gpg", ".", ".gpg-id", ".git"])
def test_what_may_not_be_read_is_named(place: Place, what: str) -> None:
    prefix = only_root_can()
    target = place.store / what
    mode = target.stat().st_mode
    target.chmod(0)
    name = "" if what == "." else what.removesuffix(".gpg")
    try:
        for words in (["show", "a"], ["insert", "-m", "-f", "a"]):
            done = write(place, words, prefix)
            if words[0] == "show" and what not in ("a.gpg", "."):
                assert (done.code, done.out) == (0, b"first a\n")
                continue
            assert done.code in (3, 4, 5, 7, 73), done
            assert_explained(done, done.code, name)
    finally:
        target.chmod(mode)
    place.whole()
