"""`clave set`: fields from prompts and pipes, and every other line as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clave.model.secret import Secret
from tests.cli.conftest import ENTRIES, SEED, User
from tests.cli.reading import terminal_output

if TYPE_CHECKING:
    from collections.abc import Sequence


def test_one_field_is_replaced_in_its_place(me: User) -> None:
    done = me.ok("set", "web/site", "user", input=b"you\n")
    assert (done.out, done.err) == (b"", b"")
    assert me.read("web/site") == ENTRIES["web/site"].replace(b"user: me", b"user: you")
    assert me.subjects()[0] == "Set user of web/site."
    assert "Clave-Change: meta web/site" in me.git("log", "-1", "--format=%B")


def test_several_fields_in_one_commit(me: User) -> None:
    commits = len(me.subjects())
    me.ok("set", "web/site", "password", "PIN", "URL", input=b"new pw\n1234\nhttps://x\n")
    lines = me.read("web/site").decode().splitlines()
    assert lines == ["new pw", "user: me", "url: https://x", "free text", SEED, "PIN: 1234"]
    assert len(me.subjects()) == commits + 1


def test_an_entry_that_is_not_there_is_made(me: User) -> None:
    me.ok("set", "new", "user", "password", input=b"me\npw\n")
    assert me.read("new") == b"pw\nuser: me\n"


def test_a_value_that_is_there_already_makes_no_commit(me: User) -> None:
    before = me.state()
    me.ok("set", "web/site", "user", input=b"me\n")
    assert me.state() == before


def test_fields_are_taken_away(me: User) -> None:
    me.ok("set", "--unset", "web/site", "user", "pin")
    assert me.read("web/site") == ENTRIES["web/site"].replace(b"user: me\n", b"")
    assert "new is not in the password store" in me.refused(3, "set", "--unset", "new", "user")


def test_on_a_terminal_each_value_is_asked_for_unseen(me: User) -> None:
    child = me.tty("set", "plain", "pin", "user")
    for field, text in (("pin", "1234"), ("user", "somebody")):
        child.expect_exact(f"{field} of plain: ")
        child.waitnoecho()
        child.sendline(text)
    said = terminal_output(child)
    assert child.exitstatus == 0
    assert b"1234" not in said + child.before
    assert me.read("plain") == ENTRIES["plain"] + b"pin: 1234\nuser: somebody\n"
    child = me.tty("set", "-e", "plain", "pin")
    child.expect_exact("pin of plain: ")
    child.sendline("5678")
    assert b"5678" in terminal_output(child)


@pytest.mark.parametrize("key", ["\x03", "\x04"])
def test_leaving_the_prompt_for_the_second_field_changes_nothing(me: User, key: str) -> None:
    before = me.state()
    child = me.tty("set", "plain", "pin", "user")
    child.expect_exact("pin of plain: ")
    child.waitnoecho()
    child.sendline("1234")
    child.expect_exact("user of plain: ")
    child.send(key)
    terminal_output(child)
    assert child.exitstatus == 130
    assert me.state() == before


@pytest.mark.parametrize("field", ["", "a:b", "a\nb", " x", "otpauth"])
def test_what_cannot_be_the_name_of_a_field(me: User, field: str) -> None:
    if field == "otpauth":
        me.ok("set", "plain", field, input=b"fine\n")  # `otpauth: fine` is a field, `otpauth://` a seed
        return
    assert "cannot be the name of a field" in me.refused(2, "set", "plain", field, input=b"x\n")


def test_a_pipe_that_ends_early_changes_nothing(me: User) -> None:
    assert "the input ended" in me.refused(130, "set", "plain", "user", "pin", input=b"me\n")


def test_no_field(me: User) -> None:
    assert "missing argument 'FIELD" in me.refused(2, "set", "plain")


LINES = st.lists(
    st.one_of(
        st.sampled_from(
            [b"user: me", b"user:me", b"User : x", b"pin: 1", b"free", b"", b"url: http://x\r", b"a: b: c"]
        ),
        st.binary(max_size=12).filter(lambda line: b"\n" not in line),
    ),
    max_size=8,
)
VALUES = st.binary(max_size=20).filter(lambda value: b"\n" not in value)


@given(LINES, st.booleans(), st.sampled_from(["user", "USER", "pin", "new field", "é"]), VALUES)
def test_setting_a_field_leaves_every_other_line_alone(
    lines: Sequence[bytes], final_newline: bool, field: str, value: bytes
) -> None:
    old = b"\n".join([b"pw", *lines]) + (b"\n" if final_newline else b"")
    secret = Secret(old)
    new = secret.with_field(field, value)
    assert new.with_field(field, value).plaintext == new.plaintext
    before, after = old.split(b"\n"), new.plaintext.split(b"\n")
    if secret.field(field) is None:
        assert new.plaintext == old + (b"" if old.endswith(b"\n") else b"\n") + field.encode() + b": " + value + b"\n"
    else:
        assert len(after) == len(before)
        assert len([1 for a, b in zip(before, after, strict=True) if a != b]) <= 1
    assert new.field(field) == value.strip(b" \t\r") or new.field(field) is not None
    assert new.without_field(field).plaintext.count(b"\n") == new.plaintext.count(b"\n") - 1
