"""What has to be done, and by whom: decided from ages, the policy, and who could once read.

- A value is due when it is as old as `rotate` of its policy says, or on the day `expires` of its policy, unless it was
  made after that day; and on the day that the secret says of itself. The earliest of these counts. What is older than
  it may be is *overdue*, what will be within some days is *soon*, the rest is *later*.
- A value that somebody knows who may not read it any more is *exposed*, if the policy's `on` has the event: `leaver`
  where all of them have left the team, or else `exposure`.
- Rotations that were begun and not ended, keys that end soon, and rights that were meant to end, are duties as well.
"""

from __future__ import annotations

import shlex
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from clave.model.text import printable
from clave.rotation.policy import EXPOSURE, LEAVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clave.rotation.policy import Rule
    from clave.rotation.values import Value

WITHIN = timedelta(days=14)


class State(StrEnum):
    """How much a duty presses, the most pressing first. Only LATER needs nothing done now."""

    OVERDUE = "overdue"
    EXPOSED = "exposed"
    UNDER_WAY = "under way"
    SOON = "soon"
    LATER = "later"


class Kind(StrEnum):
    """What a duty is about."""

    ROTATE = "rotate"
    EXPIRES = "expires"
    EXPOSURE = "exposure"
    ROTATION = "rotation"
    KEY = "key"
    GRANT = "grant"


_ORDER = tuple(State)
# Why a value has an end.
_OLD, _POLICY, _OWN = "it is too old", "the policy says that it ends", "it says of itself that it ends"


class Duty(NamedTuple):
    """Something that has to be done.

    `name` is an entry, for KEY a member, for GRANT a folder. `when` is the day from which on it is due; None where it
    is already, and nobody knows since when. `owners` are those whose duty it is, by name; `why` says what is so, `mend`
    what ends it, a command where it is one.
    """

    kind: Kind
    state: State
    name: str
    when: date | None
    owners: tuple[str, ...]
    why: str
    mend: str

    @property
    def rank(self) -> tuple[int, date, str]:
        """What pressing duties have less of."""
        return _ORDER.index(self.state), self.when or date.min, self.name


class Entry(NamedTuple):
    """What is known of an entry: its value (None: git knows nothing of it), its own end, who could once read it."""

    name: str
    value: Value | None = None
    end: date | None = None
    former: tuple[str, ...] = ()


def state(when: date, today: date, within: timedelta) -> State:
    """Return how much something presses that is due on a day."""
    if when <= today:
        return State.OVERDUE
    return State.SOON if when - today <= within else State.LATER


def of_entry(entry: Entry, rule: Rule, today: date, within: timedelta, left: frozenset[str]) -> Iterator[Duty]:
    """Yield what has to be done about an entry; `left` are the names of those who have left the team."""
    owners = (rule.owner,) if rule.owner else ()
    if entry.former:
        event = LEAVER if left.issuperset(entry.former) else EXPOSURE
        if event in rule.on:
            why = f"{', '.join(entry.former)} may not read it any more, and knows its value"
            yield Duty(Kind.EXPOSURE, State.EXPOSED, entry.name, None, owners, why, rotate(entry.name))
    ends = _ends(entry, rule)
    if ends:
        when, why = min(ends)
        kind = Kind.ROTATE if why == _OLD else Kind.EXPIRES
        mend = f"clave edit {quoted(entry.name)}" if why == _OWN else rotate(entry.name)
        said = _age(entry.value, rule.rotate) if why == _OLD and entry.value and rule.rotate is not None else why
        yield Duty(kind, state(when, today, within), entry.name, when, owners, said, mend)


def is_later(entry: Entry, rule: Rule, last: date, seconds: float) -> bool:
    """Tell, fast, that nothing has to be done about an entry up to the day `last`, which ends at `seconds` (Unix).

    False: it may be. Most entries are later, and there may be ten thousand.
    """
    if entry.former or (entry.end is not None and entry.end <= last):
        return False
    if rule.expires is not None and rule.expires <= last:
        return False
    return rule.rotate is None or entry.value is None or entry.value.since + rule.rotate.total_seconds() > seconds


def of_rotation(name: str, since: int, who: str, owner: str | None) -> Duty:
    """Return that a rotation was begun and not ended; `since` in Unix seconds, 0 where nobody knows."""
    owners = tuple(filter(None, (who or owner,)))
    begun = f" on {day(since)}" if since else ""
    mend = f"clave rotate --resume {quoted(name)}"
    why = f"{who or 'somebody'} has begun to rotate it{begun}, and not ended"
    return Duty(Kind.ROTATION, State.UNDER_WAY, name, day(since) if since else None, owners, why, mend)


def of_key(member: str, expires: int | None, why: str, mend: str, today: date, within: timedelta) -> Duty:
    """Return that a key of a member ends, or is of no use; `expires` in Unix seconds."""
    when = day(expires) if expires is not None else None
    how = State.OVERDUE if when is None else state(when, today, within)
    return Duty(Kind.KEY, how, member, when, (member,), why, mend)


def of_grant(path: str, who: str, right: str, until: date, admins: Iterable[str]) -> Duty:
    """Return that a right was meant to end, which admins see to."""
    mend = f"clave revoke {quoted(who)} {quoted(path or '.')}"
    why = f"that {who} may {right} it was meant to end"
    return Duty(Kind.GRANT, State.OVERDUE, path or ".", until, tuple(admins), why, mend)


def rotate(name: str) -> str:
    """Return the command that gives an entry a new value."""
    return f"clave rotate {quoted(name)}"


def quoted(text: str) -> str:
    """Return a word as a shell takes it, safe to show."""
    return shlex.quote(printable(text))


def day(seconds: int) -> date:
    """Return the day of a time in Unix seconds; a claim that is none of the calendar is the first or the last day."""
    try:
        return datetime.fromtimestamp(seconds, UTC).date()
    except (OverflowError, ValueError, OSError):
        return date.max if seconds > 0 else date.min


def _ends(entry: Entry, rule: Rule) -> list[tuple[date, str]]:
    """Return each end that an entry has: the day, and why."""
    found: list[tuple[date, str]] = []
    if entry.end is not None:
        found.append((entry.end, _OWN))
    if rule.rotate is None and rule.expires is None:
        return found
    since = day(entry.value.since) if entry.value else None
    if rule.rotate is not None and since is not None:
        found.append((_later(since, rule.rotate), _OLD))
    if rule.expires is not None and (since is None or since < rule.expires):
        found.append((rule.expires, _POLICY))
    return found


def _age(value: Value, rotate: timedelta) -> str:
    """Return how old a value is, and may be."""
    perhaps = "" if value.known else " (unless another program has made it new)"
    part = ", in part" if value.partly else ""
    old = f"{rotate.days} days" if rotate.days else f"{rotate.seconds // 3600} hours"
    return f"the value is of {day(value.since)}{part}{perhaps}, and may be {old} old"


def _later(since: date, by: timedelta) -> date:
    try:
        return since + by
    except OverflowError:
        return date.max
