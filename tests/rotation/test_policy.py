"""What a policy says of a name, against a model of one pattern at a time; and everything that is no policy."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from clave.errors import UsageError
from clave.rotation.policy import EVENTS, Generate, Policy, Rule, age, parse, pattern_problem

PLAN = b"""\
max_age = "30d"                  # a comment

[paths."**"]
rotate = "1y"
owner = "alice"
generate = { length = 40, symbols = false }

[paths."prod/"]
rotate = "90d"
driver = "postgresql"
driver_options = { host = "db1", port = 5432 }

[paths."prod/*/db*"]
driver_options.host = "db2"
generate.charset = "a-z"

[paths."people"]
rotate = "never"
on = []
min_entropy = 60
generate = { words = 6 }

[paths."people/eve#1.example"]
driver = "manual"
expires = 2027-01-31
"""


def test_the_most_specific_pattern_wins_key_by_key() -> None:
    policy = parse(PLAN)
    assert policy.max_age == timedelta(days=30)
    assert policy.rule("a").rotate == timedelta(days=365)
    assert policy.rule("a").generate == Generate(length=40, symbols=False)
    in_prod = policy.rule("prod/q/db1")
    assert in_prod == Rule(
        pattern="prod/*/db*",
        rotate=timedelta(days=90),
        owner="alice",
        driver="postgresql",
        options={"host": "db2", "port": 5432},
        generate=Generate(length=40, charset="a-z"),
    )
    assert policy.rule("prod/q/db1/below") == in_prod
    assert policy.rule("prod/db1").options == {"host": "db1", "port": 5432}
    eve = policy.rule("people/eve#1.example")
    assert (eve.rotate, eve.on, eve.expires, eve.min_entropy) == (None, frozenset(), date(2027, 1, 31), 60.0)
    assert eve.generate == Generate(words=6)
    assert policy.rule("people/eve").on == frozenset()
    assert policy.rule("a").on == EVENTS


def test_another_driver_begins_with_no_options() -> None:
    policy = parse(
        b'[paths."a"]\ndriver = "postgresql"\ndriver_options = { host = "h" }\n[paths."a/b"]\ndriver = "manual"\n'
    )
    assert policy.rule("a/b").options == {}
    assert [each.key for each in policy.why("a/b")] == ["driver"]
    assert policy.rule("a/c").options == {"host": "h"}


def test_it_is_told_which_line_says_so() -> None:
    why = {each.key: each for each in parse(PLAN).why("prod/q/db1")}
    assert {key: (each.value, each.pattern, each.where) for key, each in why.items()} == {
        "rotate": ("90d", "prod", ".clave/policy.toml, line 9"),
        "owner": ("alice", "**", ".clave/policy.toml, line 5"),
        "driver": ("postgresql", "prod", ".clave/policy.toml, line 10"),
        "driver_options.host": ("db2", "prod/*/db*", ".clave/policy.toml, line 14"),
        "driver_options.port": ("5432", "prod", ".clave/policy.toml, line 11"),
        "generate.charset": ("a-z", "prod/*/db*", ".clave/policy.toml, line 15"),
        "generate.length": ("40", "**", ".clave/policy.toml, line 6"),
    }
    assert {each.where for each in parse(PLAN).why("people/eve#1.example") if each.key == "expires"} == {
        ".clave/policy.toml, line 25"
    }


def test_no_policy_wants_nothing() -> None:
    assert Policy().rule("a/b") == Rule() == parse(b"").rule("x")
    assert Policy().why("a") == []


# What the rules say, one pattern at a time.

parts = st.text("ab*?", min_size=1, max_size=4).filter(lambda part: "**" not in part)
patterns = st.lists(st.one_of(parts, st.just("**")), min_size=1, max_size=4).map("/".join)
names = st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=5).map("/".join)


def holds(pattern: str, name: str) -> bool:
    """Tell by regular expressions whether a pattern matches a name, or a folder above it."""
    expression = ""
    for part in pattern.split("/"):
        one = "".join("[^/]*" if c == "*" else "[^/]" if c == "?" else c for c in part)
        expression += "(?:[^/]+/)*" if part == "**" else f"{one}/"
    ways = name.split("/")
    above = ["".join(f"{way}/" for way in ways[:count]) for count in range(len(ways) + 1)]
    return any(re.fullmatch(expression, folder) for folder in above)


@given(pattern=patterns, name=names)
@example(pattern="**/b", name="b")
@example(pattern="a/**", name="a")
@example(pattern="a/**/b", name="a/b/x")
def test_a_pattern_holds_for_what_it_matches_and_all_below(pattern: str, name: str) -> None:
    assert parse(f"[paths.{json.dumps(pattern)}]\n".encode()).matches(pattern, name) == holds(pattern, name)


@given(chosen=st.lists(patterns, min_size=1, max_size=6, unique=True), several=st.lists(names, max_size=8))
def test_of_several_patterns_the_most_specific_one_decides(chosen: list[str], several: list[str]) -> None:
    text = "".join(f"[paths.{json.dumps(each)}]\nowner = {json.dumps(each)}\n" for each in chosen)
    policy = parse(text.encode())

    def rank(pattern: str) -> tuple[int, int, int]:
        wild = pattern.count("*") + pattern.count("?")
        return len(pattern) - wild - pattern.count("/"), -wild, chosen.index(pattern)

    for name in several:
        able = [each for each in chosen if holds(each, name)]
        best = max(able, key=rank, default=None)
        assert policy.rule(name).owner == best
        assert policy.rule(name).pattern == (best or "")


def test_a_pattern_made_to_take_long_does_not() -> None:
    nasty = "/".join(["*a" * 60 + "b", "**", "*a" * 60 + "b", "**", "*"])
    policy = parse(f"[paths.{json.dumps(nasty)}]\nrotate = '1d'\n".encode())
    assert policy.rule("/".join(["a" * 200] * 20)) == Rule()


@given(data=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_any_bytes_are_a_policy_or_one_clear_error(data: bytes) -> None:
    told = ""
    try:
        parse(data)
    except UsageError as error:
        told = error.message
    assert not told or told.startswith(".clave/policy.toml")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("max_age = 3", 1, "must be a time"),
        ("\nrotate = '90d'", 2, "there is no 'rotate'"),
        ("[path.a]\n", 1, "there is no 'path' in a policy. Did you mean 'paths'?"),
        ("[paths.a]\n\nrotat = '1d'", 3, "there is no 'rotat' in a policy. Did you mean 'rotate'?"),
        ("[paths.a]\nrotate = '90 days'", 2, "must be a time such as"),
        ("[paths.a]\nrotate = 90", 2, "must be a time"),
        ("[paths.a]\nexpires = '2027-01-31'", 2, "without quotes"),
        ("[paths.a]\nexpires = 2027-01-31T10:00:00", 2, "must be a day"),
        ("[paths.a]\non = 'leaver'", 2, "must be a list"),
        ("[paths.a]\non = ['left']", 2, "must be a list of some of exposure, leaver"),
        ('[paths.a]\nowner = "a\\u001b[2J"', 2, "must be the name"),
        ("[paths.a]\ndriver = '../x'", 2, "name of a driver"),
        ("[paths.a]\ndriver = 'command:/bin/sh'", 2, "name of a driver"),
        ("[paths.a]\ndriver_options = { x = { y = 1 } }", 2, "must be text, a number"),
        ("[paths.a]\ndriver_options = { 'a b' = 1 }", 2, "no option can have"),
        ("[paths.a]\ngenerate = { words = 5, length = 3 }", 2, "nothing else"),
        ("[paths.a]\ngenerate = { charset = 'a-z', symbols = true }", 2, "one of them decides"),
        ("[paths.a]\ngenerate = { length = 0 }", 2, "from 1 to"),
        ("[paths.a]\ngenerate = { length = true }", 2, "from 1 to"),
        ("[paths.a]\ngenerate = { lenght = 3 }", 2, "Did you mean 'length'?"),
        ("[paths.a]\nmin_entropy = -1", 2, "number of bits"),
        ("[paths.a]\nmin_entropy = true", 2, "number of bits"),
        ("[paths.a]\nmin_entropy = nan", 2, "number of bits"),
        ("[paths.'../a']\n", 1, "is no pattern"),
        ("[paths.'/a']\n", 1, "is no pattern"),
        ("[paths.'a**']\n", 1, "'**' stands alone"),
        ("# [\n[paths.a]\n[paths.'a/']\n", 3, "stands there twice"),
        ("paths = 3", 1, "must be tables"),
        ("[paths]\na = 3", 2, "must be a table"),
        ("[paths.a]\nx = = 1", 2, "is not TOML"),
        (f"# {'x' * 5000}", 1, "longer than"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text.encode())
    told = caught.value.line()
    assert told.startswith(f".clave/policy.toml, line {line}")
    assert said in told
    assert told.isprintable()


@pytest.mark.parametrize("data", [b"#" * 100 + b"\n" + b"# x\n" * 20_000, b"\xff", b"[" * 3000])
def test_what_is_too_much_is_refused(data: bytes) -> None:
    with pytest.raises(UsageError, match=r"^\.clave/policy\.toml"):
        parse(data)


def test_there_is_a_most_of_patterns() -> None:
    text = "".join(f"[paths.a{number}]\n" for number in range(1001))
    with pytest.raises(UsageError, match="more than 1000 patterns"):
        parse(text.encode())


@given(number=st.integers(0, 99_999), unit=st.sampled_from("hdwy"))
def test_an_age(number: int, unit: str) -> None:
    hours = number * {"h": 1, "d": 24, "w": 168, "y": 8760}[unit]
    assume(hours <= 100 * 8760)
    assert age(f"{number}{unit}") == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "d", "1", "1m", "-1d", "1.5d", "1d ", "100000d", "99999y", "٣d"])
def test_no_age(text: str) -> None:
    assert age(text) is None


@pytest.mark.parametrize("pattern", ["", "a//b", "a/", "..", "a\nb", "x" * 501, "a/**b"])
def test_no_pattern(pattern: str) -> None:
    assert pattern_problem(pattern)
