"""What has to be done in a store: its entries, rotations, keys and rights held against the policy (`rotation.duties`).

Nothing is decrypted. In a team's store everything is taken from the verified commit.
"""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import ClaveError, GitFailed, NotFound
from clave.model.name import is_below
from clave.rotation import duties
from clave.rotation.duties import Duty, Entry, State
from clave.store import layout
from clave.store.lifecycle import ages, formers, pending, policies, scanning

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from clave.store.people.membership import Team
    from clave.store.store import Store

_DAY = 24 * 3600  # seconds


class Duties(NamedTuple):
    """All duties of a store, the most pressing first, and the names under which the user is known as an owner."""

    all: tuple[Duty, ...]
    me: frozenset[str]

    def pressing(self, *, mine: bool = False) -> tuple[Duty, ...]:
        """Return what has to be done now, or soon; with `mine` what the user is an owner of."""
        return tuple(duty for duty in self.of(mine=mine) if duty.state is not State.LATER)

    def of(self, *, mine: bool) -> tuple[Duty, ...]:
        """Return all duties, or those that the user is an owner of."""
        return tuple(duty for duty in self.all if not mine or self.me.intersection(duty.owners))


def look(
    store: Store,
    path: str,
    today: date,
    within: timedelta,
    *,
    later: bool = False,
) -> Duties:
    """Return the duties at and below a path ("" for the whole store, its team too).

    With `later` also what will be due of the entries some day. Raises NotFound, UsageError for a broken policy,
    VerificationFailed for a team's store in doubt.
    """
    team = store.team() if store.is_team else None
    policy = policies.policy(store)
    left = _left(team)
    found: list[Duty] = []
    entries = [entry for entry in _entries(store, today) if is_below(entry.name, path)]
    if path and not entries and not layout.is_folder(store.root, path):
        raise NotFound(f"{path} is not in the password store")
    last = today + within
    seconds = (last - date(1970, 1, 1)).total_seconds() + 2 * _DAY  # a day more than needed, for all time zones
    for entry in entries:
        rule = policy.rule(entry.name)
        if later or not duties.is_later(entry, rule, last, seconds):
            found += duties.of_entry(entry, rule, today, within, left)
    for name, since, who in pending.under_way(store):
        if is_below(name, path):
            found.append(duties.of_rotation(name, since, who, policy.rule(name).owner))
    if team and not path:
        found += _of_team(team, today, within)
    me = _in_team(team) if team else _as_git_says(store)
    return Duties(tuple(sorted(found, key=lambda duty: duty.rank)), me)


def _left(team: Team | None) -> frozenset[str]:
    """Return the names of those who have left the team."""
    if team is None:
        return frozenset()
    from clave.team.roster import LEFT

    return frozenset(each.name for each in team.roster.removed if each.reason == LEFT)


def _entries(store: Store, today: date) -> Iterator[Entry]:
    """Yield what is known of each entry; where git has no history, that it is there."""
    try:
        history = ages.read(store)
    except GitFailed:
        if store.is_team:
            raise
        yield from map(Entry, layout.entries(store.root))
        return
    ends = scanning.known(history)
    exposed = formers.formers(store, history, today)
    for name, age in history.ages().items():
        end = age.due or ends.get(history.entries[name])
        yield Entry(name, age.value, end, exposed.get(name, ()))


def _of_team(team: Team, today: date, within: timedelta) -> Iterator[Duty]:
    from clave.store.people import expiry

    for key in expiry.states(team.roster, team.certificates):
        if key.problem:
            why = f"the key {key.fingerprint} {key.problem}"
            yield duties.of_key(key.name, None, why, key.mend, today, within)
        elif key.expires is not None:
            why = f"the key {key.fingerprint} ends, and after that nothing can be encrypted to it"
            mend = key.mend or f"{key.name} extends it, and then: clave key renew."
            yield duties.of_key(key.name, key.expires, why, mend, today, within)
    admins = [each.name for each in team.roster.admins]
    for path, right, grant in team.roster.lapsed(today):
        assert grant.until is not None
        yield duties.of_grant(path, grant.who, right, grant.until, admins)


def _in_team(team: Team) -> frozenset[str]:
    """Return the names of the user in a team: their own, and their groups'."""
    if team.me is None:
        return frozenset()
    groups = (f"@{each.name}" for each in team.roster.groups if team.me.name in each.members)
    return frozenset((team.me.name, *groups))


def _as_git_says(store: Store) -> frozenset[str]:
    """Return the names of the user where there is no team: what git writes into commits."""
    repository = store.repository()
    names = [os.environ.get("GIT_AUTHOR_NAME"), os.environ.get("GIT_AUTHOR_EMAIL")]
    if repository:
        with suppress(ClaveError):
            settings = repository.settings()
            names += [settings.get("user.name"), settings.get("user.email")]
    return frozenset(filter(None, names))
