"""The files of a store that follow from its roster: the roster itself, every `.gpg-id`, the certificates."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from clave.errors import UsageError, VerificationFailed
from clave.openpgp import signatures
from clave.store import layout
from clave.team import paths
from clave.team import roster as rosters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clave.store.people.membership import Team
    from clave.team.roster import Roster


def files(team: Team, roster: Roster, certificates: Mapping[str, bytes]) -> dict[str, bytes | None]:
    """Return what has to stand where (None: nothing) for `roster` to follow the team's, signed by the user.

    `certificates` are those that are new or changed, by fingerprint. Raises VerificationFailed for somebody who is no
    admin, UsageError for a roster that does not follow.
    """
    team.require_admin()
    key = team.require_signer()
    problem = rosters.successor_problem(team.roster, roster)
    if problem:
        raise UsageError(f"roster {roster.seq} does not follow: {problem}", "Nothing was changed.")
    return {
        **signed(roster, key),
        **recipients(team.roster, roster),
        **{paths.certificate_path(fpr): data for fpr, data in certificates.items()},
    }


def signed(roster: Roster, key: str) -> dict[str, bytes]:
    """Return the file of a roster and of its signature by a key, by path."""
    data, path = rosters.write(roster), paths.roster_path(roster.seq)
    return {path: data, f"{path}.sig": signatures.sign(data, key)}


def recipients(before: Roster | None, after: Roster) -> dict[str, bytes | None]:
    """Return each `.gpg-id` that differs between two rosters, None for one that has to go."""
    old = before.gpg_ids() if before else {}
    new = after.gpg_ids()
    gone: dict[str, bytes | None] = dict.fromkeys(old.keys() - new.keys())
    return gone | {path: data for path, data in new.items() if old.get(path) != data}


def require_as_committed(root: str, roster: Roster, folder: str) -> None:
    """Raise VerificationFailed if a `.gpg-id` of the work tree is not what the roster says: pass would obey it.

    Looked at are those of the roster, and those that would hold for `folder`.
    """
    wanted = roster.gpg_ids()
    above = (os.path.join(each, layout.RECIPIENTS) for each in rosters.upwards(folder))
    for path in sorted({*wanted, *above}):
        try:
            with open(os.path.join(root, path), "rb") as file:
                found = file.read()
        except OSError:
            found = None
        if found == wanted.get(path):
            continue
        mend = f"Bring it back: clave git checkout HEAD -- {path}." if path in wanted else "Remove it."
        raise VerificationFailed(
            f"{path} was changed outside of clave, and in a team the roster says who reads",
            f"{mend} To change who reads: clave grant, clave revoke.",
        )
