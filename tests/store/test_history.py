"""Looking back and going back in stores that real pass made, with real keys, git and signatures."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from clave.config import load
from clave.errors import (
    CannotDecrypt,
    GitFailed,
    NotFound,
    StoreDamaged,
    UsageError,
)
from clave.model.change import parse
from clave.openpgp import packets
from clave.store import history, moving, rekeying, writing
from clave.store.store import Store
from clave.store.undoing import undo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Output, Person, Run


class Desk:
    """A store on the desk of somebody: its functions run in this process, pass and git beside it."""

    def __init__(self, person: Person, root: Path, run_pass: Run) -> None:
        self.person = person
        self.root = root
        self._run_pass = run_pass

    @property
    def store(self) -> Store:
        return Store(str(self.root), load())

    def passes(self, *args: str, text: str = "", **more: str) -> Output:
        done = self._run_pass(self.person, self.root, *args, input=text.encode(), **more)
        assert done.code == 0, done.err
        return done

    def insert(self, name: str, text: str, **more: str) -> None:
        self.passes("insert", "-m", "-f", name, text=text, **more)

    def git(self, *args: str, **more: str) -> str:
        done = subprocess.run(
            ["git", "-C", self.root, *args],
            check=True,
            capture_output=True,
            env=self.person.env(self.root, **more),
        )
        return os.fsdecode(done.stdout).strip()

    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def at(self, name: str, revision: str) -> str:
        return history.at(self.store, name, revision).decode()

    def show(self, name: str) -> str:
        return self.passes("show", name).out.decode()

    def readers(self, name: str) -> set[str]:
        return set(packets.inspect((self.root / f"{name}.gpg").read_bytes()).recipients)

    def assert_sound(self) -> None:
        """The work tree is HEAD, and git finds nothing wrong."""
        assert self.git("status", "--porcelain") == ""
        assert self.git("fsck", "--strict", "--no-dangling") == ""


@pytest.fixture(scope="module")
def pair(people: Callable[..., list[Person]]) -> list[Person]:
    return people("alice", "bob")


@pytest.fixture
def desk(pair: list[Person], run_pass: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    alice = pair[0]
    made = Desk(alice, tmp_path / "store", run_pass)
    env = alice.env(made.root)
    for name in os.environ.keys() - env.keys():
        if not name.startswith("PYTEST"):
            monkeypatch.delenv(name)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    made.passes("init", alice.email)
    made.passes("git", "init", "-q", "-b", "main")
    return made


def key_id(person: Person) -> str:
    """Return the long id of a person's encryption subkey."""
    rows = [line.split(":") for line in person.gpg("--list-keys", "--with-colons", person.email).decode().split("\n")]
    return next(row[4] for row in rows if row[0] == "sub" and "e" in row[11])


