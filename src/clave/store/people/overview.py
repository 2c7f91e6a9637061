"""A team at a glance: who belongs to it, with which keys, when they were last seen; and how it came to be.

All is read from the verified HEAD: the roster, `.public-keys`, the signatures of commits. Dates are what their authors'
computers said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from clave.openpgp import certificates
from clave.store import rekeying
from clave.store.lifecycle import pending
from clave.store.people import expiry
from clave.team import paths
from clave.team import roster as rosters
from clave.team.wording import words
from clave.vcs import reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clave.store.people.expiry import KeyState
    from clave.store.people.membership import Team
    from clave.store.store import Store
    from clave.team.roster import Roster
    from clave.vcs.git import Repository

_SEEN = 2000  # commits in which members are looked for
_AT_ONCE = 200


class Person(NamedTuple):
    """A member. `seen` is the time of their newest signed commit among the last ones, None if there is none."""

    name: str
    role: str
    keys: tuple[KeyState, ...]
    groups: tuple[str, ...]
    seen: int | None


class Overview(NamedTuple):
    """A team: its people, who the user is in it, the entries whose recipients are not the roster's."""

    roster: Roster
    me: str | None
    people: tuple[Person, ...]
    due: tuple[str, ...]


class Numbered(NamedTuple):
    """A roster in the history: the commit that brought it, when, who signed it with which key, what it changed."""

    number: int
    commit: str
    time: int
    signer: str
    key: str
    changes: tuple[str, ...]


def look(store: Store) -> Overview:
    """Return a team at a glance. Raises VerificationFailed, and UsageError for a plain store."""
    team = store.team()
    seen = _last_seen(store.team_repository(), team)
    people = (
        Person(
            member.name,
            member.role,
            tuple(expiry.state(member.name, key, team.certificates.get(key.fpr, b"")) for key in member.keys),
            tuple(group.name for group in team.roster.groups if member.name in group.members),
            seen.get(member.name),
        )
        for member in team.roster.members
    )
    return Overview(
        team.roster,
        team.me.name if team.me else None,
        tuple(people),
        tuple(rekeying.due(store, team.roster, pending.with_entries(store))),
    )


def rosters_of(store: Store) -> list[Numbered]:
    """Return all rosters of a team, the newest first. Raises as `look`."""
    team, repository = store.team(), store.team_repository()
    files = {row.path: row.blob for row in reading.files(repository, team.commit, (paths.ROSTERS,))}
    blobs = dict(reading.objects(repository, files.values(), "blob"))
    came = reading.additions(repository, team.commit, paths.ROSTERS)
    found: list[Numbered] = []
    before: Roster | None = None
    for number in range(1, team.roster.seq + 1):
        path = paths.roster_path(number)
        data = blobs[files[path]]
        now = rosters.parse(data)
        key = certificates.verify(data, blobs[files[f"{path}.sig"]], team.certificates.values()).fingerprint
        owner = (before or now).owners.get(key)
        commit, when = came.get(path, ("", 0))
        found.append(Numbered(number, commit, when, owner.name if owner else "", key, tuple(words(before, now))))
        before = now
    return found[::-1]


def _last_seen(repository: Repository, team: Team) -> Mapping[str, int]:
    """Return when the newest commits of members were made, as far as they are among the last ones."""
    found: dict[str, int] = {}
    commits = reading.newest(repository, team.commit, _SEEN)
    for at in range(0, len(commits), _AT_ONCE):
        if len(found) == len(team.roster.members):
            break
        raw = dict(reading.objects(repository, commits[at : at + _AT_ONCE], "commit"))
        for commit in filter(raw.__contains__, commits[at : at + _AT_ONCE]):
            name = team.signer(raw[commit])
            if name and name not in found:
                found[name] = _time(raw[commit])
    return found


def _time(commit: bytes) -> int:
    """Return the committer's time of a commit, 0 for one that has none."""
    for line in commit.partition(b"\n\n")[0].split(b"\n"):
        if line.startswith(b"committer "):
            seconds = line.rpartition(b" ")[0].rpartition(b" ")[2]
            return int(seconds) if seconds.isdigit() and len(seconds) < 12 else 0
    return 0
