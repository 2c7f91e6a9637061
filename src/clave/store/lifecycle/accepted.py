"""Values that somebody knows and that stay as they are, because they cannot be changed: who said so, and why.

`.clave/accepted/<entry>` holds it, as JSON: the blob of the entry, whom it was accepted for, the reason. It may be
written by whoever may write the entry; in a team's store the commit is signed as every other. It counts as long as all
secrets of the entry are those of that blob, and for those people alone: a new value, and somebody else who leaves, are
asked about again. Nobody accepts what they know themselves: whoever is about to leave cannot shorten their own list.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from clave.errors import NotFound, UsageError
from clave.store.operation import begin
from clave.team.paths import ACCEPTED
from clave.vcs import reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from clave.store.lifecycle.ages import History
    from clave.store.store import Store

_LONGEST = 500  # characters of a reason
_LARGEST = 64 << 10  # bytes of a file


def accept(store: Store, history: History, name: str, who: Iterable[str], reason: str) -> None:
    """Say that the value of an entry stays as it is, though these people know it. Raises as every write."""
    if not reason.strip() or not reason.isprintable() or len(reason) > _LONGEST:
        raise UsageError(f"a reason is one line of at most {_LONGEST} characters", "Say it with --reason TEXT.")
    if name not in history.entries:
        raise NotFound(f"{name} is not in the password store")
    with begin(store, name.rpartition("/")[0]) as change:
        document = {"format": 1, "blob": history.entries[name], "who": sorted(set(who)), "reason": reason.strip()}
        change.place(f"{ACCEPTED}/{name}", (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode())
        change.commit(f"Accept that {name} stays as it is.", "policy")


def reasons(history: History, maker: Callable[[str], str]) -> dict[tuple[str, str], str]:
    """Return why values stay, by entry and person; what is no such file, or of another value, says nothing.

    `maker` says who made a commit, "" where that is not known.
    """
    place = history.place
    folder = f"{place.below}{ACCEPTED}"
    rows = {row.path: row.blob for row in reading.files(history.repository, history.head, [folder])}
    if not rows:
        return {}
    contents = dict(reading.objects(history.repository, rows.values(), "blob"))
    found: dict[tuple[str, str], str] = {}
    for path, blob in rows.items():
        name = path[len(folder) + 1 :]
        known = _read(contents.get(blob, b""))
        if known is None or name not in history.entries:
            continue
        accepted, who, reason = known
        if history.sharing.of(history.entries[name]).get(accepted) is False:
            by = maker(history.trace.accepted[blob]) if blob in history.trace.accepted else ""
            found |= {(name, each): reason for each in who if each != by}
    return found


def _read(data: bytes) -> tuple[str, list[str], str] | None:
    if len(data) > _LARGEST:
        return None
    try:
        document = json.loads(data)
        blob, who, reason = document["blob"], document["who"], document["reason"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    texts = [blob, reason, *(who if isinstance(who, list) else [None])]
    return (blob, who, reason) if all(isinstance(each, str) for each in texts) else None
