"""Trees, ancestry and paths against models that are too simple to be wrong."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clave.team.ancestry import Ancestry
from clave.team.paths import Kind, Place, is_protected, may_change, place, roster_number, tree_problem
from clave.team.tree import MAX_DEPTH, Change, File, Tree
from tests.team.rosters import fingerprint, team

PATHS = [*"abc", *("".join(pair) for pair in itertools.product(("a/", "b/", "a/b/"), "abc"))]


def fits(paths: set[str]) -> bool:
    """Whether no path is a file and a folder."""
    return not any(path.startswith(f"{other}/") for path in paths for other in paths)


file_sets = st.dictionaries(
    st.sampled_from(PATHS), st.builds(File, st.just("100644"), st.sampled_from("12")), max_size=8
).filter(lambda files: fits(set(files)))


@given(before=file_sets, after=file_sets)
def test_a_tree_is_the_files_that_it_was_made_of(before: dict[str, File], after: dict[str, File]) -> None:
    changed = [Change(p, after.get(p)) for p in {*before, *after} if before.get(p) != after.get(p)]
    old, new = Tree.of(before), Tree.of(before).changed(changed)
    assert dict(new.files()) == after
    assert new == Tree.of(after)
    assert {path: new.get(path) for path in PATHS} == {path: after.get(path) for path in PATHS}
    assert dict(old.files()) == before
    expected = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    assert sorted(new.difference(old)) == sorted(old.difference(new)) == sorted(expected)
    for folder in ("", "a", "a/b", "b"):
        inside = [path for path in after if path.startswith(f"{folder}/".lstrip("/"))]
        assert (new.folder(folder) is not None) == bool(inside or not folder)


def test_what_is_a_file_and_a_folder_or_too_deep_is_no_tree() -> None:
    file = File("100644", "1")
    for files in (
        {"/a": file},
        {"a": file, "a/b": file},
        {"a/b": file, "a": file},
        {"a/" * (MAX_DEPTH + 1) + "b": file},
    ):
        with pytest.raises(ValueError, match=r"folder"):
            Tree.of(files)
    assert Tree.of({"a/" * MAX_DEPTH + "b": file}).get("a/" * MAX_DEPTH + "b") == file


@st.composite
def histories(draw: st.DrawFn) -> dict[str, tuple[str, ...]]:
    """Commits 1, 2, …: each but the first has one to three older parents."""
    parents: dict[str, tuple[str, ...]] = {"1": ()}
    for number in range(2, draw(st.integers(2, 12)) + 1):
        older = st.sampled_from([str(each) for each in range(1, number)])
        parents[str(number)] = tuple(draw(st.lists(older, min_size=1, max_size=3, unique=True)))
    return parents


@given(history=histories(), data=st.data())
def test_ancestry_is_that_of_the_sets_of_ancestors(history: dict[str, tuple[str, ...]], data: st.DataObject) -> None:
    before: dict[str, set[str]] = {}
    for commit, parents in history.items():
        before[commit] = {commit}.union(*(before[parent] for parent in parents))
    ancestry = Ancestry(history.__getitem__, "1")
    ours, theirs = (data.draw(st.sampled_from(sorted(history))) for _ in range(2))
    common = before[ours] & before[theirs]
    bases = {c for c in common if not any(c in before[other] for other in common - {c})}
    assert ancestry.split(ours, theirs) == (before[ours] - before[theirs], before[theirs] - before[ours], bases)
    assert ancestry.reaches(ours, theirs) == (theirs in before[ours])
    assert ancestry.before(ours) == before[ours]
    assert all(ancestry.generation(ours) > ancestry.generation(each) for each in before[ours] - {ours})


def test_a_long_history_needs_no_deep_recursion() -> None:
    ancestry = Ancestry(lambda commit: (str(int(commit) - 1),), "0")
    assert ancestry.generation("5000") == 5001
    assert len(ancestry.split("5000", "1").ours) == 4999
    assert ancestry.split("5000", "4999").ours == {"5000"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.gpg", Place(Kind.ENTRY)),
        ("a/b/c.gpg", Place(Kind.ENTRY, "a/b")),
        ("a/b/c.GPG", Place(Kind.OTHER)),
        ("a/.b.gpg", Place(Kind.OTHER)),
        ("a/.b/c.gpg", Place(Kind.OTHER)),
        (".gpg", Place(Kind.OTHER)),
        (".clave/x.gpg", Place(Kind.OTHER)),
        (".clave/pending/a/b", Place(Kind.PENDING, "a")),
        (".clave/pending/b", Place(Kind.PENDING)),
        (".clave/pending/.clave/b", Place(Kind.OTHER)),
        ("a/.gpg-id", Place(Kind.RECIPIENTS)),
        (".clave/pending/a/.gpg-id", Place(Kind.RECIPIENTS)),
        (f".public-keys/{fingerprint(1)}", Place(Kind.CERTIFICATE, fpr=fingerprint(1))),
        (f".public-keys/{fingerprint(10).lower()}", Place(Kind.OTHER)),
        (f".clave/log/{fingerprint(1)}/2026-01.jsonl", Place(Kind.LOG, fpr=fingerprint(1))),
        (f".clave/log/{fingerprint(1)}/٢٠٢٦-01.jsonl", Place(Kind.OTHER)),
        (".clave/roster/00001.toml", Place(Kind.ROSTER)),
        (".clave/roster/x/y", Place(Kind.ROSTER)),
        (".clave/policy.toml", Place(Kind.OTHER)),
        ("README", Place(Kind.OTHER)),
    ],
)
def test_what_a_path_is(path: str, expected: Place) -> None:
    assert place(path) == expected
    assert is_protected(path) == (path.startswith((".clave/", ".public-keys/")) or path.endswith(".gpg-id"))


def test_numbers_of_rosters() -> None:
    assert roster_number(".clave/roster/00012.toml") == 12
    for path in ("00000.toml", "12.toml", "00012.toml.sig", "00012.tomlx", "٠٠٠١٢.toml"):
        assert roster_number(f".clave/roster/{path}") is None


def test_who_may_change_what() -> None:
    roster = team("alice", "bob")
    alice, bob = (member.keys[0].fpr for member in roster.members)
    log = f".clave/log/{bob}/2026-01.jsonl"
    allowed = {
        "x/a.gpg": (True, True, False),
        ".clave/pending/x/a": (True, True, False),
        f".public-keys/{bob}": (True, True, False),
        f".public-keys/{alice}": (True, False, False),
        log: (False, True, False),
        ".gpg-id": (True, False, False),
        ".clave/policy.toml": (True, False, False),
        ".gitattributes": (True, False, False),
        "notes.txt": (True, False, False),
    }
    for path, expected in allowed.items():
        assert tuple(may_change(roster, fpr, path) for fpr in (alice, bob, "F" * 40)) == expected, path


@pytest.mark.parametrize(
    "path",
    [
        "-rf.gpg", " a.gpg", "a .gpg", "a.", "a./b.gpg", "a..gpg", "a\x1b[2J.gpg", "a\u202eb.gpg", "a\udcff.gpg",
        "a\n.gpg", "x" * 197 + ".gpg", "e\u0301.gpg", "../x", "a/./b", "a//b", ".git/config", ".GIT/config", "a/.git",
        ".gitmodules", "a/.GitModules", ".extensions/x", ".GPG-ID", "a/.Clave/x", ".Public-Keys/x",
        ".clave/pending/a.gpg", "KEPT.gpg", "Folder/new.gpg", "ÜBER.gpg", "u\u0308ber.gpg", "ﬀ/.gitmodules",
    ],
)  # fmt: skip
def test_names_that_may_not_be(path: str) -> None:
    file = File("100644", "1")
    before = Tree.of({"kept.gpg": file, "folder/kept.gpg": file, "über.gpg": file})
    assert tree_problem(before, Tree()) is None
    after = before.changed([Change(path, file)])
    problem = tree_problem(after, before)
    assert problem
    assert problem.isprintable()
    assert tree_problem(after, Tree()) is not None


@pytest.mark.parametrize("mode", ["100755", "120000", "160000", "040000", "100664"])
def test_modes_that_may_not_be(mode: str) -> None:
    before = Tree.of({"a.gpg": File("100644", "1")})
    assert "no ordinary file" in str(tree_problem(before.changed([Change("a.gpg", File(mode, "1"))]), before))


@given(before=file_sets, names=st.lists(st.text("aAbB.é-\u0301 /", min_size=1, max_size=5), max_size=4))
def test_looking_at_what_is_new_finds_what_looking_at_all_finds(before: dict[str, File], names: list[str]) -> None:
    old = Tree.of(before)
    try:
        new = old.changed(Change(name, File("100644", "3")) for name in names)
    except ValueError:
        return
    assert (tree_problem(new, old) is None) == (tree_problem(new, Tree()) is None)
