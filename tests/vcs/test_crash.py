"""A write that dies at any step, or meets a full disk there, leaves the store as before or as after."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import traceback
import warnings
from typing import TYPE_CHECKING

import pytest

from clave.vcs import transaction, unversioned, work, worktree
from clave.vcs.git import Repository
from tests.vcs import dying
from tests.vcs.dying import BEFORE, CHANGES

if TYPE_CHECKING:
    from pathlib import Path

AFTER = {path: content for path, content in {**BEFORE, **CHANGES}.items() if content is not None}
MOST_STEPS = 80


def git(store: Path, *args: str, check: bool = True) -> str:
    done = subprocess.run(["git", "-C", store, *args], check=check, capture_output=True, text=True)
    return done.stdout


@pytest.fixture
def git_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Alice")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "alice@example.org")
    store = tmp_path / "store"
    store.mkdir()
    git(store, "init", "-q", "-b", "main")
    return store


def write_before(store: Path) -> None:
    """Put the store into the state BEFORE, with something of the user's own staged and something changed."""
    repository = Repository.find(str(store))
    if repository is None:
        with unversioned.begin(str(store)) as plain:
            plain.commit(BEFORE)
        return
    with transaction.begin(repository, str(store)) as write:
        write.commit(BEFORE, "before\n")
    (store / "staged.txt").write_text("mine")
    git(store, "add", "staged.txt")
    (store / "loose.txt").write_text("mine too")


def files(store: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(store)): path.read_bytes()
        for path in store.rglob("*")
        if path.is_file() and ".git" not in path.parts and path.suffix == ".gpg"
    }


def in_head(store: Path) -> dict[str, bytes]:
    names = git(store, "ls-tree", "-r", "--name-only", "HEAD").split()
    argv = ["git", "-C", store, "cat-file", "--batch"]
    asked = "".join(f"HEAD:{name}\n" for name in names).encode()
    rest = subprocess.run(argv, input=asked, check=True, capture_output=True).stdout
    found = {}
    for name in names:
        row, _, rest = rest.partition(b"\n")
        size = int(row.split()[2])
        found[name], rest = rest[:size], rest[size + 1 :]
    return found


def die(store: Path, kind: str, fault: str, number: int) -> int:
    """Fork a writer that dies; return its exit code."""
    with tempfile.TemporaryFile() as output, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: the workers of xdist have threads
        pid = os.fork()
        if pid == 0:
            become_dying(output.fileno(), str(store), kind, fault, number)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        output.seek(0)
        said = output.read().decode()
    assert "Traceback" not in said, said
    if fault == "full" and code:
        assert "No space left" in said
    return code


def become_dying(output: int, store: str, kind: str, fault: str, number: int) -> None:
    """Run the writer and leave without a word to pytest."""
    code = 1
    try:
        for descriptor in (1, 2):
            os.dup2(output, descriptor)
        sys.stdout = sys.stderr = open(1, "w", buffering=1)  # noqa: SIM115 - until we leave
        code = dying.main(store, kind, fault, number)
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(code)


def assert_settled(store: Path) -> None:
    """HEAD, index and work tree agree on BEFORE or AFTER; the user's own is as it was; nothing is left over."""
    head = in_head(store)
    assert head in (BEFORE, AFTER)
    assert files(store) == head
    assert git(store, "status", "--porcelain").splitlines() == ["A  staged.txt", "?? loose.txt"]
    assert (store / "loose.txt").read_text() == "mine too"
    assert not [path for path in store.rglob(".clave-*")]
    assert not (store / ".git" / "index.lock").exists()
    assert not (store / ".git" / "clave").exists()
    assert git(store, "fsck", "--strict", "--no-dangling") == ""
    assert not empty_folders(store)


def empty_folders(store: Path) -> list[Path]:
    folders = [path for path in store.rglob("*") if path.is_dir() and ".git" not in path.parts]
    return [folder for folder in folders if not any(folder.iterdir())]


def each_step(store: Path, kind: str, fault: str):
    """Let the write die at step 1, 2, … until it lives; yield after each death; the store is made anew."""
    for number in range(1, MOST_STEPS):
        code = die(store, kind, fault, number)
        if code == 0:
            assert number > 5
            return
        assert code == (-9 if fault == "kill" else 73)
        yield number
    raise AssertionError("the write never came to its end")


def renew(store: Path) -> None:
    """Bring the store back to BEFORE after a write that got through."""
    if (store / ".git").exists():
        git(store, "update-ref", "HEAD", git(store, "rev-list", "--max-parents=0", "HEAD").strip())
        git(store, "read-tree", "HEAD")
        git(store, "checkout-index", "-a", "-f")
        git(store, "clean", "-q", "-d", "-f", "new")
        git(store, "add", "staged.txt")
    else:
        for path in files(store):
            (store / path).unlink()
            worktree.prune(str((store / path).parent), keep=str(store))
        for path, content in BEFORE.items():
            (store / path).parent.mkdir(parents=True, exist_ok=True)
            (store / path).write_bytes(content)


