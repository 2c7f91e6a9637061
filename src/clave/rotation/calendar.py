"""Duties as a calendar, iCalendar (RFC 5545): an event of a whole day for each, with an alarm that morning.

A line has at most 75 bytes, longer ones are folded; text is escaped, so no name can begin another property. A duty has
the same UID each time, so a calendar that reads the file again moves the event instead of adding one.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from clave.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date, datetime

    from clave.rotation.duties import Duty

_WIDEST = 75  # bytes of a line, without its end
_PRODUCT = "-//clave//due//EN"


def write(duties: Iterable[Duty], now: datetime, store: str) -> bytes:
    """Return a calendar. `now` is in UTC; `store` tells the events of one store from another's."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{_PRODUCT}", "CALSCALE:GREGORIAN"]
    for duty in duties:
        lines += _event(duty, now, store)
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def _event(duty: Duty, now: datetime, store: str) -> Iterator[str]:
    when = duty.when or now.date()
    owners = f" ({', '.join(duty.owners)})" if duty.owners else ""
    key = "\0".join((store, duty.kind, duty.name, *(() if duty.kind != "grant" else (duty.why,))))
    yield "BEGIN:VEVENT"
    yield f"UID:{sha256(key.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}@clave"
    yield f"DTSTAMP:{now:%Y%m%dT%H%M%SZ}"
    yield f"DTSTART;VALUE=DATE:{_day(when)}"
    yield f"SUMMARY:{_text(duty.name)}: {duty.kind}{_text(owners)}"
    yield f"DESCRIPTION:{_text(chr(10).join((duty.why, duty.mend)))}"
    yield f"CATEGORIES:clave,{_text(duty.state)}"
    yield "TRANSP:TRANSPARENT"
    yield "BEGIN:VALARM"
    yield "ACTION:DISPLAY"
    yield f"DESCRIPTION:{_text(duty.name)}"
    yield "TRIGGER:PT9H"
    yield "END:VALARM"
    yield "END:VEVENT"


def _day(when: date) -> str:
    return when.isoformat().replace("-", "")


def _text(value: str) -> str:
    """Return a TEXT value (RFC 5545, 3.3.11)."""
    escaped = printable(value, keep="\n").replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return escaped.replace("\n", "\\n")


def _folded(line: str) -> bytes:
    """Return a line as 3.1 wants it: CRLF and a blank at most every 75 bytes, never within a character."""
    rows: list[bytes] = [b""]
    for c in line:
        data = c.encode()
        if len(rows[-1]) + len(data) > _WIDEST:
            rows.append(b" ")
        rows[-1] += data
    return b"\r\n".join(rows) + b"\r\n"
