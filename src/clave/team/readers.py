"""Whom a message is encrypted to, held against the readers of its folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from clave.model.text import printable
from clave.team.evidence import HIDDEN
from clave.team.paths import Kind, place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from clave.team.roster import Roster
    from clave.team.tree import Tree


class Due(NamedTuple):
    """An entry whose recipients are not those of the roster in force, and how they differ."""

    path: str
    problem: str


def rekey_due(tree: Tree, roster: Roster, recipients: Callable[[str], tuple[str, ...] | None]) -> tuple[Due, ...]:
    """Return the entries of a tree that are not encrypted to exactly the readers that the roster gives them."""
    found: list[Due] = []
    for path, file in tree.files():
        kind, folder, _ = place(path)
        if kind in (Kind.ENTRY, Kind.PENDING):
            problem = recipients_problem(roster, folder, recipients(file.blob))
            if problem:
                found.append(Due(path, problem))
    return tuple(sorted(found))


def recipients_problem(roster: Roster, folder: str, ids: Sequence[str] | None) -> str | None:
    """Return how the recipients of a message differ from one current subkey of each key of each reader of a folder."""
    if ids is None:
        return "it is no OpenPGP message that may be opened"
    left = list(ids)
    for key in roster.recipients(folder):
        mine = [each for each in left if each in key.enc]
        if not mine:
            return f"it is not encrypted to a current subkey of {roster.owners[key.fpr].name}"
        left.remove(mine[0])
    if left:
        return f"it is encrypted also to {_recipient(roster, left[0], ids)}"
    return None


def text_problem(roster: Roster, ids: Iterable[str], others: Iterable[Iterable[str]]) -> str | None:
    """Return that a message has the encrypted text of another one, and a recipient that this one has not."""
    for other in others:
        more = set(ids).difference(other)
        if more:
            return f"its text is that of another message, which is not for {_recipient(roster, min(more), ())}"
    return None


def _recipient(roster: Roster, subkey: str, ids: Sequence[str]) -> str:
    """Return who the owner of a recipient's id is, and what is wrong with it."""
    if subkey == HIDDEN:
        return "somebody who is hidden"
    owner = roster.subkeys.get(subkey)
    if owner is None:
        return f"the unknown key {printable(subkey)}"
    if owner.removed:
        return f"{owner.name}, who was removed"
    if subkey in owner.key.enc_old:
        return f"a retired subkey of {owner.name}"
    return f"{owner.name} twice" if sum(each in owner.key.enc for each in ids) > 1 else owner.name
