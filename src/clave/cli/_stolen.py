"""Up to which commit the signatures of a stolen key count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clave.cli import _ask, _output
from clave.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from clave.store.store import Store
    from clave.store.trust.wronghands import Found


def last_good(store: Store, name: str, fingerprints: Collection[str], given: str | None) -> str:
    """Return up to which commit the signatures of a stolen key count; ask, and explain."""
    from clave.store.trust import wronghands
    from clave.vcs import reading

    repository = store.team_repository()
    if given is not None:
        return reading.require_commit(repository, given)
    found = wronghands.look(store, fingerprints)
    for line in _explained(name, found):
        _output.note(line)
    if not _ask.interactive():
        raise UsageError(
            "up to which commit the stolen key counts cannot be asked without a terminal",
            f"Say it: --last-good {found.proposal or 'COMMIT'}.",
        )
    offered = f" [{found.proposal[:12]}]" if found.proposal else ""
    answer = _ask.line(f"Up to which commit do its signatures count?{offered} ").strip()
    return reading.require_commit(repository, answer or found.proposal)


def _explained(name: str, found: Found) -> Iterator[str]:
    """Yield what the key signed lately, and what the answer will mean."""
    from clave.store.people.expiry import day

    if found.proposal:
        yield f"The last commit by another key is {found.proposal[:12]}."
    for said, signed in (("after it", found.after), ("before it", found.before)):
        if signed:
            yield f"By this key of {name} came {said}:"
            yield from (f"  {each.commit[:12]}  {day(each.time)}  {each.subject}" for each in signed)
    yield (
        "What it signed up to the commit that you name is believed. If it was stolen earlier than the last commit by "
        "another key, name one from before the theft: dates are what the signer says."
    )