@pytest.fixture
def utc(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Local time is UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.delenv("TZ")
    time.tzset()


# What was


def test_versions_are_counted_back_from_now(desk: Desk) -> None:
    for text in ("one\n", "two\nuser: x\n", "three"):
        desk.insert("a/b", text)
    desk.insert("other", "not counted")
    assert [desk.at("a/b", f"-{n}") for n in range(3)] == ["three", "two\nuser: x\n", "one\n"]
    assert desk.at("a/b", "~2") == "one\n"
    with pytest.raises(NotFound, match="a/b has no version -3") as failure:
        desk.at("a/b", "-3")
    assert "-0 " in str(failure.value.hint)
    assert "-2 " in str(failure.value.hint)
    assert "-3 " not in str(failure.value.hint)


def test_bytes_come_back_exactly(desk: Desk) -> None:
    data = bytes(range(256)) * 40 + b"\r\n\n"
    writing.insert(desk.store, "bin", data, subject="Add given password for bin to store.")
    desk.insert("bin", "text")
    assert history.at(desk.store, "bin", "-1") == data


def test_a_removed_entry_has_its_last_version_before_now(desk: Desk) -> None:
    desk.insert("a", "one")
    desk.insert("a", "two")
    desk.passes("rm", "-f", "a")
    assert [desk.at("a", "-1"), desk.at("a", "-2")] == ["two", "one"]
    with pytest.raises(NotFound, match="no version -0") as failure:
        desk.at("a", "-0")
    assert "(removed)" in str(failure.value.hint)


def test_an_entry_is_found_under_the_names_that_it_had(desk: Desk) -> None:
    desk.insert("a", "one")
    first = desk.head()
    desk.insert("a", "two")
    second = desk.head()
    desk.passes("mv", "a", "x/b")
    moving.move(desk.store, moving.plan(desk.store, "x/b", "y/"))
    desk.insert("other", "x")
    desk.passes("mv", "y", "z")
    assert [desk.at("z/b", rev) for rev in ("-0", "-1", first, second, "HEAD", "HEAD~1")] == [
        "two", "one", "one", "two", "two", "two",
    ]  # fmt: skip
    assert desk.at("a", "-1") == "two"


def test_neither_another_reader_nor_a_move_to_other_readers_is_a_version(desk: Desk, pair: list[Person]) -> None:
    desk.passes("init", "-p", "team", *(person.email for person in pair))
    desk.insert("a", "one")
    desk.insert("a", "two")
    desk.passes("mv", "a", "team/a")
    desk.passes("init", *(person.email for person in pair))
    rekeying.set_recipients(desk.store, "", [pair[0].fingerprint])
    desk.passes("cp", "team/a", "copy")
    moving.copy(desk.store, moving.plan(desk.store, "copy", "copy2"))
    for name in ("team/a", "copy", "copy2"):
        assert [desk.at(name, "-0"), desk.at(name, "-1")] == ["two", "one"]
        with pytest.raises(NotFound):
            desk.at(name, "-2")


def test_an_undone_move_is_no_version(desk: Desk) -> None:
    desk.insert("a", "one")
    desk.insert("a", "two")
    desk.passes("mv", "a", "b")
    undo(desk.store)
    assert [desk.at("a", "-0"), desk.at("a", "-1")] == ["two", "one"]


def test_dates_mean_the_end_of_the_day_or_the_minute(desk: Desk, utc: None) -> None:
    for day, text in (
        ("2026-01-10T12:00:00Z", "one"),
        ("2026-01-11T23:59:59Z", "two"),
        ("2026-01-13T00:00:00Z", "3"),
    ):
        desk.insert("a", text, GIT_COMMITTER_DATE=day)
    assert desk.at("a", "2026-01-10") == "one"
    assert desk.at("a", "2026-01-11") == "two"
    assert desk.at("a", "2026-01-12") == "two"
    assert desk.at("a", "2026-01-13") == "3"
    assert desk.at("a", "2026-01-11T12:00") == "one"
    assert desk.at("a", "2026-01-13 01:59+02:00") == "two"
    with pytest.raises(NotFound, match="no version 2026-01-09"):
        desk.at("a", "2026-01-09")


@pytest.mark.parametrize(
    ("revision", "error"),
    [
        ("2026-02-30", UsageError),
        ("2026-01-01T", UsageError),
        ("--help", UsageError),
        ("-x", UsageError),
        ("nope", NotFound),
        ("", NotFound),
        ("HEAD:a.gpg", NotFound),
        ("HEAD..HEAD", NotFound),
    ],
)
def test_what_is_no_revision_is_said_to_be_none(desk: Desk, revision: str, error: type[Exception]) -> None:
    desk.insert("a", "one")
    with pytest.raises(error):
        desk.at("a", revision)


def test_a_commit_that_head_does_not_hold_is_read_too(desk: Desk) -> None:
    desk.insert("a", "one")
    desk.git("checkout", "-q", "-b", "side")
    desk.insert("a", "side")
    desk.git("checkout", "-q", "main")
    assert desk.at("a", "side") == "side"


def test_an_alias_is_followed_in_the_tree_of_its_time(desk: Desk) -> None:
    desk.insert("real/a", "one")
    (desk.root / "alias.gpg").symlink_to("real/a.gpg")
    (desk.root / "folder").symlink_to("real")
    (desk.root / "circle.gpg").symlink_to("circle.gpg")
    (desk.root / "out.gpg").symlink_to("/etc/passwd")
    desk.git("add", "-A")
    desk.git("commit", "-q", "-m", "aliases")
    aliases = desk.head()
    desk.insert("real/a", "two")
    assert desk.at("alias", aliases) == "one"
    assert desk.at("folder/a", "-1") == "one"
    with pytest.raises(StoreDamaged):
        desk.at("circle", aliases)
    with pytest.raises(StoreDamaged, match="leads out"):
        desk.at("out", aliases)


def test_what_was_planted_in_history_is_no_secret(desk: Desk) -> None:
    (desk.root / "a.gpg").write_bytes(b"\xcb\x0bb\x00\x00\x00\x00\x00hello")
    desk.git("add", "-A")
    desk.git("commit", "-q", "-m", "planted")
    with pytest.raises(CannotDecrypt):
        desk.at("a", "HEAD")


def test_a_store_without_git_and_one_without_commits_say_so(desk: Desk, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / ".gpg-id").write_text(desk.person.email + "\n")
    with pytest.raises(GitFailed, match="not a git repository"):
        history.log(Store(str(plain), load()))
    subprocess.run(["git", "init", "-q", plain], check=True, env=desk.person.env())
    store = Store(str(plain), load())
    assert history.log(store) == []
    with pytest.raises(NotFound):
        history.at(store, "a", "-0")
    with pytest.raises(NotFound, match="no operation"):
        undo(store)


# What differs


def test_the_last_change_is_compared_with_now_by_default(desk: Desk) -> None:
    desk.insert("a", "one\nuser: x\n")
    found = history.compare(desk.store, "a")
    assert (found.old_label, found.old, found.new_label) == ("nothing", None, "now")
    desk.insert("a", "two\nuser: x\n")
    found = history.compare(desk.store, "a")
    assert [(each.part, each.change) for each in found.differences] == [("password", "changed")]
    assert (found.old, found.new) == (b"one\nuser: x\n", b"two\nuser: x\n")
    assert not history.compare(desk.store, "a", "-1", "-1").differences
    desk.passes("rm", "-f", "a")
    assert history.compare(desk.store, "a").new is None
    with pytest.raises(NotFound):
        history.compare(desk.store, "nope")


# Bringing back


def test_restoring_encrypts_to_the_readers_of_today(desk: Desk, pair: list[Person]) -> None:
    alice, bob = map(key_id, pair)
    desk.passes("init", *(person.email for person in pair))
    desk.insert("a", "one")
    blob = desk.git("rev-parse", "HEAD:a.gpg")
    assert desk.readers("a") == {alice, bob}
    desk.passes("init", pair[0].email)
    desk.insert("a", "two")
    assert history.restore(desk.store, "a", "-1") == ["a"]
    assert desk.show("a") == "one"
    assert desk.readers("a") == {alice}
    note = parse(desk.git("log", "-1", "--format=%B"))
    (change,) = note.changes
    assert (note.operation, change.kind, change.path) == ("restore", "same", "a.gpg")
    assert change.source == desk.git("rev-parse", "HEAD~2:a.gpg") or change.source == blob
    desk.assert_sound()


def test_a_removed_entry_comes_back_and_a_moved_one_under_its_present_name(desk: Desk) -> None:
    desk.insert("x/a", "one")
    desk.passes("rm", "-f", "x/a")
    assert history.restore(desk.store, "x/a", "-1") == ["x/a"]
    assert desk.show("x/a") == "one"
    desk.insert("x/a", "two")
    desk.passes("mv", "x/a", "b")
    assert history.restore(desk.store, "b", "-1") == ["b"]
    assert desk.show("b") == "one"
    desk.assert_sound()


def test_a_folder_comes_back_and_keeps_what_it_has_gained(desk: Desk) -> None:
    for name in ("f/a", "f/g/b", "f/c", "other"):
        desk.insert(name, f"old {name}")
    then = desk.head()
    desk.insert("f/a", "new")
    desk.insert("other", "new")
    desk.insert("f/gained", "new")
    desk.passes("rm", "-f", "-r", "f/g")
    before = desk.git("rev-list", "--count", "HEAD")
    assert sorted(history.restore(desk.store, "f", then)) == ["f/a", "f/g/b"]
    assert desk.git("rev-list", "--count", "HEAD") == str(int(before) + 1)
    shown = {name: desk.show(name) for name in ("f/a", "f/g/b", "f/c", "f/gained", "other")}
    assert shown == {"f/a": "old f/a", "f/g/b": "old f/g/b", "f/c": "old f/c", "f/gained": "new", "other": "new"}
    desk.passes("rm", "-f", "-r", "f")
    assert len(history.restore(desk.store, "f/", "-1")) == 4
    desk.assert_sound()


def test_what_is_as_it_was_is_left_alone(desk: Desk, pair: list[Person]) -> None:
    desk.insert("a", "one")
    then = desk.head()
    assert history.restore(desk.store, "a", "HEAD") == []
    desk.passes("init", *(person.email for person in pair))
    before = desk.head()
    assert history.restore(desk.store, "a", then) == []
    assert desk.head() == before


def test_restoring_refuses_what_it_cannot_do(desk: Desk, pair: list[Person]) -> None:
    desk.insert("a", "one")
    desk.insert("b", "one")
    (desk.root / "a.gpg").unlink()
    (desk.root / "a.gpg").symlink_to("b.gpg")
    desk.git("commit", "-q", "-a", "-m", "alias")
    with pytest.raises(StoreDamaged, match="symlink"):
        history.restore(desk.store, "a", "-1")
    with pytest.raises(NotFound):
        history.restore(desk.store, "nope", "-1")
    with pytest.raises(NotFound):
        history.restore(desk.store, "nope/", "HEAD")
    # bob's: alice was no reader of it
    bob = Desk(pair[1], desk.root, desk._run_pass)
    desk.passes("init", "-p", "bobs", pair[1].email)
    bob.insert("bobs/x", "one")
    bob.insert("bobs/x", "two")
    before = desk.head()
    with pytest.raises(CannotDecrypt, match="bobs/x"):
        history.restore(desk.store, "bobs/x", "-1")
    (desk.root / "b.gpg").write_bytes(b"changed by hand")
    with pytest.raises(GitFailed, match="not committed"):
        history.restore(desk.store, "b", "HEAD")
    assert desk.head() == before


# Taking back


def tree_of(desk: Desk) -> dict[str, str]:
    """Return blob ids of HEAD's tree by path."""
    rows = (row.split("\t") for row in desk.git("ls-tree", "-r", "HEAD").splitlines())
    return {path: about.split(" ")[2] for about, path in rows}


OPERATIONS: dict[str, Callable[[Desk], object]] = {
    "pass insert": lambda d: d.insert("new/x", "n"),
    "pass insert -f": lambda d: d.insert("a", "n"),
    "pass edit": lambda d: d.passes("edit", "a", EDITOR="sed -i s/a/b/"),
    "pass generate": lambda d: d.passes("generate", "new"),
    "pass generate -i": lambda d: d.passes("generate", "-i", "a"),
    "pass rm": lambda d: d.passes("rm", "-f", "f/b"),
    "pass rm -r": lambda d: d.passes("rm", "-r", "-f", "f"),
    "pass mv": lambda d: d.passes("mv", "a", "f/c"),
    "pass mv onto another": lambda d: d.passes("mv", "-f", "a", "f/b"),
    "pass mv folder": lambda d: d.passes("mv", "f", "g"),
    "pass cp": lambda d: d.passes("cp", "f", "g"),
    "clave insert": lambda d: writing.insert(d.store, "new", b"x", subject="Add given password for new to store."),
    "clave set": lambda d: writing.update(d.store, "a", lambda old: b"x", subject="Edit password for a using set."),
    "clave rm": lambda d: writing.remove(d.store, "f", recursive=True),
    "clave mv": lambda d: moving.move(d.store, moving.plan(d.store, "f", "g/h")),
    "clave cp": lambda d: moving.copy(d.store, moving.plan(d.store, "a", "f/")),
    "clave restore": lambda d: history.restore(d.store, "a", "-1"),
    "git by hand": lambda d: (d.git("mv", "a.gpg", "z.gpg"), d.git("commit", "-q", "-m", "Tidy up")),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_is_taken_back_and_redone(desk: Desk, operation: str) -> None:
    for name, text in (("a", "first"), ("a", "a\nuser: x\n"), ("f/b", "b"), ("f/g/c", "c")):
        desk.insert(name, text)
    before = tree_of(desk)
    OPERATIONS[operation](desk)
    after = tree_of(desk)
    assert after != before
    subject = desk.git("log", "-1", "--format=%s")
    undone = undo(desk.store)
    assert undone.subject == subject
    assert tree_of(desk) == before
    assert {name for name, _ in undone.results} == {
        path.removesuffix(".gpg") for path in before.keys() | after.keys() if before.get(path) != after.get(path)
    }
    desk.assert_sound()
    undo(desk.store)
    assert tree_of(desk) == after
    desk.assert_sound()
    subjects = desk.git("log", "-2", "--format=%s").splitlines()
    assert subjects == [f"Redo: {subject}", f"Undo: {subject}"]


def test_what_comes_back_is_encrypted_to_the_readers_of_today(desk: Desk, pair: list[Person]) -> None:
    desk.insert("a", "one")
    (desk.root / ".gpg-id").write_text("".join(f"{person.email}\n" for person in pair))
    desk.git("commit", "-q", "-a", "-m", "bob reads too, but nothing was encrypted anew")
    desk.passes("rm", "-f", "a")
    undo(desk.store)
    assert desk.readers("a") == {key_id(person) for person in pair}
    assert desk.show("a") == "one"
    (change,) = parse(desk.git("log", "-1", "--format=%B")).changes
    assert (change.kind, change.source) == ("same", desk.git("rev-parse", "HEAD~2:a.gpg"))


def refused(desk: Desk, *words: str) -> None:
    before = (desk.head(), desk.git("status", "--porcelain"))
    with pytest.raises(UsageError) as failure:
        undo(desk.store)
    for word in words:
        assert word in failure.value.line()
    assert (desk.head(), desk.git("status", "--porcelain")) == before


def test_a_change_of_readers_is_not_undone(desk: Desk, pair: list[Person]) -> None:
    desk.insert("a", "one")
    desk.insert("team/b", "one")
    both = [person.email for person in pair]
    desk.passes("init", *both)
    refused(desk, "bring back access")
    rekeying.set_recipients(desk.store, "", [pair[0].fingerprint])
    refused(desk, "bring back access", "clave init")
    desk.passes("init", "-p", "team", *both)
    refused(desk, "bring back access")
    desk.passes("init", "-p", "team", "")
    refused(desk, "bring back access")
    (desk.root / ".gpg-id").write_text(pair[1].email + "\n")
    desk.git("commit", "-q", "-a", "-m", "Add given password for a to store.")
    refused(desk, "bring back access")


def test_other_commits_that_are_not_undone(desk: Desk) -> None:
    refused(desk, ".gitattributes", "no entry")
    desk.insert("a", "one")
    desk.git("commit", "-q", "--amend", "-m", "x\n\nClave-Op: rotate\nClave-Change: value a.gpg")
    refused(desk, "retired")
    desk.insert("a", "two")
    desk.git("checkout", "-q", "-b", "side")
    desk.insert("b", "side")
    desk.git("checkout", "-q", "main")
    desk.insert("c", "main")
    desk.git("merge", "-q", "--no-ff", "-m", "merged", "side")
    refused(desk, "merge")


def test_a_move_away_from_readers_is_not_undone(desk: Desk, pair: list[Person]) -> None:
    desk.passes("init", "-p", "team", *(person.email for person in pair))
    desk.insert("team/a", "one")
    desk.passes("mv", "team/a", "mine")
    refused(desk, "Bob", "clave mv mine team/a")
    moving.move(desk.store, moving.plan(desk.store, "mine", "team/a"))
    undo(desk.store)  # away from bob
    assert desk.readers("mine") == {key_id(pair[0])}


def test_what_has_changed_since_is_not_overwritten(desk: Desk) -> None:
    desk.insert("a", "one")
    desk.insert("a", "two")
    (desk.root / "a.gpg").write_bytes(b"by hand")
    before = desk.head()
    with pytest.raises(GitFailed, match="not committed"):
        undo(desk.store)
    assert (desk.root / "a.gpg").read_bytes() == b"by hand"
    assert desk.head() == before


def test_a_store_in_a_bigger_repository_undoes_its_own_last_operation(
    pair: list[Person], run_pass: Run, tmp_path: Path, desk: Desk
) -> None:
    desk.insert("a", "one")
    big = tmp_path / "big"
    subprocess.run(["git", "init", "-q", "-b", "main", big], check=True, env=pair[0].env())
    inner = Desk(pair[0], big / "sub" / "store", run_pass)
    inner.root.mkdir(parents=True)
    inner.passes("init", pair[0].email)
    inner.git("add", "-A", "--", str(big))
    inner.git("commit", "-q", "-m", "all")
    for text in (b"one", b"two"):
        writing.insert(inner.store, "a", text, subject="Add given password for a to store.")
    moving.move(inner.store, moving.plan(inner.store, "a", "b"))
    (big / "readme").write_text("x")
    inner.git("add", "--", str(big / "readme"))
    inner.git("commit", "-q", "-m", "not of the store")
    assert [event.operation for event in history.log(inner.store)][:3] == ["move", "insert", "insert"]
    assert inner.at("b", "-1") == "one"
    assert undo(inner.store).subject == "Rename a to b."
    assert inner.show("a") == "two"
    assert (big / "readme").read_text() == "x"


def test_a_repository_inside_of_the_store_keeps_its_own_history(desk: Desk) -> None:
    desk.insert("outer", "x")
    (desk.root / "nested").mkdir()
    subprocess.run(["git", "init", "-q", desk.root / "nested"], check=True, env=desk.person.env())
    desk.insert("nested/a", "one")
    desk.insert("nested/a", "two")
    desk.passes("mv", "nested/a", "nested/b")
    events = history.log(desk.store, "nested/b")
    assert [(e.operation, e.entries[0].name, e.entries[0].source) for e in events] == [
        ("move", "nested/b", "nested/a"),
        ("insert", "nested/a", None),
        ("insert", "nested/a", None),
    ]
    assert desk.at("nested/b", "-1") == "one"


# Who did what


def test_the_log_tells_what_was_done_to_what(desk: Desk, pair: list[Person]) -> None:
    desk.insert("a b/é", "one")
    desk.passes("cp", "a b", "copy")
    desk.passes("init", "-p", "a b", *(person.email for person in pair))
    desk.passes("rm", "-r", "-f", "copy")
    told = [(e.operation, [tuple(t) for t in e.entries], [tuple(t) for t in e.others]) for e in history.log(desk.store)]
    assert told[:5] == [
        ("remove", [("copy/é", "removed", None)], []),
        ("rekey", [("a b/é", "changed", None)], []),
        ("rekey", [], [("a b/.gpg-id", "added", None)]),
        ("copy", [("copy/é", "copied", "a b/é")], []),
        ("insert", [("a b/é", "added", None)], []),
    ]
    assert len(history.log(desk.store, limit=2)) == 2
    assert [e.operation for e in history.log(desk.store, "a b")] == ["rekey", "rekey", "insert"]
    assert [e.operation for e in history.log(desk.store, "copy")] == ["remove", "copy", "insert"]
    with pytest.raises(NotFound):
        history.log(desk.store, "nope")


def test_an_entry_and_a_folder_of_one_name_are_told_apart_by_the_slash(desk: Desk) -> None:
    desk.insert("a", "entry")
    desk.insert("a/b", "in the folder")
    assert [e.entries[0].name for e in history.log(desk.store, "a")] == ["a"]
    assert [e.entries[0].name for e in history.log(desk.store, "a/")] == ["a/b"]


def test_authors_are_claims_and_the_mailmap_of_the_store_is_not_asked(desk: Desk) -> None:
    hostile = "M\x1b[2Jallory\u202e"
    desk.insert("a", "one", GIT_AUTHOR_NAME=hostile, GIT_AUTHOR_EMAIL="m@x")
    (desk.root / ".mailmap").write_text("Alice <alice@example.org> <m@x>\n")
    desk.git("add", "-A")
    desk.git("commit", "-q", "-m", "a map")
    event = history.log(desk.store, "a")[0]
    assert (event.author, event.email) == (hostile, "m@x")


@pytest.fixture
def stranger(people: Callable[..., list[Person]]) -> Person:
    return people("carol")[0]


def test_signatures_are_checked_when_asked_for(desk: Desk, pair: list[Person], stranger: Person) -> None:
    desk.insert("a", "unsigned")
    for person, text in ((pair[0], "mine"), (pair[1], "bob's"), (stranger, "a stranger's")):
        desk.git("config", "user.signingkey", person.fingerprint)
        desk.git("config", "pass.signcommits", "true")
        (desk.root / "a.txt").write_text(text)
        desk.git("add", "-A")
        desk.git("commit", "-q", "-S", "-m", text, GNUPGHOME=str(person.gnupg))
    forged = desk.git("cat-file", "commit", "HEAD~1").replace("bob's", "bob's!").encode() + b"\n"
    made = subprocess.run(
        ["git", "-C", desk.root, "hash-object", "-t", "commit", "-w", "--stdin"], input=forged, capture_output=True
    ).stdout
    desk.git("reset", "-q", "--soft", made.decode().strip())
    desk.git("commit", "-q", "-S", "-m", "a stranger's", GNUPGHOME=str(stranger.gnupg))
    unchecked = history.log(desk.store, limit=4)
    assert [event.signature for event in unchecked] == ["unchecked", "unchecked", "unchecked", "unsigned"]
    checked = history.log(desk.store, limit=4, verify=True)
    assert [event.signature for event in checked] == ["unknown-key", "bad", "good", "unsigned"]
    assert checked[2].key == pair[0].fingerprint
    assert "Alice" in checked[2].signer
