"""What becomes of each path of two trees, decided by their files alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clave.store.share.merging import Three, decide
from clave.vcs.graph import File, Files

A, B, C, D = (File("100644", each * 40) for each in "abcd")
PATHS = ("x.gpg", "y.gpg", "z/x.gpg", ".gpg-id")


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "taken", "both"),
    [
        ({"x": A}, {"x": A}, {"x": B}, {"x": B}, ()),
        ({"x": A}, {"x": B}, {"x": A}, {"x": B}, ()),
        ({"x": A}, {"x": B}, {"x": B}, {}, ()),
        ({"x": A}, {}, {"x": A}, {"x": None}, ()),
        ({"x": A}, {"x": A}, {}, {"x": None}, ()),
        ({}, {"x": A}, {}, {"x": A}, ()),
        ({}, {"x": A}, {"x": B}, {}, ("x",)),
        ({"x": A}, {"x": B}, {"x": C}, {}, ("x",)),
        ({"x": A}, {}, {"x": B}, {}, ("x",)),
        ({"x": A}, {"x": B}, {}, {}, ("x",)),
        ({"x": File("", "")}, {"x": A}, {"x": B}, {}, ("x",)),  # not clear what it was
    ],
)
def test_a_path(base: Files, ours: Files, theirs: Files, taken: dict[str, File | None], both: tuple[str, ...]) -> None:
    found = decide(base, ours, theirs, {}, {})
    assert {path: each.file for path, each in found.taken.items()} == taken
    assert tuple(found.both) == both


def test_a_move_on_one_side_and_an_edit_on_the_other() -> None:
    base: Files = {"x": A}
    found = decide(base, {"y": A}, {"x": B}, {"x": "y"}, {})
    assert found.taken["x"].file is None
    assert found.both == {"y": Three(A, A, B, "y", "x")}
    found = decide(base, {"x": B}, {"y": A}, {}, {"x": "y"})
    assert found.taken["x"].file is None
    assert found.both == {"y": Three(A, B, A, "x", "y")}


def test_an_edit_does_not_follow_a_move_to_where_something_is() -> None:
    found = decide({"x": A}, {"y": A}, {"x": B, "y": C}, {"x": "y"}, {})
    assert found.both == {"x": Three(A, None, B, "x", "x"), "y": Three(None, A, C, "y", "y")}


def test_what_was_put_in_the_place_of_a_moved_one_is_no_edit_of_it() -> None:
    """One moved x over y, the other y over x: nothing goes back to what it was, and both are kept."""
    base: Files = {"x": A, "y": B}
    for their_moves in ({"y": "x"}, {}):  # seen, and not seen, as a move
        found = decide(base, {"y": A}, {"x": B}, {"x": "y"}, their_moves)
        assert found.both == {"x": Three(A, None, B, "x", "x"), "y": Three(B, A, None, "y", "y")}
        found = decide(base, {"x": B}, {"y": A}, their_moves, {"x": "y"})
        assert found.both == {"x": Three(A, B, None, "x", "x"), "y": Three(B, None, A, "y", "y")}


def test_both_moved_it() -> None:
    found = decide({"x": A}, {"y": B}, {"y": C}, {"x": "y"}, {"x": "y"})
    assert found.both == {"y": Three(A, B, C, "y", "y")}
    found = decide({"x": A}, {"y": B}, {"z": C}, {"x": "y"}, {"x": "z"})
    assert {path: each.file for path, each in found.taken.items()} == {"y": B, "z": C}


trees = st.dictionaries(st.sampled_from(PATHS), st.sampled_from((A, B, C, D)))


@st.composite
def sides(draw: st.DrawFn) -> tuple[Files, Files, Files, dict[str, str], dict[str, str]]:
    base, ours, theirs = draw(trees), draw(trees), draw(trees)
    return base, ours, theirs, draw(moves(base, ours)), draw(moves(base, theirs))


def moves(base: Files, side: Files) -> st.SearchStrategy[dict[str, str]]:
    """Some of the moves that there may have been: each to a place of its own."""
    gone, there = sorted(base.keys() - side.keys()), sorted(side)
    return st.permutations(there).map(lambda places: dict(zip(gone, places, strict=False)))


@given(sides())
def test_no_file_of_either_side_is_dropped(
    case: tuple[Files, Files, Files, dict[str, str], dict[str, str]],
) -> None:
    """What a side has changed is taken, or is joined with what the other has; or both have the same."""
    base, ours, theirs, *_ = case
    found = decide(*case)
    result: Files = {**ours}
    for path, taken in found.taken.items():
        if taken.file:
            result[path] = taken.file
            assert taken.side[taken.source] == taken.file
        else:
            result.pop(path, None)
    kept = {*result.values()}
    for three in found.both.values():
        kept |= {file for file in (three.ours, three.theirs) if file}
    for side in (ours, theirs):
        for path, file in side.items():
            if base.get(path) != file:
                assert file in kept
    assert not found.taken.keys() & found.both.keys()
    for path, three in found.both.items():
        assert three.ours == ours.get(three.here)
        assert three.theirs == theirs.get(three.there)
        assert path in (three.here, three.there)
