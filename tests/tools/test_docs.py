from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import docs
import man

LINES = st.lists(st.text(st.sampled_from("ab .*$>é"), max_size=6), max_size=5)


def _document(*lines: str, changes: str = "") -> str:
    comment = [f"<!-- changes: {changes} -->"] if changes else []
    return "\n".join(["# Title", "", *comment, "```console", *lines, "```", "", "The end.", ""])


def test_a_right_document_stays_as_it_is() -> None:
    document = _document(
        "$ printf 'one\\ntwo\\n'", "one", "two",
        "$ cat <<END", "> three", "> END", "three",
        "$ false", "$ echo $?", "1",
        "$ git config user.name; gpg -K --with-colons | grep -c ^ssb", "Alice", "1",
    )  # fmt: skip
    assert docs.check(document) == document


def test_a_wrong_output_is_renewed() -> None:
    assert docs.check(_document("$ echo two >&2", "one")) == _document("$ echo two >&2", "two")
    assert docs.check(_document("$ printf '1\\n2'")) == _document("$ printf '1\\n2'", "1", "2")
    assert docs.check(_document("$ true", "one")) == _document("$ true")


def test_what_was_said_to_change_may_change() -> None:
    document = _document(
        "$ date +'today is %F, week %V.'", "today is 2001-02-03, week 99.",
        "$ seq 9; echo x", "1", "…", "9", "…",
        changes="2001-02-03 | 99",
    )  # fmt: skip
    assert docs.check(document) == document


def test_a_line_that_still_holds_is_kept_beside_one_that_does_not() -> None:
    old = _document("$ date +'today is %F%nand more'", "today is 2001-02-03", changes="2001-02-03")
    assert docs.check(old) == old.replace("2001-02-03\n```", "2001-02-03\nand more\n```")


def test_commands_that_the_reader_does_not_see_come_first() -> None:
    document = "<!-- before\nmkdir store\ntouch store/{a,b}\n-->\n\n" + _document("$ ls -1 store", "a", "b")
    assert docs.check(document) == document


@pytest.mark.parametrize("failing", ["$ cat missing", "$ echo fine; false", "$ exit 3"])
def test_a_command_that_fails_unsaid_is_refused(failing: str) -> None:
    with pytest.raises(docs.Wrong):
        docs.check(_document(failing, "…"))


def test_hidden_commands_may_not_fail() -> None:
    with pytest.raises(docs.Wrong, match="cat missing"):
        docs.check("<!-- before\ncat missing\n-->\n")


def test_output_before_the_first_command_is_refused() -> None:
    with pytest.raises(docs.Wrong, match="no command"):
        docs.check(_document("no command"))


def test_output_is_that_of_a_terminal_at_which_nobody_sits() -> None:
    document = _document("$ test -t 1 -a -t 2 && echo shown", "shown", "$ test -t 0 || echo 'no answer'", "no answer")
    assert docs.check(document) == document


def test_another_block_is_left_alone() -> None:
    document = "```sh\n$ exit 9\n```\n"
    assert docs.blocks(document) == []
    assert docs.check(document) == document


@given(shown=LINES, printed=LINES)
def test_lines_agree_if_they_are_equal(shown: list[str], printed: list[str]) -> None:
    assert docs.agree(shown, printed, []) == (shown == printed)
    assert docs.agree(shown, docs.renewed(shown, printed, []), []) is (shown == printed)
    assert docs.renewed(shown, printed, []) == printed


@given(LINES, LINES, LINES)
def test_an_ellipsis_stands_for_any_lines(first: list[str], skipped: list[str], last: list[str]) -> None:
    assert docs.agree([*first, "…", *last], [*first, *skipped, *last], [])


def test_the_page_for_scripts_has_every_exit_code() -> None:
    page = (docs.ROOT / "docs/scripting.md").read_text()

    assert [int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)] == list(man.exit_codes())
