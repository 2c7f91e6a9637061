"""Which variables a program gets, and of which store: what its manifest says, and what the caller does.

- The manifest says which store is meant, by the id of its team or by its URL; it has to be one that the user has.
- What the caller names (`-e`) takes the place of what a file says about that name. Otherwise two entries for one name
  are an error: nobody could tell which of them a program got.
- `--only` and `--except` choose by name, and a word of theirs that chooses nothing is a mistake.
- What files ask for has to be allowed; what the caller types, not. Of a file that nobody has named, everything.
"""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from clave.delivery import allowing, manifest, names
from clave.delivery.asked import Manifest, Variable
from clave.delivery.references import Reference
from clave.errors import NotFound, UsageError, VerificationFailed
from clave.model.name import check_folder
from clave.store import layout, stores

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from clave.config import Settings
    from clave.store.store import Store


class Wish(NamedTuple):
    """What the caller says. `manifest` is a path, None: the nearest one is looked for."""

    profile: str | None = None
    manifest: str | None = None
    entries: Sequence[str] = ()
    env_files: Sequence[str] = ()
    folders: Sequence[str] = ()
    only: Sequence[str] = ()
    without: Sequence[str] = ()
    allow_names: Sequence[str] = ()


class Asking(NamedTuple):
    """What a file asks for, by variable.

    `found`: nobody has named it, it lay in the way. Then it has to be allowed even if it asks for no secret: what it
    sets changes what programs do.
    """

    path: str
    variables: tuple[Variable, ...]
    found: bool = False

    @property
    def references(self) -> frozenset[Reference]:
        """The references that have to be allowed."""
        return frozenset(each for variable in self.variables for each in variable.references)


class Chosen(NamedTuple):
    """Variables, of which store, and which files ask for them."""

    store: Store
    variables: tuple[Variable, ...]
    asking: tuple[Asking, ...]


class _Source(NamedTuple):
    """Where variables come from: a file by its path, which may have been `found`, or the caller."""

    said: str
    variables: tuple[Variable, ...]
    is_file: bool
    found: bool = False


def choose(settings: Settings, wish: Wish, store_name: str | None = None) -> Chosen:
    """Return what a program gets. `store_name` is the store that the caller named.

    Raises UsageError, NotFound, and VerificationFailed for a store whose team cannot be told.
    """
    found = manifest.read(wish.manifest) if wish.manifest else _nearest()
    given = tuple(_given(wish.entries))
    files = [_Source(path, read_env_file(path).base, is_file=True) for path in wish.env_files]
    if found is not None:
        files.insert(0, _Source(found.path, found.variables(wish.profile), is_file=True, found=not wish.manifest))
    elif wish.profile is not None:
        raise NotFound(f"there is no {manifest.FILE} here, and so no profile '{wish.profile}'", _MAKE)
    elif not (given or files or wish.folders):
        summons = " Or, for summon's: --manifest secrets.yml." if os.path.exists("secrets.yml") else ""
        raise NotFound(f"there is no {manifest.FILE} here or above", f"{_MAKE} Or: -e NAME=REFERENCE.{summons}")
    store = store_of(settings, found, store_name) if found else stores.open_store(settings, store_name)
    folders = [_Source(f"--all {each}", tuple(_below(store, each)), is_file=False) for each in wish.folders]
    own = {each.name for each in given}
    sources = [
        source._replace(variables=tuple(each for each in source.variables if each.name not in own))
        for source in (*files, *folders)
    ]
    sources = _narrowed([*sources, _Source("-e", given, is_file=False)], wish.only, wish.without)
    variables = _once(sources)
    for each in variables:
        names.check(each.name, wish.allow_names)
    asking = [Asking(each.said, each.variables, each.found) for each in sources if each.is_file]
    return Chosen(
        store, variables, tuple(each for each in asking if each.references or (each.found and each.variables))
    )


_MAKE = "Make one: clave manifest init."


def read_env_file(path: str) -> Manifest:
    """Return what a `.env` file says; a value that is a reference in its URI form is one. Raises NotFound, UsageError.

    The file may be that of another program, so only that form is one.
    """
    from clave.delivery import dotenv, references

    variables: list[Variable] = []
    for name, value, line in dotenv.read(path):
        if references.is_uri(value):
            try:
                variables.append(Variable(name, secret=references.parse(value)))
            except UsageError as problem:
                raise UsageError(f"{path}, line {line}: {problem.message}", problem.hint) from None
        else:
            variables.append(Variable(name, value=value))
    return Manifest(os.path.abspath(path), base=tuple(variables))


