"""Who signed a commit, and is the signature good: found out once for each commit, then remembered.

That a signature is good, and by which key, never changes: it is kept by the commit's id, in
`$XDG_CACHE_HOME/clave/signatures`, a line `<commit> <fingerprint>` each. What one thinks of that key (revoked,
expired, trusted) is asked of the keyring every time. Whatever Sequoia does not call good, git and gpg judge.

In a team store the team's own certificates say whose a signature is, and the roster what they are called; the keyring
is asked about those of nobody in the team.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from clave.openpgp import certificates, keys
from clave.openpgp.verifying import verify_many
from clave.places import cache_file
from clave.vcs.history import Signature
from clave.vcs.signed import split

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clave.store.people.membership import Team
    from clave.vcs.history import History

CACHE = "signatures"
_LIMIT = 16 << 20  # bytes of the cache that are read; it begins anew above that
_IDS = (40, 64)  # hex digits of a commit's id, of a fingerprint


def check(history: History, commits: Sequence[str], team: Team | None = None) -> dict[str, Signature]:
    """Return the state of the signature of each of the (signed) commits. Raises GitFailed."""
    ours = _of_team(history, commits, team) if team else {}
    return ours | _by_keyring(history, [commit for commit in commits if commit not in ours])


def _of_team(history: History, commits: Sequence[str], team: Team) -> dict[str, Signature]:
    """Return the good signatures by keys that the team has, or had."""
    found: dict[str, Signature] = {}
    for commit, raw in history.raw_commits(commits).items():
        parts = split(raw)
        if parts is None:
            continue
        checked = certificates.verify(parts.payload, parts.signature, team.certificates.values())
        owner = team.roster.owners.get(checked.fingerprint)
        if owner and checked.state == "GOOD":
            found[commit] = Signature("good", checked.fingerprint, owner.name + (" (removed)" if owner.removed else ""))
    return found


def _by_keyring(history: History, commits: Sequence[str]) -> dict[str, Signature]:
    if not commits:
        return {}
    known = _remembered()
    new = _verified(history, [commit for commit in commits if commit not in known])
    if new:
        _remember(new)
    good = {commit: key for commit in commits if (key := new.get(commit) or known.get(commit))}
    signers = keys.signers(good.values())
    states = {
        commit: Signature(who.state, who.fingerprint, who.user_id)
        for commit, key in good.items()
        if (who := signers.get(key)) is not None
    }
    rest = [commit for commit in commits if commit not in states]
    return states | (history.signatures(rest) if rest else {})


def _verified(history: History, commits: Sequence[str]) -> dict[str, str]:
    """Return the fingerprint of the key that signed each commit whose signature is good, as far as can be told here."""
    if not commits:
        return {}
    parts = {commit: split(raw) for commit, raw in history.raw_commits(commits).items()}
    return verify_many({commit: signed for commit, signed in parts.items() if signed is not None})


def _remembered() -> dict[str, str]:
    try:
        with open(cache_file(os.environ, CACHE), "rb") as file:
            data = file.read(_LIMIT + 1)
    except OSError:
        return {}
    if len(data) > _LIMIT:
        return {}
    rows = (line.split(" ") for line in data.decode("ascii", "replace").split("\n"))
    return {row[0]: row[1] for row in rows if len(row) == 2 and all(len(each) in _IDS for each in row)}


def _remember(new: Mapping[str, str]) -> None:
    """Add to the cache; where it cannot be written it is found out again next time."""
    path = cache_file(os.environ, CACHE)
    rows = "".join(f"{commit} {key}\n" for commit, key in new.items())
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        anew = os.path.exists(path) and os.path.getsize(path) + len(rows) > _LIMIT
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | (os.O_TRUNC if anew else os.O_APPEND)
        with open(os.open(path, flags, 0o600), "wb") as file:
            file.write(rows.encode())
    except OSError:
        return
