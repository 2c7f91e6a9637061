"""Two versions of a secret compared: every change is told, and no secret value is called public."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clave.model.difference import Difference, between

lines = st.sampled_from(
    (b"", b"pw", b"user: a", b"user: b", b"User: a", b"pin: 1", b"pin: 2", b"text", b"otpauth://totp/x?secret=A",
     b"password: x", b"notes: n", b"otp: 1", b"\xff", b"a\x00", b"url: https://x", b"user: a\r")
)  # fmt: skip
plaintexts = st.lists(lines, max_size=6).map(b"\n".join)


@given(old=st.none() | plaintexts, new=st.none() | plaintexts)
def test_something_is_told_exactly_if_something_differs(old: bytes | None, new: bytes | None) -> None:
    found = between(old, new)
    assert bool(found) == (old != new)
    for each in found:
        assert each.change == ("added" if each.old is None else "removed" if each.new is None else "changed")
        assert each.secret or each.part in ("user", "url")


def test_parts_are_told_by_name_and_only_what_is_public_may_be_shown() -> None:
    old = b"old\nuser: alice\npin: 1\nurl: https://x\nsome text\n"
    new = b"new\nuser: bob\nurl: https://x\nother text\notpauth://totp/x?secret=A\n"
    assert between(old, new) == [
        Difference("password", "changed", True, b"old", b"new"),
        Difference("user", "changed", False, b"alice", b"bob"),
        Difference("otp", "added", True, None, b"otpauth://totp/x?secret=A"),
        Difference("notes", "changed", True, b"some text", b"other text"),
        Difference("pin", "removed", True, b"1", None),
    ]


def test_several_fields_of_one_name_are_one_part() -> None:
    assert between(b"p\nurl: a\n", b"p\nurl: a\nURL: b\n") == [
        Difference("url", "changed", False, b"a", b"a\nb"),
    ]


def test_another_order_is_a_change_of_layout() -> None:
    (found,) = between(b"p\nuser: a\nurl: b\n", b"p\nurl: b\nuser: a\n")
    assert (found.part, found.change, found.secret) == ("layout", "changed", True)


def test_what_is_no_text_is_compared_as_a_whole() -> None:
    assert between(b"\x00\xff", b"text") == [Difference("content", "changed", True, b"\x00\xff", b"text")]
    assert between(None, b"\xff") == [Difference("content", "added", True, None, b"\xff")]
