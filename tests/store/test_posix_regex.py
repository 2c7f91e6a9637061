"""Our reading of grep's expressions beside grep's own, on lines made to tell them apart."""

from __future__ import annotations

import re
import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clave.errors import UsageError
from clave.store.posix_regex import translate

LINES = [
    *("a", "ab", "aa", "aab", "abab", "b a", "baba", "a-b", "_x", "1", "A", "é", "É", "É1", "E", "", " "),
    *("*a", "a*", "+", "a+b", "a{1", "{1}", "{", "}", "a{x", "(", ")", "a)", "[", "]", "|", "a|b"),
    *("^a", "a^b", "a$b", "a\\b", "d", "user: bob", "https://a.example/?q=1", "\t", "a\r", "ß", "ſ"),
]

# Pieces of expressions. A quantifier behind an assertion or an anchor is left out below: grep's own two
# engines disagree about it.
PIECES = [
    *("a", "b", "é", "1", " ", ".", "*", "+", "?", "^", "$", "(", ")", "|", "{", "}", ",", "[", "]", "-", "\\"),
    *(r"\(", r"\)", r"\|", r"\{", r"\}", r"\+", r"\?", r"\1", r"\w", r"\W", r"\s", r"\b", r"\<", r"\>", r"\."),
    *("{1}", "{1,2}", "{,1}", r"\{1,2\}", r"\{2\}", "[ab]", "[^a]", "[a-c]", "[]a]", "[[:digit:]]"),
    "[^[:alpha:]]",
]
ODD = re.compile(r"(^|[(|^]|\\[<>b`'(|]|\\[a-zA-Z]\$)(\\?\{|\\?[+?*])")


def grep(pattern: str, *options: str) -> list[str] | None:
    """The lines that GNU grep selects, None where it refuses the expression."""
    done = subprocess.run(
        ["grep", "-n", *options, "--", pattern],
        input="\n".join(LINES).encode() + b"\n",
        capture_output=True,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        check=False,
    )
    if done.returncode > 1:
        return None
    return [LINES[int(line.split(b":")[0]) - 1] for line in done.stdout.splitlines()]


def ours(patterns: list[str], *, extended: bool, flags: int = 0) -> list[str] | None:
    try:
        expression = re.compile(translate(patterns, extended=extended), flags)
    except UsageError:
        return None
    return [line for line in LINES if expression.search(line)]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join).filter(lambda p: not ODD.search(p)))
@example(r"\(a\|b\)*\1")
@example("^^")
@example("a**")
@example("[:alpha:]")
@example("[b-a]")
@example("a{}")
@example("a{,}")
@example("a{,,")
@example("a{1,2,}")
@example("a{,2x")
@example("{,,")
@example("({})")
def test_selects_the_lines_that_grep_selects(pattern: str) -> None:
    assert ours([pattern], extended=False) == grep(pattern)
    assert ours([pattern], extended=True) == grep(pattern, "-E")


@pytest.mark.parametrize("name", ["alnum", "alpha", "blank", "cntrl", "digit", "graph"])
def test_classes(name: str) -> None:
    assert ours([f"^[[:{name}:]]"], extended=False) == grep(f"^[[:{name}:]]")


@pytest.mark.parametrize("name", ["lower", "print", "punct", "space", "upper", "xdigit"])
def test_more_classes(name: str) -> None:
    assert ours([f"[^[:{name}:]]"], extended=True) == grep(f"[^[:{name}:]]", "-E")


@pytest.mark.parametrize("pattern", ["*a", "^*a", r"\(*a\)", r"\+", "{1}", r"\{1\}", r"a\|^b", r"\(a$\)", "$*", r"\d"])
def test_what_begins_with_a_quantifier(pattern: str) -> None:
    assert ours([pattern], extended=False) == grep(pattern)


@pytest.mark.parametrize("pattern", ["*a", "^*", "+", "(*a)", "a|*b", "()", "a||b", "(|a)b", "a{1", "a{x", ")", "{"])
def test_what_begins_with_a_quantifier_in_an_extended_one(pattern: str) -> None:
    assert ours([pattern], extended=True) == grep(pattern, "-E")


def test_case_is_ignored_as_grep_does() -> None:
    assert ours(["É"], extended=False, flags=re.IGNORECASE) == grep("É", "-i") == ["é", "É", "É1"]


def test_back_references_of_a_second_pattern_are_its_own() -> None:
    patterns = [r"\(x\)\1", r"\(a\)\1"]
    assert ours(patterns, extended=False) == grep("\n".join(patterns)) == ["aa", "aab"]


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("a\\", "ends with a backslash"),
        (r"\(", "a group is not closed"),
        (r"\)", r"\\\) closes no group"),
        (r"\1", r"\\1 refers to no group"),
        ("[a", r"\[ is not closed"),
        ("[[:foo:]]", "there is no class"),
        ("[[:alpha]", "is not closed"),
        (r"a\{2,1\}", "ends before it begins"),
        (r"a\{99999\}", "too large"),
    ],
)
def test_says_what_is_wrong(pattern: str, reason: str) -> None:
    assert grep(pattern) is None
    with pytest.raises(UsageError, match=reason):
        translate([pattern], extended=False)
