"""Who can read each entry, and who should: from the packets of the files and gpg's list of keys alone.

Nothing is decrypted and no agent is asked. Aliases (symlinks) and what lies behind them are left out: the file that
they lead to is there under a name of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from clave.errors import CannotDecrypt, CannotEncrypt, StoreDamaged
from clave.model.name import entry_folder, pending_name
from clave.openpgp import keys, packets
from clave.store import layout
from clave.store.lifecycle import pending
from clave.store.recipients import readers
from clave.store.renewal import fits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from clave.openpgp.keys import Owner, Recipient
    from clave.store.store import Store


class Holder(NamedTuple):
    """A key that an entry is encrypted to; `owner` is None where the keyring does not have it."""

    key_id: str
    owner: Owner | None


class Audience(NamedTuple):
    """Who can read an entry: keys, and how many that hide (`hidden`); `flaw` says why that cannot be told."""

    name: str
    holders: list[Holder]
    hidden: int
    flaw: str | None = None


class Difference(NamedTuple):
    """How an entry's recipients are not those of its folder.

    `lacking` are readers that it is not encrypted to, `extra` keys that it is encrypted to and should not be, `hidden`
    how many recipients hide their key. `flaw` says why that cannot be told.
    """

    name: str
    lacking: list[Recipient]
    extra: list[Holder]
    hidden: int
    flaw: str | None = None


class Compared(NamedTuple):
    """What a comparison found in `total` entries, and which recipients of a folder cannot be encrypted to."""

    total: int
    differences: list[Difference]
    problem: CannotEncrypt | None


def audiences(store: Store, names: Iterable[str]) -> list[Audience]:
    """Say of each entry who can read it."""
    seen = list(_present(store, names))
    owners = _owners(store, (each for _, present, _ in seen for each in present))
    return [Audience(name, _holders(present, owners), _hidden(present), flaw) for name, present, flaw in seen]


def compare(store: Store, names: Iterable[str]) -> Compared:
    """Compare who can read each entry (or by its path, what is kept of a rotation) with who should.

    Raises NotFound where a folder has no `.gpg-id` above it.
    """
    wanted_of = readers(store)
    problems: dict[str, CannotEncrypt] = {}
    total = 0
    differing: list[tuple[str, list[str], str | None, list[Recipient]]] = []
    for name, present, flaw in _present(store, names):
        total += 1
        try:
            wanted = wanted_of.of(entry_folder(name))
        except CannotEncrypt as problem:
            problems.setdefault(problem.message, problem)
            continue
        if flaw or not fits(present, wanted):
            differing.append((name, present, flaw, wanted))
    owners = _owners(store, (each for _, present, _, _ in differing for each in present))
    differences = [_difference(name, present, flaw, wanted, owners) for name, present, flaw, wanted in differing]
    from clave.store.recipients import all_problems

    return Compared(total, differences, all_problems(problems.values()) if problems else None)


def _present(store: Store, names: Iterable[str]) -> Iterator[tuple[str, list[str], str | None]]:
    """Yield name and key ids of each entry, or why it has none."""
    for name in names:
        rotated = pending_name(name)
        try:
            data = (rotated and pending.content(store, rotated)) or layout.read_own(store.root, name)
            yield name, packets.inspect(packets.dearmor(data)).recipients, None
        except (CannotDecrypt, StoreDamaged) as reason:
            yield name, [], reason.message


def _owners(store: Store, key_ids: Iterable[str]) -> dict[str, Owner]:
    return keys.owners(set(key_ids) - {packets.HIDDEN}, options=store.options)


def _holders(present: Sequence[str], owners: dict[str, Owner]) -> list[Holder]:
    return [Holder(each, owners.get(each)) for each in present if each != packets.HIDDEN]


def _hidden(present: Sequence[str]) -> int:
    return sum(each == packets.HIDDEN for each in present)


def _difference(
    name: str, present: Sequence[str], flaw: str | None, wanted: Sequence[Recipient], owners: dict[str, Owner]
) -> Difference:
    if flaw:
        return Difference(name, [], [], 0, flaw)
    ids = {recipient.key_id for recipient in wanted}
    lacking = [recipient for recipient in wanted if recipient.key_id not in present]
    # A key that is named twice is one too many as well.
    extra = [each for at, each in enumerate(present) if each not in ids or each in present[:at]]
    return Difference(name, lacking, _holders(extra, owners), _hidden(present))