def store_of(settings: Settings, found: Manifest, store_name: str | None = None) -> Store:
    """Return the store that a manifest is for. Raises UsageError where the user has none such, NotFound."""
    if not (found.store_id or found.url):
        return stores.open_store(settings, store_name)
    if store_name is not None:
        store = stores.open_store(settings, store_name)
        if not _is_meant(store, found):
            raise UsageError(f"the store '{store_name}' is not the one that {found.path} is for", "Leave out -s.")
        return store
    try:
        have = stores.all_stores(settings)
    except stores.NoStore:
        have = []
    doubts: list[VerificationFailed] = []
    for _, store in have:
        try:
            if _is_meant(store, found):
                return store
        except VerificationFailed as doubt:  # of another store, perhaps
            doubts.append(doubt)
    if doubts:
        raise doubts[0]
    which = " at ".join(filter(None, (found.store_id, found.url)))
    raise UsageError(
        f"{found.path} is for the store {which}, and you have none that is that",
        f"Get it: clave join {found.url or 'URL'}.",
    )


def _is_meant(store: Store, found: Manifest) -> bool:
    if found.store_id:
        return allowing.store_id(store) == found.store_id
    from clave.vcs import remote

    repository = store.repository()
    if repository is None:
        return False
    return remote.place(found.url) in {remote.place(each) for each in remote.urls(repository)}


def _nearest() -> Manifest | None:
    path = manifest.find(os.getcwd())
    return manifest.read(path) if path else None


def _given(entries: Iterable[str]) -> Iterator[Variable]:
    for each in entries:
        name, separator, text = each.partition("=")
        if not separator:
            raise UsageError(f"'{each}' does not say what {name} is", "It looks like NAME=folder/entry#field.")
        yield manifest.entry(name, text)


def _below(store: Store, folder: str) -> Iterator[Variable]:
    """Yield a variable for each entry of a folder, with the name that its path there makes."""
    folder = check_folder("" if folder.strip("/") == "." else folder)
    if not layout.is_folder(store.root, folder):
        from clave.store.search import missing

        raise missing(store, folder)
    for name in layout.entries(store.root, folder):
        yield Variable(variable_name(name[len(folder) :].strip("/")), secret=Reference(name))


def variable_name(path: str) -> str:
    """Return the name that a path makes: `db/read-only` is DB_READ_ONLY."""
    name = "".join(c if c.isascii() and c.isalnum() else "_" for c in path).upper()
    return f"_{name}" if name[:1].isdigit() else name


def _narrowed(sources: Sequence[_Source], only: Sequence[str], without: Sequence[str]) -> list[_Source]:
    known = [each.name for source in sources for each in source.variables]
    for option, patterns in (("--only", only), ("--except", without)):
        for pattern in patterns:
            if not any(fnmatchcase(name, pattern) for name in known):
                raise NotFound(f"{option}: there is no variable '{pattern}'", f"There are: {', '.join(known)}.")

    def wanted(name: str) -> bool:
        taken = not only or any(fnmatchcase(name, pattern) for pattern in only)
        return taken and not any(fnmatchcase(name, pattern) for pattern in without)

    return [
        source._replace(variables=tuple(each for each in source.variables if wanted(each.name))) for source in sources
    ]


def _once(sources: Iterable[_Source]) -> tuple[Variable, ...]:
    found: dict[str, tuple[Variable, str]] = {}
    for source in sources:
        for each in source.variables:
            if each.name in found:
                before = found[each.name]
                what = _entries(before[0], each)
                raise UsageError(
                    f"there are two entries for {each.name}: {what or ' and '.join((before[1], source.said))}",
                    "Keep one of them, or say which: -e NAME=REFERENCE.",
                )
            found[each.name] = (each, source.said)
    return tuple(each for each, _ in found.values())


def _entries(one: Variable, other: Variable) -> str:
    return f"{one.secret} and {other.secret}" if one.secret and other.secret else ""
