"""What an import would do, item by item, before anything is done.

1. An item goes to the name that its folder and title give, below the folder that the user names. Two items of one name
   get numbers, in the order of the file: importing it again finds the same names.
2. Folders are spelled as the store spells them already; a name that differs from one in the store in upper and lower
   case alone is that one.
3. What is in the store with the same content is left as it is. With another content it is a conflict, for which the
   user's choice says what happens: skip, replace, keep-both (the item gets a number), merge.
4. A merge takes from both what only one of them has. Where both have a password, a user, notes or an expiry, and not
   the same, nothing is guessed: both are kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from clave.errors import CannotDecrypt, ClaveError
from clave.exchange import mapping, naming
from clave.exchange.format import BadFile
from clave.exchange.item import Item, Lost
from clave.model.name import check_folder, check_new
from clave.model.secret import is_whole
from clave.model.text import printable
from clave.openpgp import bulk
from clave.store import layout
from clave.team.paths import caseless

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clave.exchange.item import Parsed
    from clave.store.store import Store

Policy = Literal["skip", "replace", "keep-both", "merge"]
POLICIES: tuple[Policy, ...] = ("skip", "replace", "keep-both", "merge")
Action = Literal["new", "equal", "conflict", "skip", "replace", "keep-both", "merge"]


class Step(NamedTuple):
    """What happens to an item: `entries` are written (name → plaintext), what else belongs to `name` is removed.

    `conflict` is an action that waits for the user's choice. `before` are the plaintexts that are there now, None for
    one that cannot be opened.
    """

    item: Item
    name: str
    action: Action
    why: str = ""
    entries: Mapping[str, bytes] = {}
    before: Mapping[str, bytes | None] = {}

    @property
    def writes(self) -> bool:
        """Whether it changes the store."""
        return self.action in ("new", "replace", "keep-both", "merge")


@dataclass(frozen=True, slots=True)
class Plan:
    """All steps, in the order of the file; what is not carried; and what the plan was made from, by name."""

    steps: tuple[Step, ...]
    lost: tuple[Lost, ...]
    skipped: tuple[Lost, ...]
    ciphertexts: Mapping[str, bytes]

    def count(self, *actions: Action) -> int:
        """Return how many steps are one of the actions."""
        return sum(step.action in actions for step in self.steps)


def plan(store: Store, parsed: Parsed, *, into: str = "", policy: Policy | None = None, history: bool = True) -> Plan:
    """Return what importing would do. Raises UsageError (no name of a folder), BadFile, KeyLocked."""
    planner = _Planner(store, check_new(into) if check_folder(into) else "")
    renamed: list[Lost] = []
    placed: list[tuple[Item, str]] = []
    for item in parsed.items:
        item = mapping.normal(item if history else replace(item, history=()))
        name = planner.place(item)
        placed.append((item, name))
        if item.plain is not None and mapping.default_name(item) != "/".join((*item.folder, item.title)):
            renamed.append(Lost(item.origin, "its name", f"no entry may be called so: it is {name} here"))
    planner.read(name for _, name in placed)
    steps = tuple(planner.step(item, name, policy) for item, name in placed)
    _require_apart(steps)
    return Plan(steps, (*parsed.lost, *renamed), parsed.skipped, planner.ciphertexts)


def _require_apart(steps: Iterable[Step]) -> None:
    """Raise BadFile if what belongs to an item would be written over what is another one (`a`, and `a.files/b`)."""
    taken: set[str] = set()
    for step in steps:
        for name in step.entries:
            if caseless(name) in taken:
                raise BadFile(
                    f"{printable(step.item.origin)} and what belongs to another item would both be {name}",
                    "Rename one of them in the file.",
                )
            taken.add(caseless(name))


class _Planner:
    def __init__(self, store: Store, into: str) -> None:
        self._store = store
        self._into = into
        self._own = naming.Names()  # of this import
        self._there: dict[str, list[str]] = {}  # caseless name → the entries of that group
        self._spelled: dict[str, str] = {}
        for name in layout.entries(store.root):
            self._own.spelled(name.rpartition("/")[0])
            self._spelled.setdefault(caseless(name), name)
            for owner in {name, _owner(name)}:
                self._there.setdefault(caseless(owner), []).append(name)
        self._plaintexts: dict[str, bytes | None] = {}
        self.ciphertexts: dict[str, bytes] = {}

    def place(self, item: Item) -> str:
        """Return the name of an item: no other one of the import has it."""
        wanted = mapping.default_name(item)
        folder, _, last = (f"{self._into}/{wanted}" if self._into else wanted).rpartition("/")
        spelled = self._own.spelled(folder)
        name = self._own.free(f"{spelled}/{last}" if spelled else last)
        return self._spelled.get(caseless(name), name)

    def read(self, names: Iterable[str]) -> None:
        """Decrypt what stands at these names, and belongs to it."""
        wanted = {each for name in names for each in self._there.get(caseless(name), ())}
        wanted -= self._plaintexts.keys()
        read = layout.reader(self._store.root)
        for name in wanted:
            self._plaintexts[name] = None
            try:
                self.ciphertexts[name] = read(name)
            except ClaveError:
                continue  # it cannot be compared; a replacement takes its place, or says why not
        found = ((name, self.ciphertexts[name]) for name in sorted(wanted) if name in self.ciphertexts)
        for name, plaintext in bulk.decrypt_many(found, options=self._store.options):
            self._plaintexts[name] = None if isinstance(plaintext, CannotDecrypt) else plaintext

    def step(self, item: Item, name: str, policy: Policy | None) -> Step:
        """Return what happens to an item."""
        entries = _entries(item, name)
        before = self._before(item, name)
        if not before:
            return Step(item, name, "new", "", entries)
        if _equal(item, name, entries, before):
            return Step(item, name, "equal", "", {}, before)
        why = "is in the store with another content"
        if None in before.values():
            why = "is in the store, and cannot be opened"
        if policy is None or policy == "skip":
            return Step(item, name, "skip" if policy else "conflict", why, {}, before)
        if policy == "replace":
            return Step(item, name, "replace", why, entries, before)
        if policy == "merge":
            merged, apart = _merged(item, name, before)
            if merged is not None:
                entries = mapping.entries(merged, name)
                same = entries == before
                return Step(item, name, "equal" if same else "merge", why, {} if same else entries, before)
            why = f"{why}, and {apart} cannot be merged"
        return self._beside(item, name, why)

    def _beside(self, item: Item, name: str, why: str) -> Step:
        """Return the step that keeps both: the first number that is free, or has this content already."""
        number = 2
        while True:
            other = naming.numbered(name, number)
            self.read([other])
            before = self._before(item, other)
            if before and _equal(item, other, _entries(item, other), before):
                return Step(item, other, "equal", "", {}, before)
            if not before and other not in self._own:
                self._own.add(other)
                return Step(item, other, "keep-both", why, _entries(item, other))
            number += 1

    def _before(self, item: Item, name: str) -> dict[str, bytes | None]:
        """Return the plaintexts of what stands at a name, with what belongs to it; of a plaintext that alone."""
        group = self._there.get(caseless(name), ())
        return {each: self._plaintexts[each] for each in group if item.plain is None or each == name}


def _owner(name: str) -> str:
    """Return the entry that an entry may belong to, by its name."""
    folder = name.rpartition("/")[0]
    if folder.endswith(naming.FILES):
        return folder.removesuffix(naming.FILES)
    return name.removesuffix(naming.HISTORY)


def _entries(item: Item, name: str) -> dict[str, bytes]:
    """Return the entries of an item. Raises BadFile for one that none can hold."""
    try:
        entries = mapping.entries(item, name)
    except UnicodeEncodeError:
        raise BadFile(f"{printable(item.origin)} holds half of a character", "Export the file again.") from None
    for each in entries:
        check_new(each)
    return entries


def _equal(item: Item, name: str, entries: Mapping[str, bytes], before: Mapping[str, bytes | None]) -> bool:
    if entries == before:
        return True
    there = _items(before) if item.plain is None else []
    return (
        len(there) == 1
        and there[0] == replace(item, title=there[0].title, folder=there[0].folder)
        and (mapping.entries(item, name).keys() == before.keys())
    )


def _items(before: Mapping[str, bytes | None]) -> list[Item]:
    known = {name: plaintext for name, plaintext in before.items() if plaintext is not None}
    return mapping.items(known) if len(known) == len(before) else []


# Merging


def _merged(item: Item, name: str, before: Mapping[str, bytes | None]) -> tuple[Item | None, str]:
    """Return the item that has all of both, or None and what stands against it."""
    there = _items(before)
    if (
        len(there) != 1
        or item.plain is not None
        or any(text is not None and is_whole(text) for text in [before.get(name)])
    ):
        return None, "a whole"
    (old,) = there
    apart = [
        part
        for part in ("password", "user", "notes", "expires")
        if getattr(old, part) and getattr(item, part) and getattr(old, part) != getattr(item, part)
    ]
    if apart:
        return None, " and ".join(apart)
    return (
        replace(
            old,
            password=old.password or item.password,
            user=old.user or item.user,
            notes=old.notes or item.notes,
            expires=old.expires or item.expires,
            urls=_union(old.urls, item.urls),
            otp=_union(old.otp, item.otp),
            fields=_union(old.fields, item.fields),
            tags=_union(old.tags, item.tags),
            attachments=_union(old.attachments, item.attachments),
            history=_union(old.history, item.history),
            created=min(filter(None, (old.created, item.created)), default=None),
            modified=max(filter(None, (old.modified, item.modified)), default=None),
        ),
        "",
    )


def _union(ours: Sequence[Any], theirs: Sequence[Any]) -> tuple[Any, ...]:
    return (*ours, *(each for each in theirs if each not in ours))
