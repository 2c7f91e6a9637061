"""Letting somebody in who asked to join: from their request or their file to one change of the team.

What is shown is what is let in: the certificate that was shown goes into the store, and if the request at the remote is
another one by then, nobody is let in.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import GitFailed, NotFound, VerificationFailed
from clave.openpgp import certificates
from clave.store.people import requests, teamwork
from clave.team import editing
from clave.vcs import remote

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clave.store.people.membership import Team
    from clave.store.people.requests import Read, Request
    from clave.store.people.teamwork import Change
    from clave.store.store import Store
    from clave.team.roster import Roster


class Applicant(NamedTuple):
    """Somebody who would like to join: their key, whose it says it is, the request (None: they sent a file)."""

    fingerprint: str
    user_id: str
    certificate: bytes
    request: Request | None = None


def applied(store: Store, team: Team, only: str | None = None) -> dict[str, Read]:
    """Return the requests at the remote, by the last part of their branches' names, or that of one key alone.

    One by a key that is a member's was answered: it is no request any more.
    Raises GitFailed where there is no remote, Unreachable.
    """
    repository = store.team_repository()
    there = remote.remote_of(repository)
    if there is None:
        raise GitFailed("the store has no remote at which anybody could ask", "Give the file that they sent you.")
    place = requests.Place(team.roster.store, team.pinned.genesis)
    try:
        found = requests.fetched(repository, there, place, None if only is None else [requests.BRANCHES + only])
    except remote.NoBranch:
        found = {}
    return {name: each for name, each in found.items() if team.roster.who(name) is None}


def from_request(request: Request) -> Applicant:
    """Return who made a request."""
    found = certificates.read(request.certificate)
    return Applicant(request.fingerprint, found.user_id if found else "", request.certificate, request)


def from_file(path: str) -> Applicant:
    """Return whose certificate a file has. Raises UsageError."""
    data = certificates.from_file(path)
    found = certificates.read(data)
    assert found is not None
    return Applicant(found.fingerprint, found.user_id, data)


def change(applicant: Applicant, name: str, read: Iterable[str], write: Iterable[str]) -> Change:
    """Return the change that lets somebody in. Raises CannotEncrypt for a key that cannot be encrypted to."""
    key = teamwork.key_of(applicant.certificate)
    rights = [*((path, (editing.READ,)) for path in read), *((path, editing.BOTH) for path in write)]

    def edit(roster: Roster) -> Roster:
        after = editing.add_member(roster, name, [key])
        for path, given in rights:
            after = editing.grant(after, name, path, given)
        return replace(after, seq=roster.seq + 1, prev=roster.digest)

    request = applicant.request
    answers = {request.branch: request.commit} if request else {}
    return teamwork.Change(edit, f"Let {name} into the team.", {key.fpr: applicant.certificate}, answers=answers)


def wanted(found: dict[str, Read], name: str, fingerprint: str | None) -> Request:
    """Return the one request that is meant: by its key, else by the name that is wished.

    Raises NotFound for none, VerificationFailed for one that does not hold, is by another key, or several of one name.
    """
    if fingerprint in found:
        return found[fingerprint].result()
    fitting = [each.request for each in found.values() if each.request is not None and each.request.name == name]
    if fingerprint is not None and fitting:
        others = ", ".join(each.fingerprint for each in fitting)
        raise VerificationFailed(
            f"who would like to be {name} has the key {others}, not {fingerprint}", f"Ask {name} by voice which it is."
        )
    if fingerprint is not None:
        raise NotFound(f"nobody has asked to join with the key {fingerprint}", "See who has: clave team approve.")
    if not fitting:
        raise NotFound(f"nobody has asked to join as {name}", "See who has: clave team approve.")
    if len(fitting) > 1:
        keys = ", ".join(each.fingerprint for each in fitting)
        raise VerificationFailed(
            f"several keys would like to be {name}: {keys}", "Ask them by voice, then: --request FINGERPRINT."
        )
    return fitting[0]
