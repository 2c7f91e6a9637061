"""What has to be done about an entry: of each end and event, and of all of them together."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clave.rotation import duties
from clave.rotation.duties import Entry, Kind, State
from clave.rotation.policy import Rule
from clave.rotation.values import Value

TODAY = date(2026, 11, 25)
SOON = timedelta(days=14)
NOBODY: frozenset[str] = frozenset()


def seconds(day: date) -> int:
    return (day - date(1970, 1, 1)).days * 86_400


def only(entry: Entry, rule: Rule, left: frozenset[str] = NOBODY) -> tuple[Kind, State, date | None]:
    (duty,) = duties.of_entry(entry, rule, TODAY, SOON, left)
    return duty.kind, duty.state, duty.when


@pytest.mark.parametrize(
    ("age", "state"),
    [
        (90, State.OVERDUE),
        (300, State.OVERDUE),
        (89, State.SOON),
        (76, State.SOON),
        (75, State.LATER),
        (0, State.LATER),
    ],
)
def test_a_value_is_as_old_as_it_may_be(age: int, state: State) -> None:
    since = TODAY - timedelta(days=age)
    entry = Entry("a", Value(seconds(since), seconds(TODAY)))
    rule = Rule(rotate=timedelta(days=90), owner="alice")
    assert only(entry, rule) == (Kind.ROTATE, state, since + timedelta(days=90))
    (duty,) = duties.of_entry(entry, rule, TODAY, SOON, NOBODY)
    assert duty.owners == ("alice",)
    assert duty.mend == "clave rotate a"


def test_an_end_of_the_policy_is_met_by_a_value_of_that_day() -> None:
    rule = Rule(expires=date(2026, 11, 1))
    before, after = date(2026, 10, 31), date(2026, 11, 1)
    assert only(Entry("a", Value(seconds(before), 0)), rule) == (Kind.EXPIRES, State.OVERDUE, date(2026, 11, 1))
    assert not list(duties.of_entry(Entry("a", Value(seconds(after), 0)), rule, TODAY, SOON, NOBODY))
    assert only(Entry("a"), rule)[1] is State.OVERDUE


def test_of_several_ends_the_first_counts() -> None:
    value = Value(seconds(TODAY), seconds(TODAY))
    rule = Rule(rotate=timedelta(days=10), expires=date(2026, 12, 24))
    entry = Entry("a", value, end=date(2026, 12, 3))
    (duty,) = duties.of_entry(entry, rule, TODAY, SOON, NOBODY)
    assert (duty.kind, duty.when, duty.mend) == (Kind.EXPIRES, date(2026, 12, 3), "clave edit a")
    assert only(entry._replace(end=None), rule) == (Kind.ROTATE, State.SOON, date(2026, 12, 5))


@pytest.mark.parametrize(
    ("former", "on", "listed"),
    [
        (("bob",), {"leaver"}, True),
        (("bob",), {"exposure"}, False),
        (("carol",), {"leaver"}, False),
        (("carol",), {"exposure"}, True),
        (("bob", "carol"), {"exposure"}, True),
        (("bob", "carol"), {"leaver"}, False),
        (("bob",), set(), False),
    ],
)
def test_events_are_those_that_the_policy_names(former: tuple[str, ...], on: set[str], listed: bool) -> None:
    found = list(duties.of_entry(Entry("a", former=former), Rule(on=frozenset(on)), TODAY, SOON, frozenset(("bob",))))
    assert [duty.state for duty in found] == ([State.EXPOSED] if listed else [])


def test_what_another_program_did_is_said() -> None:
    value = Value(seconds(TODAY), seconds(TODAY), known=False)
    (duty,) = duties.of_entry(Entry("a", value), Rule(rotate=timedelta()), TODAY, SOON, NOBODY)
    assert "unless another program" in duty.why


days = st.dates(date(2026, 1, 1), date(2027, 12, 31))


@given(
    since=st.none() | days,
    end=st.none() | days,
    expires=st.none() | days,
    rotate=st.none() | st.integers(0, 700).map(lambda number: timedelta(days=number)),
    within=st.integers(0, 400).map(lambda number: timedelta(days=number)),
    former=st.sampled_from(((), ("bob",))),
)
def test_nothing_that_presses_is_passed_over(
    since: date | None,
    end: date | None,
    expires: date | None,
    rotate: timedelta | None,
    within: timedelta,
    former: tuple[str, ...],
) -> None:
    value = Value(seconds(since), seconds(since)) if since else None
    entry, rule = Entry("a", value, end, former), Rule(rotate=rotate, expires=expires)
    found = list(duties.of_entry(entry, rule, TODAY, within, NOBODY))
    last = TODAY + within
    if duties.is_later(entry, rule, last, seconds(last) + 2 * 86_400):
        assert all(duty.state is State.LATER for duty in found)
    ends = [end, since + rotate if since and rotate is not None else None]
    ends.append(expires if expires and (since is None or since < expires) else None)
    dated = [each for each in ends if each is not None]
    assert [duty.when for duty in found if duty.when] == ([min(dated)] if dated else [])


def test_words_of_a_command_are_safe_for_a_shell() -> None:
    assert duties.rotate("a b;rm -rf ~") == "clave rotate 'a b;rm -rf ~'"
    assert "\x1b" not in duties.rotate("\x1b[2J")


@pytest.mark.parametrize("time", [-(10**18), 10**18, 0])
def test_a_claim_of_no_day_is_still_one(time: int) -> None:
    assert isinstance(duties.day(time), date)


def test_the_most_pressing_comes_first() -> None:
    a = duties.of_key("bob", seconds(TODAY) + 86_400, "", "", TODAY, SOON)
    b = duties.of_grant("prod", "bob", "read", date(2026, 1, 1), ["alice"])
    c = duties.of_rotation("x", seconds(TODAY), "alice", None)
    assert sorted([a, c, b], key=lambda duty: duty.rank) == [b, c, a]
    assert (a.state, b.owners, c.mend) == (State.SOON, ("alice",), "clave rotate --resume x")
