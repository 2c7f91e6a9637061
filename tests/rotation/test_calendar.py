"""A calendar is read again by icalendar: the same texts and days, whatever a name holds."""

from __future__ import annotations

from datetime import UTC, date, datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from clave.model.text import printable
from clave.rotation import calendar
from clave.rotation.duties import Duty, Kind, State

NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)

text = st.one_of(
    st.text(min_size=1, max_size=120),
    st.sampled_from(("a,b;c\\n:\r\nEND:VEVENT", "é" * 90, "\x1b[2J", "x" * 74 + "ü", "\\", "a\nb")),
)
duty = st.builds(
    Duty,
    kind=st.sampled_from(Kind),
    state=st.sampled_from(State),
    name=text,
    when=st.none() | st.dates(date(1, 1, 1), date(9999, 12, 31)),
    owners=st.lists(text, max_size=2).map(tuple),
    why=text,
    mend=text,
)


@settings(max_examples=40)
@given(duties=st.lists(duty, max_size=4))
def test_it_is_read_again(duties: list[Duty]) -> None:
    data = calendar.write(duties, NOW, "/store")
    assert all(len(line) <= 75 for line in data.split(b"\r\n"))
    read = Calendar.from_ical(data)
    events = read.walk("VEVENT")
    assert read["VERSION"] == "2.0"
    assert len(events) == len(duties)
    for event, wanted in zip(events, duties, strict=True):
        owners = f" ({', '.join(wanted.owners)})" if wanted.owners else ""
        assert event["SUMMARY"] == printable(f"{wanted.name}: {wanted.kind}{owners}", keep="\n")
        assert event["DESCRIPTION"] == printable(f"{wanted.why}\n{wanted.mend}", keep="\n")
        assert event.decoded("DTSTART") == (wanted.when or NOW.date())
        assert event.decoded("DTSTAMP") == NOW
        assert len(event.walk("VALARM")) == 1


def test_a_duty_keeps_its_uid_and_no_two_have_one() -> None:
    one = Duty(Kind.ROTATE, State.SOON, "a", date(2026, 12, 1), (), "", "")
    moved = one._replace(when=date(2027, 1, 1), state=State.LATER)
    others = [one._replace(name="b"), one._replace(kind=Kind.EXPIRES)]
    uids = [Calendar.from_ical(calendar.write([each], NOW, "/s")).walk("VEVENT")[0]["UID"] for each in (one, moved)]
    assert uids[0] == uids[1]
    elsewhere = Calendar.from_ical(calendar.write([one], NOW, "/t")).walk("VEVENT")[0]["UID"]
    rest = [event["UID"] for event in Calendar.from_ical(calendar.write(others, NOW, "/s")).walk("VEVENT")]
    assert len({uids[0], elsewhere, *rest}) == 4
