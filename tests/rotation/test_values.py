"""What history says of values: each kind of change, each program's subjects, merges, and a random history."""

from __future__ import annotations

import random

import pytest

from clave.model.change import Change, compose, parse
from clave.rotation.values import Step, Trace, Value


class Story:
    """Commits written one after the other, each a minute after the one before."""

    def __init__(self) -> None:
        self.trace = Trace()
        self.time = 0
        self.now: dict[str, str] = {}
        self.blobs = 0

    def commit(self, message: str, *paths: str, gone: tuple[str, ...] = (), **named: str) -> list[str]:
        """Commit new blobs at `paths`, remove what is `gone`; return the blobs."""
        self.time += 60
        new = {path: self.blob() for path in paths}
        side = [(path, self.now.get(path, ""), blob) for path, blob in new.items()]
        side += [(path, self.now[path], "") for path in gone]
        self.trace.add([Step(str(self.time), self.time, parse(message), [side])])
        self.now = {path: blob for path, blob in {**self.now, **new}.items() if path not in gone}
        return [*new.values()]

    def blob(self) -> str:
        self.blobs += 1
        return f"{self.blobs:040x}"

    def value(self, path: str) -> Value:
        return self.trace.values()[self.now[path]]


def said(kind: str, path: str, source: str | None = None, *, due: str = "") -> str:
    dues = [(due, path)] if due else []
    return compose("Change", "edit", [Change(kind, path, source)], dues=dues)


def test_each_kind_of_change() -> None:
    story = Story()
    (first,) = story.commit(said("value", "a.gpg"), "a.gpg")
    assert story.value("a.gpg") == Value(60, 60)
    story.commit(said("meta", "a.gpg"), "a.gpg")
    story.commit(said("rekey", "a.gpg"), "a.gpg")
    assert story.value("a.gpg") == Value(60, 60)
    (part,) = story.commit(said("part", "a.gpg"), "a.gpg")
    assert story.value("a.gpg") == Value(60, 240, partly=True)
    story.commit(said("value", "a.gpg"), "a.gpg")
    assert story.value("a.gpg") == Value(300, 300)
    story.commit(said("same", "a.gpg", first), "a.gpg")
    assert story.value("a.gpg") == Value(60, 60)
    story.commit("typed by hand", "a.gpg")
    assert story.value("a.gpg") == Value(60, 60, known=False)
    sharing = story.trace.sharing().of(part)
    assert sharing[part] is False
    assert sharing[first] is True


def test_a_trailer_for_what_did_not_change_says_nothing() -> None:
    story = Story()
    story.commit(said("value", "a.gpg"), "a.gpg")
    story.commit(compose("x", "edit", [Change("value", "a.gpg"), Change("value", "b.gpg")]), "b.gpg")
    assert story.value("a.gpg") == Value(60, 60)


@pytest.mark.parametrize(
    ("subject", "value"),
    [
        ("Add given password for a/b to store.", Value(120, 120)),
        ("Add generated password for a/b.", Value(120, 120)),
        ("Replace generated password for a/b.", Value(60, 120, partly=True)),
        ("Edit password for a/b using vim.", Value(60, 60, known=False)),
        ("Reencrypt password store using new GPG id X (a).", Value(60, 60)),
        ("Save secret to a/b: Generated Password", Value(60, 120, partly=True)),
        ("Add given password for another to store.", Value(60, 60, known=False)),
        ("no program's", Value(60, 60, known=False)),
    ],
)
def test_subjects_of_pass_and_gopass(subject: str, value: Value) -> None:
    story = Story()
    story.commit("Add given password for a/b to store.", "a/b.gpg")
    story.commit(subject, "a/b.gpg")
    assert story.value("a/b.gpg") == value


def test_a_move_to_other_readers_and_a_copy() -> None:
    story = Story()
    (first,) = story.commit("Add given password for a/b to store.", "a/b.gpg")
    story.commit("Rename a to c/.", "c/b.gpg", gone=("a/b.gpg",))
    assert story.value("c/b.gpg") == Value(60, 60)
    story.commit("Copy c/b to d.", "d.gpg")
    assert story.value("d.gpg") == Value(60, 60)
    assert first in story.trace.sharing().of(story.now["d.gpg"])


def test_what_git_mv_and_another_program_made_may_be_what_was_removed() -> None:
    story = Story()
    (first,) = story.commit("Add given password for a/b to store.", "a/b.gpg")
    story.commit("moved by hand", "c/b.gpg", gone=("a/b.gpg",))
    assert story.value("c/b.gpg") == Value(60, 60, known=False)
    assert first in story.trace.sharing().of(story.now["c/b.gpg"])
    story.commit("a new file", "new.gpg")
    assert story.value("new.gpg") == Value(180, 180)


