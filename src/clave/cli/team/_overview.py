"""`clave team`: the people of a team, and what needs somebody's attention."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from clave.cli import _output
from clave.cli._team import entries
from clave.model.text import printable
from clave.team.wording import lapsed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clave.store.people.expiry import KeyState
    from clave.store.people.overview import Overview, Person
    from clave.store.store import Store


def show(store: Store, *, as_json: bool) -> None:
    """Print a team at a glance."""
    from clave.store.people import overview

    found = overview.look(store)
    if as_json:
        _output.json(_document(found))
        return
    for person in found.people:
        you = " (you)" if person.name == found.me else ""
        groups = f", in {', '.join('@' + group for group in person.groups)}" if person.groups else ""
        _output.line(printable(f"{person.name}{you}: {person.role}{groups}, {_seen(person)}"))
        for key in person.keys:
            _output.line(printable(f"  {key.fingerprint}  {_state(key)}"))
    for warning in _warnings(found):
        _output.warn(warning)
    if len(found.roster.admins) == 1:
        _output.note(_one_admin(found.roster.admins[0].name))


def _seen(person: Person) -> str:
    from clave.store.people.expiry import day

    return f"last commit {day(person.seen)}" if person.seen else "no commit yet"


def _state(key: KeyState) -> str:
    from clave.store.people.expiry import day

    return key.problem or ("does not expire" if key.expires is None else f"expires {day(key.expires)}")


def _warnings(found: Overview) -> Iterator[str]:
    """Yield what somebody has to see to."""
    for person in found.people:
        yield from (key.line() for key in person.keys if key.problem or key.ends_soon)
    yield from lapsed(found.roster, date.today())  # noqa: DTZ011 - a day of the user's calendar
    if found.due:
        yield f"{entries(len(found.due))} not encrypted as the roster says: clave rekey"


def _one_admin(name: str) -> str:
    return (
        f"{name} is the only admin: without that key nobody can ever change the team. Make an offline one, on a medium "
        "that you lock away:\n"
        "  export GNUPGHOME=/media/usb/recovery; mkdir -m 700 $GNUPGHOME\n"
        "  gpg --quick-gen-key recovery future-default default never\n"
        "  gpg --export recovery > recovery.key; unset GNUPGHOME\n"
        "  clave team add recovery recovery.key\n"
        "  clave team role recovery admin"
    )


def _document(found: Overview) -> dict[str, object]:
    from clave.store.past import utc

    return {
        "store": found.roster.store,
        "roster": found.roster.seq,
        "me": found.me,
        "members": [
            {
                "name": person.name,
                "role": person.role,
                "keys": [
                    {
                        "fingerprint": key.fingerprint,
                        "expires": None if key.expires is None else utc(key.expires),
                        "problem": key.problem or None,
                        "ends_soon": key.ends_soon,
                    }
                    for key in person.keys
                ],
                "groups": list(person.groups),
                "seen": None if person.seen is None else utc(person.seen),
            }
            for person in found.people
        ],
        "lapsed": [
            {"path": path, "right": right, "who": grant.who, "until": str(grant.until)}
            for path, right, grant in found.roster.lapsed(date.today())  # noqa: DTZ011 - of the user's calendar
        ],
        "due": list(found.due),
    }
