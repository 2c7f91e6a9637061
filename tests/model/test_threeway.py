"""Two versions of a secret joined: no change of either side is lost, and what cannot be joined is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clave.model.threeway import TEXT, Apart, merge, merge_lines, parts

BASE = b"pw\nuser: me\nurl: https://example.org\nfirst note\nsecond note\nthird note\n"


@pytest.mark.parametrize(
    ("ours", "theirs", "joined"),
    [
        (BASE.replace(b"me", b"you"), BASE.replace(b"pw", b"new"), b"new\nuser: you" + BASE[11:]),
        (BASE + b"port: 1\n", BASE + b"host: h\n", BASE + b"host: h\nport: 1\n"),
        (BASE + b"port: 1\n", BASE + b"fourth note\n", BASE.replace(b"first", b"port: 1\nfirst") + b"fourth note\n"),
        (BASE + b"port: 1\n", BASE + b"port: 1\n", BASE + b"port: 1\n"),
        (BASE.replace(b"first", b"1st"), BASE.replace(b"third", b"3rd"), None),
        (BASE.replace(b"user: me\n", b""), BASE.replace(b"example", b"other"), None),
        (BASE.replace(b"me", b"you"), BASE[:-1], BASE.replace(b"me", b"you")[:-1]),
    ],
)
def test_what_joins(ours: bytes, theirs: bytes, joined: bytes | None) -> None:
    wanted = joined or _both(ours, theirs)
    assert merge(BASE, ours, theirs) == wanted


def _both(ours: bytes, theirs: bytes) -> bytes:
    """Return the text that has, line by line, what differs from BASE in one of the two."""
    if b"1st" in ours:
        return BASE.replace(b"first", b"1st").replace(b"third", b"3rd")
    return ours.replace(b"example", b"other")


@pytest.mark.parametrize(
    ("base", "ours", "theirs"),
    [
        (BASE, BASE.replace(b"pw", b"one"), BASE.replace(b"pw", b"two")),
        (BASE, BASE.replace(b"me", b"you"), BASE.replace(b"user: me\n", b"")),
        (BASE, BASE + b"port: 1\n", BASE + b"Port: 2\n"),
        (BASE, BASE.replace(b"first", b"1st"), BASE.replace(b"first", b"number 1")),
        (BASE, BASE.replace(b"first", b"1st"), BASE.replace(b"second", b"2nd")),
        (BASE, BASE + b"fourth\n", BASE + b"another fourth\n"),
        (BASE, BASE + b"otpauth://totp/x?secret=A\n", BASE + b"otpauth://totp/x?secret=B\n"),
        (None, b"one\n", b"two\n"),
        (b"\xff\x00", b"\xff\x01", b"\xff\x02"),
        (b"pw\0", b"pw\0\nuser: a\n", b"pw\0\nurl: b\n"),
        (b"-----BEGIN X\na\nb\nc\n", b"-----BEGIN X\nA\nb\nc\n", b"-----BEGIN X\na\nb\nC\n"),
    ],
)
def test_what_does_not_join(base: bytes | None, ours: bytes, theirs: bytes) -> None:
    assert merge(base, ours, theirs) is None
    assert merge(base, theirs, ours) is None


def test_several_fields_of_one_name_are_one_part() -> None:
    base = b"pw\ncode: 1\ncode: 2\n"
    assert merge(base, b"pw\ncode: 2\n", b"new\ncode: 1\ncode: 2\n") == b"new\ncode: 2\n"
    assert merge(base, b"pw\ncode: 2\n", b"pw\ncode: 1\ncode: 3\n") is None


def test_line_ends_stay() -> None:
    base = b"pw\r\nuser: a\r\nurl: b\r\n"
    assert merge(base, base.replace(b"a", b"x"), base.replace(b"b", b"y")) == b"pw\r\nuser: x\r\nurl: y\r\n"


# Properties. Values are numbered, so that each can be told from all others.

NAMES = ("user", "url", "Port", "pin")
free_text = st.lists(st.sampled_from(("", "note", "more", "- list", "other")), max_size=5)


@st.composite
def secrets(draw: st.DrawFn) -> bytes:
    lines = [draw(st.sampled_from(("pw", "other", "")))]
    for line in draw(free_text):
        lines.append(line)
        if draw(st.booleans()):
            lines.append(f"{draw(st.sampled_from(NAMES))}: {draw(st.integers(0, 3))}")
    if draw(st.booleans()):
        lines.append(f"otpauth://totp/x?secret={draw(st.integers(0, 2))}")
    return ("\n".join(lines) + draw(st.sampled_from(("", "\n")))).encode()


@given(secrets(), secrets())
def test_what_one_side_alone_changed_is_that_sides(base: bytes, other: bytes) -> None:
    assert merge(base, other, base) == other
    assert merge(base, base, other) == other
    assert merge(base, other, other) == other


@given(secrets(), secrets(), secrets())
def test_each_part_is_that_of_the_side_that_changed_it(base: bytes, ours: bytes, theirs: bytes) -> None:
    joined = merge(base, ours, theirs)
    before, here, there = parts(base), parts(ours), parts(theirs)
    parts_of_all = {*before, *here, *there}
    both = [part for part in parts_of_all if len({before.get(part), here.get(part), there.get(part)}) == 3]
    if joined is None:
        assert both
        return
    assert set(both) <= {TEXT}
    after = parts(joined)
    for part in {*before, *here, *there} - {TEXT}:
        changed = here if here.get(part) != before.get(part) else there
        assert after.get(part) == changed.get(part)
    if TEXT not in both:
        changed = here if here.get(TEXT) != before.get(TEXT) else there
        assert after.get(TEXT) == changed.get(TEXT)
    else:
        for side in (here, there):
            for line in set(side.get(TEXT, ())) - set(before.get(TEXT, ())):
                assert line in after[TEXT]


@given(secrets(), secrets(), secrets())
def test_whose_side_is_whose_decides_no_part(base: bytes, ours: bytes, theirs: bytes) -> None:
    one, other = merge(base, ours, theirs), merge(base, theirs, ours)
    assert (one is None) == (other is None)
    if one is not None and other is not None:
        assert parts(one) == parts(other)


lines = st.lists(st.sampled_from((b"a", b"b", b"c", b"")), max_size=8)


@given(lines, st.data())
def test_edits_of_lines_that_are_apart_are_both_made(base: list[bytes], data: st.DataObject) -> None:
    """Two edits with an untouched line of its own kind between them join to what both together are."""
    base = [b"%d" % number for number in range(len(base) + 4)]
    cut = data.draw(st.integers(1, len(base) - 2))
    ours = [*data.draw(lines), *base[cut:]]
    theirs = [*base[: cut + 1], *data.draw(lines)]
    assert merge_lines(base, ours, theirs) == [*ours[: len(ours) - len(base) + cut], base[cut], *theirs[cut + 1 :]]


@given(lines, lines, lines)
def test_no_line_is_invented_or_lost(base: list[bytes], ours: list[bytes], theirs: list[bytes]) -> None:
    try:
        joined = merge_lines(base, ours, theirs)
    except Apart:
        return
    for line in {*base, *ours, *theirs, *joined}:
        counts = [each.count(line) for each in (base, ours, theirs)]
        both_ways = counts[1] + counts[2] - counts[0]
        assert min(*counts[1:], both_ways) <= joined.count(line) <= max(*counts[1:], both_ways)


def test_very_long_text_is_not_compared() -> None:
    base = b"pw\n" + b"x\n" * 6000
    assert merge(base, base + b"a\n", b"b\n" + base[3:] + b"c\n") is None