def test_what_comes_back_by_another_program_is_not_new() -> None:
    story = Story()
    (first,) = story.commit(said("value", "a.gpg"), "a.gpg")
    for subject in ("by hand", "Add password for a using vim.", said("meta", "a.gpg"), said("same", "a.gpg", "f" * 40)):
        story.commit("Remove a from store.", gone=("a.gpg",))
        story.commit(subject, "a.gpg")
        assert story.value("a.gpg") == Value(60, 60, known=False), subject
        assert first in story.trace.sharing().of(story.now["a.gpg"])
    story.commit("Remove a from store.", gone=("a.gpg",))
    story.commit("Add given password for a to store.", "a.gpg")
    assert story.value("a.gpg") == Value(story.time, story.time)


def test_the_same_as_what_nobody_has_says_nothing() -> None:
    story = Story()
    (first,) = story.commit(said("value", "a.gpg"), "a.gpg")
    story.commit(said("same", "a.gpg", "f" * 40), "a.gpg")
    assert story.value("a.gpg") == Value(60, 60, known=False)
    assert first in story.trace.sharing().of(story.now["a.gpg"])


def test_in_a_merge_only_what_is_in_no_parent_is_its_own() -> None:
    trace = Trace()
    steps = [
        Step("1", 10, parse("start"), [[("a.gpg", "", "A0")]]),
        Step("2", 20, parse(said("value", "a.gpg")), [[("a.gpg", "A0", "A1")]]),
        Step("3", 30, parse(said("part", "a.gpg")), [[("a.gpg", "A0", "A2")]]),
        Step("4", 40, parse("merge"), [[("a.gpg", "A1", "A3")], [("a.gpg", "A2", "A3")]]),
        Step("5", 50, parse("merge"), [[], [("a.gpg", "A1", "A3")]]),
    ]
    trace.add(steps)
    assert trace.values()["A3"] == Value(10, 30, partly=True, known=False)
    assert set(trace.sharing().of("A3")) == {"A3", "A1", "A2", "A0"}
    assert set(trace.sharing().of("A2")) == {"A2", "A0", "A3"}


def test_an_end_of_its_own_goes_with_the_text() -> None:
    story = Story()
    (first,) = story.commit(said("value", "a.gpg", due="2027-01-31"), "a.gpg")
    story.commit(said("rekey", "a.gpg"), "a.gpg")
    assert story.trace.origins[story.now["a.gpg"]].due == "2027-01-31"
    story.commit(said("meta", "a.gpg"), "a.gpg")
    assert story.trace.origins[story.now["a.gpg"]].due == ""
    story.commit(said("same", "b.gpg", first), "b.gpg")
    assert story.trace.origins[story.now["b.gpg"]].due == "2027-01-31"


@pytest.mark.parametrize("seed", range(30))
def test_a_random_history_is_as_a_model_that_knows_the_secrets(seed: int) -> None:
    """The model knows the secrets themselves; of a value that is known, the oldest one in use says the age."""
    rnd = random.Random(seed)
    story = Story()
    secrets: dict[str, list[tuple[int, int]]] = {}  # of each path: number and birth of each of its three secrets
    of_blob: dict[str, list[tuple[int, int]]] = {}
    count = 0

    def new() -> tuple[int, int]:
        nonlocal count
        count += 1
        return count, story.time + 60

    for _ in range(60):
        path = f"f{rnd.randrange(3)}/e{rnd.randrange(4)}.gpg"
        there = secrets.get(path)
        kind = rnd.choice(("value", "part", "meta", "rekey", "same", "move", "remove")) if there else "value"
        if kind == "remove":
            story.commit(compose("Remove x from store.", "remove", []), gone=(path,))
            del secrets[path]
            continue
        if kind == "move":
            target = f"g/{rnd.randrange(5)}.gpg"
            if target in secrets or there is None:
                continue
            note = compose("Rename", "move", [Change("same", target, story.now[path])])
            made = story.commit(note, target, gone=(path,))
            secrets[target] = secrets.pop(path)
            of_blob[made[0]] = secrets[target]
            continue
        source = rnd.choice([*of_blob]) if of_blob else ""
        if kind == "same":
            secrets[path] = of_blob[source]
        elif kind == "value" or there is None:
            kind, secrets[path] = "value", [new() for _ in range(3)]
        elif kind == "part":
            secrets[path] = [new(), *there[1:]]
        (blob,) = story.commit(said(kind, path, source if kind == "same" else None), path)
        of_blob[blob] = secrets[path]
    values, sharing = story.trace.values(), story.trace.sharing()
    for blob, held in of_blob.items():
        assert values[blob].since <= min(born for _, born in held)
        found = sharing.of(blob)
        same = {other for other, theirs in of_blob.items() if {n for n, _ in theirs} & {n for n, _ in held}}
        assert same <= found.keys()
        assert all(of_blob[other] == held for other, partly in found.items() if not partly)