@pytest.mark.parametrize("fault", ["kill", "full"])
def test_a_git_store_is_as_before_or_as_after(git_store: Path, fault: str) -> None:
    write_before(git_store)
    outcomes = set()
    for _ in each_step(git_store, "git", fault):
        repository = Repository.find(str(git_store))
        transaction.recover(repository, str(git_store))
        assert_settled(git_store)
        outcomes.add(len(in_head(git_store)))
        renew(git_store)
    assert fault == "full" or len(outcomes) == 1 or outcomes == {len(BEFORE), len(AFTER)}
    assert in_head(git_store) == AFTER  # the last one lived


def test_git_and_pass_cannot_commit_a_stale_index(git_store: Path) -> None:
    """What plain git does after the crash, before clave runs again, never takes our commit back."""
    write_before(git_store)
    for _ in each_step(git_store, "git", "kill"):
        (git_store / "by-pass.gpg").write_bytes(b"theirs")
        git(git_store, "add", "--all", check=False)
        git(git_store, "commit", "-m", "theirs", check=False)
        after_crash = in_head(git_store)
        assert not [path for path in after_crash if ".clave-" in path]
        transaction.recover(Repository.find(str(git_store)), str(git_store))
        assert in_head(git_store) == after_crash
        ours = {path: content for path, content in after_crash.items() if path in AFTER or path in BEFORE}
        assert ours in (BEFORE, AFTER)
        assert {path: content for path, content in files(git_store).items() if path != "by-pass.gpg"} == ours
        assert (git_store / "by-pass.gpg").read_bytes() == b"theirs"
        git(git_store, "rm", "-q", "--cached", "--ignore-unmatch", "by-pass.gpg")
        (git_store / "by-pass.gpg").unlink()
        renew(git_store)


def test_a_lock_that_somebody_removed_by_hand(git_store: Path) -> None:
    """git tells people to remove index.lock: even then the next clave ends the write."""
    write_before(git_store)
    for _ in each_step(git_store, "git", "kill"):
        (git_store / ".git" / "index.lock").unlink(missing_ok=True)
        transaction.recover(Repository.find(str(git_store)), str(git_store))
        assert_settled(git_store)
        renew(git_store)


def test_another_gits_lock_is_left_alone(git_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from clave.errors import Busy

    write_before(git_store)
    monkeypatch.setattr(work, "_LOCK_PATIENCE", 0.1)
    lock = git_store / ".git" / "index.lock"
    lock.write_bytes(b"")
    repository = Repository.find(str(git_store))
    with transaction.begin(repository, str(git_store)) as write, pytest.raises(Busy) as busy:
        write.commit(CHANGES, "change\n")
    assert busy.value.exit_code == 75
    assert lock.exists()
    lock.unlink()
    assert_settled(git_store)


@pytest.mark.parametrize("fault", ["kill", "full"])
def test_a_store_without_git_is_as_before_or_as_after(tmp_path: Path, fault: str) -> None:
    write_before(tmp_path)
    for _ in each_step(tmp_path, "plain", fault):
        unversioned.recover(str(tmp_path))
        assert files(tmp_path) in (BEFORE, AFTER)
        assert not empty_folders(tmp_path)
        assert not [path for path in tmp_path.rglob(".clave-*")]
        renew(tmp_path)
    assert files(tmp_path) == AFTER


def test_two_writers_take_turns(git_store: Path) -> None:
    write_before(git_store)
    code = "import sys; from clave.vcs import transaction; from clave.vcs.git import Repository\n"
    code += "s, n = sys.argv[1:]\nfor i in range(4):\n with transaction.begin(Repository.find(s), s) as t:"
    code += " t.commit({f'{n}-{i}.gpg': b'x'}, f'{n}-{i}\\n')"
    writers = [subprocess.Popen([sys.executable, "-c", code, git_store, f"w{n}"], env=os.environ) for n in range(4)]
    assert [writer.wait() for writer in writers] == [0] * 4
    assert {f"w{n}-{i}.gpg" for n in range(4) for i in range(4)} <= set(in_head(git_store))
    assert git(git_store, "rev-list", "--count", "HEAD").strip() == "17"


@pytest.mark.parametrize("fault", [None, "after the commit"])
def test_files_of_one_content_in_one_folder(
    git_store: Path, monkeypatch: pytest.MonkeyPatch, fault: str | None
) -> None:
    """A copied entry is byte for byte the same: the two must not wait under one name."""
    repository = Repository.find(str(git_store))
    both = {"folder/one.gpg": b"same", "folder/two.gpg": b"same"}
    with transaction.begin(repository, str(git_store)) as write:
        if fault:
            monkeypatch.setattr(work.Work, "finish", lambda _: None)
        write.commit(both, "both\n")
    monkeypatch.undo()
    transaction.recover(repository, str(git_store))
    assert files(git_store) == in_head(git_store) == both
    assert not [path for path in git_store.rglob(".clave-*")]
